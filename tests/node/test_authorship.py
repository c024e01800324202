"""What a person may write: nothing that they could not read, and nothing that tells of what they may not see."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from nations import PROJECT, Coalition, to
from personnel import GUEST, OFFICER, ORIGINATOR, hire, said, signed_in

from aldis.app import Query
from aldis.kernel.authority import Role
from aldis.kernel.errors import AldisError, InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.node import Node
from aldis.node.people import Account

OPEN, SECRET = Label("AUS", "OFFICIAL"), Label("AUS", "SECRET")


def draft(node: Node, label: Label = OPEN, body: Label = OPEN, **fields: object) -> Draft:
    portions = [DraftPortion("title", label, "Survey"), DraftPortion("body", body, "of the cable")]
    made = Draft("document", "", node.name, "somebody", node.core.clock.now(), label, portions, project=PROJECT)
    return replace(made, **fields)


@pytest.fixture
def aus(coalition: Coalition) -> Node:
    node = coalition["aus"]
    hire(node, "olive", roles=[ORIGINATOR])
    hire(node, "otto", roles=[ORIGINATOR], projects=[PROJECT])
    hire(node, "rita", roles=[OFFICER])
    hire(node, "gus", roles=[GUEST], projects=[PROJECT], kinds=["document"])
    return node


def test_an_originator_is_the_author_of_what_they_put_and_the_node_names_it(aus: Node) -> None:
    record = aus.records.put(draft(aus), signed_in(aus, "olive"))
    assert record.header.author == "olive"
    assert len(record.header.id) == 16
    assert aus.records.put(draft(aus), signed_in(aus, "olive")).header.id != record.header.id


@pytest.mark.parametrize("who", ["rita", "gus"])
def test_who_is_no_originator_puts_nothing(aus: Node, who: str) -> None:
    with pytest.raises(RefusedByPolicy, match="no role"):
        aus.records.put(draft(aus), signed_in(aus, who))


def test_nobody_writes_what_they_could_not_read(aus: Node) -> None:
    low, otto = signed_in(aus, "olive", AUS="OFFICIAL"), signed_in(aus, "otto")
    for person, told in (
        (low, draft(aus, body=SECRET)),
        (low, draft(aus, label=SECRET)),
        (otto, draft(aus, project="HARBOUR")),
    ):
        with pytest.raises(RefusedByPolicy, match="could not read"):
            aus.records.put(told, person)
    aus.records.put(draft(aus, body=SECRET), signed_in(aus, "olive"))


def test_an_id_that_is_asked_for_tells_nothing_of_the_ids_in_use(coalition: Coalition, aus: Node) -> None:
    coalition.put("aus", "hidden", {"title": ("x", SECRET)}, project="QUIET")
    told = []
    for name in ("hidden", "free"):
        with pytest.raises(InvalidInput) as refused:
            aus.records.put(draft(aus, id=name), signed_in(aus, "otto"))
        told.append(said(refused.value, name))
    assert told[0] == told[1]


def test_revising_takes_sight_of_the_whole_and_deleting_takes_having_written_it(aus: Node) -> None:
    record = aus.records.put(draft(aus, body=SECRET), signed_in(aus, "olive"))
    name = record.header.id
    with pytest.raises(RefusedByPolicy, match="whole"):
        aus.records.revise(name, draft(aus, id=name), signed_in(aus, "otto", AUS="OFFICIAL"))
    revised = aus.records.revise(name, draft(aus, id=name, body=SECRET), signed_in(aus, "otto"))
    assert (revised.header.version, revised.header.author) == (2, "otto")
    with pytest.raises(RefusedByPolicy, match="did not write"):
        aus.records.delete(name, "", signed_in(aus, "olive"))
    assert aus.records.delete(name, "", signed_in(aus, "otto")).header.deleted


def test_what_one_may_not_see_cannot_be_revised_deleted_or_drawn_on_and_reads_as_absent(
    coalition: Coalition, aus: Node
) -> None:
    secret = coalition.put("aus", "hidden", {"title": ("x", SECRET)}, project="QUIET")
    otto, told = signed_in(aus, "otto"), []
    for name, digest in (("hidden", secret.digest), ("absent", bytes(32))):
        found = []
        for attempt in (
            lambda name=name: aus.records.revise(name, draft(aus, id=name), otto),
            lambda name=name: aus.records.delete(name, "", otto),
            lambda digest=digest: aus.records.put(draft(aus, sources=[digest]), otto),
            lambda name=name: aus.context.bound(otto).get(name),
        ):
            with pytest.raises(AldisError) as refused:
                attempt()
            found.append((type(refused.value), str(refused.value).replace(name, "ID").replace(digest.hex(), "ID")))
        told.append(found)
    assert told[0] == told[1]


def test_instruments_are_not_for_persons_to_put(aus: Node) -> None:
    with pytest.raises(RefusedByPolicy, match="operator"):
        aus.records.put(draft(aus, kind="instrument"), signed_in(aus, "olive"))


def test_only_an_administrator_changes_accounts_and_others_learn_of_none(aus: Node) -> None:
    hire(aus, "ada", roles=[Role.ADMINISTRATOR])
    ada, olive = signed_in(aus, "ada"), signed_in(aus, "olive")
    told = []
    for name in ("otto", "nobody"):
        found = []
        for attempt in (
            lambda name=name: aus.people.suspend(name, "left", olive),
            lambda name=name: aus.people.resume(name, "back", olive),
            lambda name=name: aus.people.revoke(name, olive),
            lambda name=name: aus.people.new_code(name, olive),
            lambda name=name: aus.people.add(
                Account(id=name, name="N", nationality="AUS", clearance={"AUS": "SECRET"}), olive
            ),
        ):
            with pytest.raises(RefusedByPolicy) as refused:
                attempt()
            found.append(said(refused.value, name))
        told.append(found)
    assert told[0] == told[1]
    assert not aus.people.suspend("otto", "left", ada).active
    with pytest.raises(RefusedByPolicy, match="own account"):
        aus.people.set(replace(aus.people.get("ada"), roles=[Role.ADMINISTRATOR, ORIGINATOR]), ada)
    assert aus.people.get("olive", olive).name == "Olive"
    for look in (
        lambda: aus.people.get("otto", olive),
        lambda: aus.people.all(olive),
        lambda: aus.people.open_sessions(None, olive),
    ):
        with pytest.raises(RefusedByPolicy, match="no role"):
            look()


def test_an_apps_context_answers_for_the_person_it_is_bound_to(coalition: Coalition, aus: Node) -> None:
    coalition.put("aus", "open", {"title": ("survey", OPEN)})
    coalition.put("aus", "hidden", {"title": ("survey", SECRET)})
    coalition.put("aus", "both", {"title": ("survey", OPEN), "body": ("canary", SECRET)})
    low = aus.context.bound(signed_in(aus, "otto", AUS="OFFICIAL"))
    assert {one.header.id for one in low.find(Query(kind="document")).records} == {"open", "both"}
    assert {one.header.id for one in low.find(Query(text="survey")).records} == {"open", "both"}
    assert low.find(Query(text="canary")).records == []
    assert low.get("both").portion("body") is None
    assert low.newest("hidden") is None
    assert {"open", "hidden", "both"} <= {one.header.id for one in aus.context.find(Query(kind="document")).records}
    both = low.get("both")
    assert set(low.explain(both, "gbr").portions) == {"title"}
    with pytest.raises(RefusedByPolicy):
        aus.context.bound(signed_in(aus, "gus")).explain(both, "gbr")
    with pytest.raises(UnknownTerm):
        low.offer(aus.context.get("hidden"), "gbr")


def test_a_foreign_national_writes_what_their_nation_could_be_given(coalition: Coalition, aus: Node) -> None:
    hire(aus, "greta", nationality="GBR", clearance={"AUS": "SECRET", "UK": "SECRET"}, roles=[ORIGINATOR])
    greta = signed_in(aus, "greta")
    label = to("GBR")
    with pytest.raises(RefusedByPolicy, match="could not read"):
        aus.records.put(draft(aus, to("USA"), to("USA")), greta)
    with pytest.raises(RefusedByPolicy, match="could not read"):
        aus.records.put(draft(aus, label, to()), greta)
    assert aus.records.put(draft(aus, label, label), greta).header.author == "greta"
