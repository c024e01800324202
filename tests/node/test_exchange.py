"""The exchange of two nodes: exactly once and in order, whatever is lost, repeated, changed or restored."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from nations import NATIONS, PROJECT, Coalition, to

from aldis.kernel.bundles import open_envelope
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import (
    AldisError,
    Forked,
    InvalidInput,
    NotAuthentic,
    Stale,
    TooLarge,
    Unavailable,
    UnknownTerm,
)
from aldis.kernel.messages import Cursor, Greeting, Receipt, Welcome, read_unverified, sign_message
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.exchange import Call

BOTH = to("GBR", "USA")
HUSH = to("GBR")


def put(coalition: Coalition, *names: str, value: Any = "a plan") -> None:
    for name in names:
        coalition.put("aus", name, {"title": (value, BOTH)})


def call(coalition: Coalition, node: str = "gbr") -> Call:
    """The bundle that AUS delivers next, once it has greeted; an error where it has none."""
    made = coalition["aus"].exchange.next_call(node)
    if made is not None and made.operation == "greet":
        coalition.step("aus", node)
        made = coalition["aus"].exchange.next_call(node)
    assert made is not None
    return made


def held(coalition: Coalition, node: str = "gbr") -> list[str]:
    """The documents a node holds, oldest arrival first."""
    return [row.id for row in reversed(coalition[node].records.page(kind="document").rows)]


# losing, repeating, reordering


def test_records_arrive_once_and_in_order_in_bundles_of_the_size_set(strangers: Coalition) -> None:
    coalition = strangers
    coalition.add("usa", batch=3)
    for other in ("aus", "gbr"):
        coalition.pair("usa", other)
    coalition.pair("aus", "gbr")
    coalition.settle()
    coalition.arrange()
    label = to("AUS", "GBR", policy="US", classification="UNCLASSIFIED")
    names = [f"doc-{n}" for n in range(8)]
    for name in names:
        coalition.put("usa", name, {"title": ("x", label)})
    seen = len(coalition.wire)
    coalition.settle("usa", "gbr")
    assert held(coalition) == names
    spans = [open_envelope(s.body)[0] for s in coalition.wire[seen:] if s.operation == "deliver"]
    assert [span.count for span in spans] == [3, 3, 2]
    assert [b.first - a.last for a, b in pairwise(spans)] == [1, 1]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_lost_receipt_costs_nothing_and_doubles_nothing(coalition: Coalition, restarted: bool) -> None:
    put(coalition, "doc-1")
    lost = call(coalition)
    coalition["gbr"].answer("aus", lost.operation, lost.body)
    if restarted:
        coalition.open("aus")
        coalition.open("gbr")
    else:
        coalition["aus"].exchange.failed("gbr", Unavailable("the line went dead"))
    first = coalition["aus"].exchange.next_call("gbr")
    assert first is not None
    assert first.operation == "greet"
    put(coalition, "doc-2")
    coalition.settle()
    assert held(coalition) == ["doc-1", "doc-2"]
    assert len(coalition["gbr"].core.store.records.versions("doc-1")) == 1


def test_a_call_that_never_arrived_is_made_again(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    lost = call(coalition)
    coalition["aus"].exchange.failed("gbr", Unavailable("the line went dead"))
    coalition.settle()
    assert held(coalition) == ["doc-1"]
    assert lost.body in [sent.body for sent in coalition.wire]


def test_a_bundle_that_comes_twice_is_stale_and_changes_nothing(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    coalition.settle()
    [last] = [s for s in coalition.wire if s.audience == "gbr" and s.origin == "aus" and s.operation == "deliver"][-1:]
    before = coalition["gbr"].core.store.ledger.size()
    with pytest.raises(Stale, match="here already"):
        coalition["gbr"].answer("aus", "deliver", last.body)
    assert coalition["gbr"].core.store.ledger.size() == before


def test_one_partners_bundle_is_nothing_from_another_or_to_another(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    made = call(coalition)
    with pytest.raises(NotAuthentic, match="'usa' sent what 'aus' signed"):
        coalition["gbr"].answer("usa", "deliver", made.body)
    with pytest.raises(NotAuthentic, match="addressed to 'gbr'"):
        coalition["usa"].answer("aus", "deliver", made.body)
    assert held(coalition) == held(coalition, "usa") == []
    coalition.settle()
    assert held(coalition) == held(coalition, "usa") == ["doc-1"]


# what is said about it


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"origin": "usa"}, NotAuthentic),
        ({"audience": "usa"}, NotAuthentic),
        ({"at": 11 * 60_000}, Stale),
        ({"at": -11 * 60_000}, Stale),
        ({"signer": "usa"}, NotAuthentic),
        ({"checkpoint": "not a note"}, InvalidInput),
    ],
)
def test_a_greeting_of_another_node_time_or_key_is_refused(
    coalition: Coalition, changes: dict[str, Any], error: type[AldisError]
) -> None:
    signer = coalition[changes.pop("signer", "aus")].core.signer
    fields = {"origin": "aus", "audience": "gbr", "epoch": 1, **changes}
    fields["at"] = coalition.clock.now() + changes.get("at", 0)
    with pytest.raises(error):
        coalition["gbr"].answer("aus", "greet", sign_message(Greeting(**fields), signer))


def test_a_partner_may_call_three_operations(coalition: Coalition) -> None:
    for operation in ("list", "", "admit", "greet " * 100):
        with pytest.raises(UnknownTerm, match="may greet, deliver and live"):
            coalition["gbr"].answer("aus", operation, b"")
    for operation in ("greet", "deliver", "live"):
        for body in (b"", b"\xff" * 100, b"\x92" + bytes(300_000)):
            with pytest.raises(InvalidInput):
                coalition["gbr"].answer("aus", operation, body)
        with pytest.raises(TooLarge):
            coalition["gbr"].answer("aus", operation, bytes(49 * 1024 * 1024))


@pytest.mark.parametrize("message", [Receipt, Welcome])
def test_an_answer_that_is_not_the_partners_to_this_node_moves_nothing(coalition: Coalition, message: Any) -> None:
    put(coalition, "doc-1")
    made = call(coalition)
    asked = made if message is Receipt else Call("greet", b"")
    assert made.sealed is not None
    cursor = Cursor(1, made.sealed.last, made.sealed.digest.hex())
    exchange, now = coalition["aus"].exchange, coalition.clock.now()
    before = coalition["aus"].core.store.partners.acknowledged("gbr")
    for origin, audience, signer in (("gbr", "usa", "gbr"), ("usa", "aus", "gbr"), ("gbr", "aus", "usa")):
        forged = sign_message(message(origin, audience, now, cursor), coalition[signer].core.signer)
        with pytest.raises(NotAuthentic):
            exchange.answered("gbr", asked, forged)
    never = Cursor(1, made.sealed.last, "ab" * 32)
    elsewhere = Cursor(9, cursor.seq, cursor.digest)
    for cursor_ in (never, elsewhere, Cursor(1, cursor.seq + 5, "ab" * 32), Cursor(7, 1, "ab" * 32)):
        wrong = sign_message(message("gbr", "aus", now, cursor_), coalition["gbr"].core.signer)
        with pytest.raises(Forked, match="new-epoch"):
            exchange.answered("gbr", asked, wrong)
    assert coalition["aus"].core.store.partners.acknowledged("gbr") == before


@pytest.mark.parametrize("status", [PartnerStatus.SUSPENDED, PartnerStatus.DEPARTED])
def test_nothing_passes_either_way_while_a_partner_is_suspended(coalition: Coalition, status: PartnerStatus) -> None:
    put(coalition, "doc-1")
    made = call(coalition)
    coalition["gbr"].partners.set_status("aus", status, "a reason")
    hello = Greeting("aus", "gbr", coalition.clock.now(), 1)
    for operation, body in ((made.operation, made.body), ("greet", sign_message(hello, coalition["aus"].core.signer))):
        with pytest.raises(NotAuthentic):
            coalition["gbr"].answer("aus", operation, body)
    label = to("AUS", policy="UK")
    coalition.put("gbr", "doc-2", {"title": ("x", label)})
    assert coalition["gbr"].exchange.next_call("aus") is None
    coalition["gbr"].partners.set_status("aus", PartnerStatus.ACTIVE, "it is settled")
    coalition.settle()
    assert held(coalition) == ["doc-2", "doc-1"]
    assert coalition.held("aus", "doc-2") == ["title"]


# what may no longer go


def narrowed(coalition: Coalition) -> None:
    """AUS holds its document back: what was sealed with it may no longer go."""
    coalition["aus"].desk.hold("doc-1", "it must not leave")


def test_a_bundle_that_may_no_longer_go_is_withdrawn_and_its_numbers_used_again(coalition: Coalition) -> None:
    put(coalition, "doc-1", "doc-2")
    made = call(coalition)
    coalition["aus"].exchange.failed("gbr", Unavailable("the line went dead"))
    narrowed(coalition)
    coalition.settle()
    assert held(coalition) == ["doc-2"]
    assert made.body not in [sent.body for sent in coalition.wire]
    coalition["aus"].desk.lift("doc-1", "it may leave")
    coalition.settle()
    assert held(coalition) == ["doc-2", "doc-1"]


def test_a_withdrawn_bundle_that_had_arrived_is_reinstated(coalition: Coalition) -> None:
    put(coalition, "doc-1", "doc-2")
    made = call(coalition)
    coalition["gbr"].answer("aus", made.operation, made.body)
    narrowed(coalition)
    assert coalition["aus"].exchange.next_bundle("gbr") != made.sealed
    coalition["aus"].exchange.failed("gbr", Unavailable("its receipt was lost"))
    put(coalition, "doc-3")
    coalition.settle()
    assert held(coalition) == ["doc-1", "doc-2", "doc-3"]
    assert [len(coalition["gbr"].core.store.records.versions(n)) for n in ("doc-1", "doc-2", "doc-3")] == [1, 1, 1]


# restored backups


def test_a_sender_restored_from_a_backup_is_found_out_and_begins_anew(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    coalition.settle()
    coalition.back_up("aus")
    put(coalition, "doc-2")
    coalition.settle()
    coalition.restore("aus")
    put(coalition, "doc-3")
    with pytest.raises(Forked, match="doctor --new-epoch gbr"):
        coalition.settle("aus", "gbr")
    assert held(coalition) == ["doc-1", "doc-2"]
    coalition["aus"].exchange.new_epoch("restored from the backup")
    coalition.settle()
    assert held(coalition) == ["doc-1", "doc-2", "doc-3"]


def test_a_restored_sender_that_does_not_know_it_is_stopped_at_the_receiver(coalition: Coalition) -> None:
    coalition.back_up("aus")
    put(coalition, "doc-1")
    coalition.settle()
    coalition.restore("aus")
    put(coalition, "doc-2")
    sealed = coalition["aus"].exchange.next_bundle("gbr")
    assert sealed is not None
    assert sealed.data is not None
    with pytest.raises(Forked, match="two histories"):
        coalition["gbr"].answer("aus", "deliver", sealed.data)
    [kept] = coalition["gbr"].core.store.quarantine.all()
    assert (kept.code, kept.source, kept.size) == ("forked", "aus", len(sealed.data))


def test_an_id_used_again_after_a_restore_is_set_aside(coalition: Coalition) -> None:
    coalition.back_up("aus")
    put(coalition, "doc-1")
    coalition.settle()
    coalition.restore("aus")
    put(coalition, "doc-1", value="another plan")
    coalition["aus"].exchange.new_epoch("restored from the backup")
    coalition.settle()
    [kept] = coalition["gbr"].core.store.quarantine.all()
    assert kept.code == "forked"
    assert coalition["gbr"].records.get("doc-1").record().portions[0].value == "a plan"


def test_a_receiver_restored_from_a_backup_is_found_out_and_gets_all_again(coalition: Coalition) -> None:
    coalition.back_up("gbr")
    put(coalition, "doc-1")
    coalition.settle()
    coalition.restore("gbr")
    coalition.clock.at += 61_000
    with pytest.raises(Forked, match="One of the two stores was restored"):
        coalition.settle("aus", "gbr")
    coalition["aus"].exchange.new_epoch("gbr restored its backup")
    coalition["gbr"].exchange.new_epoch("restored from the backup")
    coalition.settle()
    assert held(coalition) == ["doc-1"]


def test_a_ledger_that_was_rewritten_is_not_cosigned(coalition: Coalition) -> None:
    coalition.back_up("aus")
    put(coalition, "doc-1")
    for _ in range(3):
        coalition.clock.at += 61_000
        coalition.settle()
    coalition.restore("aus")
    for n in range(9):
        coalition["aus"].records.put(_own(coalition, f"own-{n}"))
    with pytest.raises(Forked):
        coalition.settle("aus", "gbr")
    coalition["aus"].exchange.new_epoch("restored from the backup")
    with pytest.raises(Forked, match="does not continue the one cosigned"):
        for _ in range(3):
            coalition.clock.at += 61_000
            coalition.settle("aus", "gbr")


def _own(coalition: Coalition, name: str) -> Draft:
    return Draft("document", name, "aus", "o", coalition.clock.now(), to(), [DraftPortion("title", to(), "x")])


# quarantine


def test_what_was_set_aside_is_admitted_when_its_kind_is_known(coalition: Coalition) -> None:
    coalition.open("gbr", apps={})
    put(coalition, "doc-1", "doc-2")
    coalition.settle()
    assert held(coalition) == []
    kept = coalition["gbr"].core.store.quarantine.all()
    assert [(one.source, one.code) for one in kept] == [("aus", "unknown-term")] * 2
    with pytest.raises(UnknownTerm, match="Install the app"):
        coalition["gbr"].inbound.retry(kept[0].id)
    coalition.open("gbr")
    assert coalition["gbr"].inbound.retry(kept[0].id).header.id == "doc-1"
    coalition["gbr"].inbound.drop(kept[1].id, "nobody needs it")
    assert not coalition["gbr"].core.store.quarantine.all()
    assert held(coalition) == ["doc-1"]
    for act in (coalition["gbr"].inbound.retry, lambda number: coalition["gbr"].inbound.drop(number, "x")):
        with pytest.raises(UnknownTerm, match="no entry"):
            act(kept[1].id)
    receipts = [read_unverified(s.answer, Receipt) for s in coalition.wire if s.operation == "deliver"]
    assert max(receipt.quarantined for receipt in receipts) == 2


def test_a_full_quarantine_admits_nothing_more_and_loses_nothing(coalition: Coalition) -> None:
    settings = coalition.folder / "gbr" / "aldis.toml"
    settings.write_text(settings.read_text() + "quarantine_mib = 1\n")
    coalition.open("gbr", apps={})
    put(coalition, "doc-1", "doc-2", value="x" * 900_000)
    with pytest.raises(Unavailable, match="quarantine is full"):
        coalition.settle("aus", "gbr")
    assert not coalition["gbr"].core.store.quarantine.all()
    coalition["aus"].exchange.failed("gbr", Unavailable("quarantine is full"))
    coalition.open("gbr")
    coalition.settle()
    assert held(coalition) == ["doc-1", "doc-2"]


# what cannot be seen


def test_what_is_withheld_never_crosses_nor_changes_what_does(coalition: Coalition) -> None:
    sizes: list[list[int]] = []
    for n, hidden in enumerate(("CANARY", "CANARY" * 900)):
        before = len(coalition.wire)
        coalition.put("aus", f"doc-{n}", {"title": ("a plan", BOTH), "annex": (hidden, HUSH)})
        coalition.put("aus", f"own-{n}", {"title": ("CANARY", to())}, project=PROJECT)
        coalition.settle("aus", *(name for name in NATIONS if name != "aus"))
        sent = [s for s in coalition.wire[before:] if (s.origin, s.audience, s.operation) == ("aus", "usa", "deliver")]
        sizes.append([len(s.body) for s in sent])
    assert sizes[0] == sizes[1]
    assert len(sizes[0]) == 1
    assert b"CANARY" in coalition.seen_by("gbr")
    for trace in (b"CANARY", b"annex", b"own-0", b"own-1"):
        assert trace not in coalition.seen_by("usa")
    assert coalition.held("usa", "doc-0") == ["title"]


def test_what_goes_to_one_partner_takes_no_number_from_another(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    coalition.settle()
    before = coalition["usa"].inbound.cursor("aus")
    calls = len([s for s in coalition.wire if s.audience == "usa"])
    for n in range(5):
        coalition.put("aus", f"hush-{n}", {"title": ("CANARY", HUSH)})
    coalition.settle()
    assert len([s for s in coalition.wire if s.audience == "usa" and s.origin == "aus"]) <= calls
    put(coalition, "doc-2")
    coalition.settle()
    assert coalition["usa"].inbound.cursor("aus").seq == before.seq + 1
