"""A recall reaches whoever was sent a record, hides it there, and takes its content away when the operator says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nations import Coalition, to

from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import Label
from aldis.kernel.ledger import decode_leaf
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.checks import run_checks
from aldis.node.recall_records import recall_draft
from aldis.node.recalls import Asked

BOTH = to("GBR", "USA")
ONLY_GBR = to("GBR")
CANARY = "xylophonecanary"


def give(coalition: Coalition, name: str = "plan", label: Label = BOTH, **fields: Any) -> None:
    coalition.put("aus", name, {"title": (f"a plan {CANARY}", label), "body": (f"{CANARY} body", label)}, **fields)
    coalition.settle()


def listed(coalition: Coalition, node: str) -> list[str]:
    rows = coalition[node].records.page(kind="document").rows
    found = coalition[node].records.search(CANARY).hits
    assert {hit.row.id for hit in found} <= {row.id for row in rows}
    return sorted({row.id for row in rows})


def stands(coalition: Coalition, name: str = "plan") -> dict[str, tuple[bool, str]]:
    """Of each node that has it: whether the recall arrived, and the answer."""
    return {one.node: (one.got, one.answer.effect if one.answer else "") for one in coalition["aus"].recalls.show(name)}


def on_disk(coalition: Coalition, node: str) -> bytes:
    return b"".join(path.read_bytes() for path in (coalition.folder / node).glob("store.db*"))


def leaves(coalition: Coalition, node: str, kind: str) -> list[str]:
    rows = coalition[node].core.store.ledger.leaves(0, 10_000, type_=kind)
    return [decode_leaf(row.data).verdict for row in rows]


def test_a_recall_hides_a_record_until_the_operator_erases_or_refuses_it(coalition: Coalition) -> None:
    give(coalition)
    assert coalition["aus"].recalls.ask("plan", "wrong annex", "officer") == ["gbr", "usa"]
    assert stands(coalition) == {"gbr": (False, ""), "usa": (False, "")}
    coalition.settle()
    assert stands(coalition) == {"gbr": (True, "waits"), "usa": (True, "waits")}
    assert listed(coalition, "gbr") == listed(coalition, "usa") == []
    assert listed(coalition, "aus") == ["plan"]
    assert coalition.held("gbr", "plan") == ["body", "title"]

    gbr, usa = coalition["gbr"], coalition["usa"]
    [request] = gbr.core.store.recalls.all()
    assert (request.asker, request.because, request.state) == ("aus", "wrong annex", "waits")
    gbr.recalls.comply(request.id, "as asked", "operator")
    [asked] = [one for one in usa.core.store.recalls.all() if one.asker == "aus"]
    usa.recalls.refuse(asked.id, "a court wants it kept", "operator")
    coalition.settle()
    assert stands(coalition) == {"gbr": (True, "done"), "usa": (True, "refused")}
    assert [one.answer.because for one in coalition["aus"].recalls.show("plan") if one.answer] == [
        "as asked", "a court wants it kept",
    ]  # fmt: skip
    assert coalition.held("gbr", "plan") == []
    assert coalition.held("usa", "plan") == ["body", "title"]
    assert listed(coalition, "usa") == ["plan"]
    assert leaves(coalition, "gbr", "erasure") == ["erased"]
    assert leaves(coalition, "aus", "recall") == ["asked", "waits", "waits", "done", "refused"]
    for name in ("aus", "gbr", "usa"):
        assert coalition[name].core.store.check() == []


def test_what_was_erased_is_gone_from_the_file(coalition: Coalition) -> None:
    give(coalition)
    for number in range(30):  # other text in the same segments and pages
        coalition.put("aus", f"other-{number}", {"body": (f"kelpforest {number}", BOTH)})
    coalition.settle()
    assert CANARY.encode() in on_disk(coalition, "gbr")
    coalition["aus"].recalls.ask("plan", "wrong", "officer")
    coalition.settle()
    gbr = coalition["gbr"]
    gbr.recalls.comply(1, "as asked", "operator")
    erasure = gbr.core.store.erasure
    assert erasure.due
    assert [one.name for one in run_checks(gbr) if one.ok is False] == ["erasure"]
    gbr.recalls.rewrite()
    assert not gbr.core.store.erasure.due
    assert CANARY.encode() not in on_disk(coalition, "gbr")
    assert b"canary" not in on_disk(coalition, "gbr")
    assert gbr.core.store.check() == []
    assert len(gbr.records.search("kelpforest").hits) == 30
    row = gbr.core.store.records.get("plan")
    assert row is not None and row.record().digest == row.digest


def test_what_was_erased_does_not_come_back_by_any_way(coalition: Coalition) -> None:
    give(coalition)
    coalition["aus"].recalls.ask("plan", "wrong", "officer", "gbr")
    coalition.settle()
    coalition["gbr"].recalls.comply(1, "as asked", "operator")
    coalition["gbr"].recalls.rewrite()
    for node in ("aus", "usa"):  # everything is decided and sent again
        coalition[node].exchange.new_epoch("restored")
    coalition.settle()
    assert coalition.held("gbr", "plan") == []
    assert CANARY.encode() not in on_disk(coalition, "gbr")


def test_a_recall_that_comes_before_the_record_holds_for_it(coalition: Coalition) -> None:
    """USA gets the recall from AUS while the record is still on its way by GBR's hand."""
    coalition.put("aus", "plan", {"title": (CANARY, BOTH)})
    coalition.settle("aus", "gbr")
    coalition.put("aus", "other", {"title": ("other", BOTH)})
    aus = coalition["aus"]
    row = aus.core.store.records.get("plan")
    assert row is not None
    label = aus.recalls._label("usa")
    aus.records.put(
        recall_draft([row.digest], "early", label=label, node="aus", partner="usa", author="o", at=coalition.clock.at)
    )
    aus.core.store.recalls.ask([row.digest], "usa", b"", coalition.clock.at)
    coalition.settle("aus", "usa")
    assert coalition.held("usa", "plan") is None
    coalition.settle("gbr", "usa")
    assert coalition.held("usa", "plan") == ["title"]
    assert "plan" not in listed(coalition, "usa")


def test_what_is_recalled_goes_to_nobody_new_and_a_better_version_goes_to_all(coalition: Coalition) -> None:
    coalition.put("aus", "plan", {"title": (CANARY, BOTH)})
    coalition.settle("aus", "gbr")
    assert coalition["aus"].recalls.ask("plan", "wrong", "officer") == ["gbr"]
    coalition.settle()
    assert coalition.held("usa", "plan") is None
    assert CANARY.encode() not in coalition.seen_by("usa")
    aus = coalition["aus"]
    aus.records.revise("plan", Draft(
        kind="document", id="plan", originator="aus", author="o", project="NORTHERN-WATCH",
        created=coalition.clock.at, label=BOTH, portions=[DraftPortion("title", BOTH, "a better plan")],
    ))  # fmt: skip
    coalition.settle()
    assert coalition.held("usa", "plan") == ["title"]
    assert listed(coalition, "gbr") == listed(coalition, "usa") == ["plan"]


def test_a_recall_follows_what_was_passed_on(coalition: Coalition) -> None:
    coalition.put("aus", "plan", {"title": (CANARY, BOTH), "annex": ("for GBR", ONLY_GBR)})
    coalition.settle("aus", "gbr")
    coalition.settle("gbr", "usa")
    assert coalition.held("usa", "plan") == ["title"]
    assert coalition["aus"].recalls.ask("plan", "wrong", "officer") == ["gbr"]
    coalition.settle("aus", "gbr")
    coalition.settle("gbr", "usa")
    assert listed(coalition, "usa") == []
    [request] = coalition["usa"].core.store.recalls.all()
    assert (request.asker, request.because) == ("gbr", "wrong")
    coalition["usa"].recalls.comply(request.id, "as asked", "operator")
    coalition.settle("gbr", "usa")
    [told] = coalition["aus"].recalls.show("plan")
    assert told.answer is not None and told.answer.passed_on == ["usa"]
    assert coalition.held("usa", "plan") == []
    # a node that passed nothing on names nobody
    assert "done" in leaves(coalition, "gbr", "recall")


def test_a_recall_of_what_is_not_ones_own_to_ask_for_does_nothing(coalition: Coalition) -> None:
    give(coalition)
    usa = coalition["usa"]
    row = usa.core.store.records.get("plan")
    assert row is not None
    label = usa.recalls._label("gbr")
    usa.records.put(
        recall_draft([row.digest], "mine!", label=label, node="usa", partner="gbr", author="o", at=coalition.clock.at)
    )
    coalition.settle()
    assert listed(coalition, "gbr") == ["plan"]
    [request] = coalition["gbr"].core.store.recalls.all()
    assert request.state == "none"
    assert coalition["gbr"].recalls.comply(request.id, "sure", "operator") == []
    coalition.settle()
    assert coalition.held("gbr", "plan") == ["body", "title"]
    assert listed(coalition, "gbr") == ["plan"]


def test_a_recall_tells_nothing_to_those_who_lack_the_record(coalition: Coalition) -> None:
    """Its id and what it is about are SECRET; the recall is not, and says neither."""
    secret = to("GBR", classification="SECRET")
    coalition.put("aus", "operation-canary", {"title": (CANARY, secret)})
    coalition.settle()
    before = len(coalition.wire)
    assert coalition["aus"].recalls.ask("operation-canary", "wrong", "officer") == ["gbr"]
    coalition.settle()
    sent = b"".join(one.body for one in coalition.wire[before:])
    assert b"wrong" in sent
    assert b"operation-canary" not in sent
    assert b"wrong" not in coalition.seen_by("usa")


def test_a_hold_stops_erasing_and_the_setting_comply_does_it_at_once(coalition: Coalition) -> None:
    give(coalition)
    path = coalition.folder / "usa" / "aldis.toml"
    path.write_text(path.read_text() + "comply = true\n")
    coalition.open("usa")
    coalition["gbr"].desk.hold("plan", "an inquiry")
    coalition["aus"].recalls.ask("plan", "wrong", "officer")
    coalition.settle()
    assert stands(coalition) == {"gbr": (True, "waits"), "usa": (True, "done")}
    assert coalition.held("usa", "plan") == []
    with pytest.raises(RefusedByPolicy, match="on hold: an inquiry"):
        coalition["gbr"].recalls.comply(1, "as asked", "operator")
    assert coalition.held("gbr", "plan") == ["body", "title"]


def test_what_waits_for_a_partner_goes_without_what_was_erased(coalition: Coalition, tmp_path: Path) -> None:
    coalition.put("aus", "plan", {"title": (CANARY, BOTH)})
    coalition.settle("aus", "gbr")
    gbr = coalition["gbr"]
    coalition.put("gbr", "own", {"title": ("ours", to("USA", policy="UK"))})
    assert list(gbr.files.export("usa", tmp_path / "post"))
    coalition["aus"].recalls.ask("plan", "wrong", "officer")
    coalition.settle("aus", "gbr")
    with pytest.raises(RefusedByPolicy, match="left for usa in a file"):
        gbr.recalls.comply(1, "as asked", "operator")
    gbr.exchange.new_epoch("the stick was lost")
    gbr.recalls.comply(1, "as asked", "operator")
    gbr.recalls.rewrite()
    assert CANARY.encode() not in on_disk(coalition, "gbr")
    before = len(coalition.wire)
    coalition.settle("gbr", "usa")
    assert CANARY.encode() not in b"".join(sent.body for sent in coalition.wire[before:])
    assert coalition.held("usa", "own") == ["title"]


def test_who_is_asked_for_what(coalition: Coalition) -> None:
    give(coalition, label=ONLY_GBR)
    recalls = coalition["aus"].recalls
    with pytest.raises(InvalidInput, match="never released to usa"):
        recalls.ask("plan", "wrong", "officer", "usa")
    with pytest.raises(UnknownTerm, match="has written no record"):
        coalition["gbr"].recalls.ask("plan", "wrong", "officer")
    with pytest.raises(UnknownTerm):
        recalls.ask("plan", "wrong", "officer", "nobody")
    assert recalls.ask("plan", "wrong", "officer", "gbr") == ["gbr"]
    with pytest.raises(InvalidInput, match="already"):
        recalls.ask("plan", "wrong", "officer", "gbr")
    with pytest.raises(UnknownTerm, match="no recall 7"):
        coalition["gbr"].recalls.comply(7, "x", "operator")


def test_a_departed_partner_is_still_shown_as_having_it(coalition: Coalition) -> None:
    give(coalition)
    coalition["aus"].exchange.new_epoch("restored")  # what was sent before is not forgotten
    coalition["aus"].partners.set_status("usa", PartnerStatus.DEPARTED, "left")
    coalition["aus"].recalls.ask("plan", "wrong", "officer")
    coalition.settle()
    shown = {one.node: one for one in coalition["aus"].recalls.show("plan")}
    assert isinstance(shown["usa"], Asked)
    assert (shown["usa"].status, shown["usa"].answer, shown["usa"].got) == ("departed", None, False)
    assert [len(one.portions) for one in shown["usa"].releases] == [2]
    assert shown["gbr"].answer is not None
