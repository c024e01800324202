"""Instruments among nodes: in force only when every party has signed the very text, and only while they stand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from nations import ARRANGEMENT, PROJECT, Coalition, to

from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.instruments import Effect, State
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion, Record
from aldis.node.instruments import INSTRUMENT, cosignature_draft, instrument_draft
from aldis.testing.clock import START

DAY = 86_400_000
NAME = "pa-northern-watch"
SEA_TRIAL = ARRANGEMENT.replace(NAME, "pa-sea-trial").replace(PROJECT, "SEA-TRIAL").replace('onward = ["USA"]\n', "")
TWO = SEA_TRIAL.replace('parties = ["AUS", "GBR", "USA"]', 'parties = ["AUS", "GBR"]')


def put(coalition: Coalition, name: str, project: str = "SEA-TRIAL", node: str = "aus") -> None:
    label = to("AUS", "GBR", "USA")
    coalition.put(node, name, {"title": ("a plan", label)}, project=project)
    coalition.settle()


def state(coalition: Coalition, node: str, name: str = "pa-sea-trial") -> State:
    return coalition[node].register.status(name).state


def draft(coalition: Coalition, text: str, node: str = "aus") -> Record:
    record = coalition[node].register.draft(text, "officer")
    coalition.settle()
    return record


def sign(coalition: Coalition, *nodes: str, name: str = "pa-sea-trial") -> None:
    for node in nodes:
        coalition[node].register.sign(name, "officer")
    coalition.settle()


def by_hand(coalition: Coalition, node: str, text: str, **fields: Any) -> Record:
    """An instrument record that a node's own checks would not let it put."""
    core = coalition[node].core
    label = Label(core.config.policy, "OFFICIAL" if core.config.policy != "US" else "UNCLASSIFIED",
                  Releasability.to("AUS", "GBR", "USA"))  # fmt: skip
    made = instrument_draft(text, policies=core.policies, label=label, node=node, author="o", at=core.clock.now())
    record = coalition[node].records.put(msgspec.structs.replace(made, **fields))
    coalition.settle()
    return record


def test_nothing_flows_until_the_last_party_has_signed(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    draft(coalition, SEA_TRIAL)
    for signing in ((), ("aus",), ("gbr",)):
        sign(coalition, *signing)
        assert {state(coalition, node) for node in ("aus", "gbr", "usa")} == {State.UNSIGNED}
        assert coalition.held("gbr", "doc-1") is coalition.held("usa", "doc-1") is None
    sign(coalition, "usa")
    assert {state(coalition, node) for node in ("aus", "gbr", "usa")} == {State.IN_FORCE}
    assert coalition.held("gbr", "doc-1") == coalition.held("usa", "doc-1") == ["title"]


def test_signing_twice_signs_once(coalition: Coalition) -> None:
    draft(coalition, SEA_TRIAL)
    first = coalition["gbr"].register.sign("pa-sea-trial", "officer")
    coalition.clock.at += 1000
    assert coalition["gbr"].register.sign("pa-sea-trial", "officer") == first


def test_a_signature_by_a_stranger_for_another_party_or_another_text_counts_for_nothing(coalition: Coalition) -> None:
    record = draft(coalition, SEA_TRIAL)
    other = draft(coalition, SEA_TRIAL.replace("pa-sea-trial", "pa-other").replace("Northern", "Southern"))
    gbr, usa = coalition["gbr"].core, coalition["usa"].core
    honest: dict[str, Any] = {"node": "gbr", "author": "o", "at": coalition.clock.now()}
    for forged in (
        cosignature_draft(record, party="USA", signer=gbr.signer, **honest),
        cosignature_draft(record, party="GBR", signer=usa.signer, **honest),
        msgspec.structs.replace(
            cosignature_draft(other, party="GBR", signer=gbr.signer, **honest),
            portions=[_about(cosignature_draft(other, party="GBR", signer=gbr.signer, **honest), record)],
        ),
    ):
        coalition["gbr"].records.put(msgspec.structs.replace(forged, id=f"forged-{len(coalition.wire)}"))
        coalition.settle()
    sign(coalition, "aus", "usa")
    for node in ("aus", "gbr", "usa"):
        assert coalition[node].register.status("pa-sea-trial").missing == ("GBR",)
    put(coalition, "doc-1")
    assert coalition.held("gbr", "doc-1") is None


def _about(made: Draft, record: Record) -> DraftPortion:
    """A signature's portion that claims to be over another record."""
    value = {**made.portions[0].value, "digest": record.digest.hex(), "instrument": record.header.id}
    return msgspec.structs.replace(made.portions[0], value=value)


def test_a_draft_by_one_who_is_no_party_to_it_is_no_instrument(coalition: Coalition) -> None:
    with pytest.raises(RefusedByPolicy, match="USA is not a party"):
        coalition["usa"].register.draft(TWO, "officer")
    by_hand(coalition, "usa", TWO)
    assert coalition.held("aus", "pa-sea-trial") == ["text"]
    for node in ("aus", "gbr", "usa"):
        with pytest.raises(UnknownTerm, match="no instrument 'pa-sea-trial'"):
            coalition[node].register.status("pa-sea-trial")
        with pytest.raises(UnknownTerm):
            coalition[node].register.sign("pa-sea-trial", "officer")


def test_a_record_of_another_name_than_its_instrument_is_no_instrument(coalition: Coalition) -> None:
    by_hand(coalition, "gbr", SEA_TRIAL, id="pa-another")
    for name in ("pa-another", "pa-sea-trial"):
        with pytest.raises(UnknownTerm):
            coalition["aus"].register.status(name)


def test_an_instrument_whose_text_is_withheld_stops_nobody(coalition: Coalition) -> None:
    shown, hidden = (Label("UK", "OFFICIAL", Releasability.to(*to_)) for to_ in (("AUS", "USA"), ("USA",)))
    text = [DraftPortion("text", hidden, SEA_TRIAL)]
    made = Draft(INSTRUMENT, "pa-sea-trial", "gbr", "o", coalition.clock.now(), shown, text)
    coalition["gbr"].records.put(made)
    coalition.settle()
    assert coalition.held("aus", "pa-sea-trial") == []
    put(coalition, "doc-1", project=PROJECT)
    assert coalition.held("gbr", "doc-1") == ["title"]


def test_partners_cannot_put_their_own_in_the_place_of_an_arrangement(coalition: Coalition) -> None:
    theirs = ARRANGEMENT.replace('parties = ["AUS", ', "parties = [").replace("Northern Watch", "Without AUS")
    record = by_hand(coalition, "gbr", theirs, version=9, previous=bytes(32))
    for node in ("gbr", "usa"):
        core = coalition[node].core
        signed = cosignature_draft(
            record, party=core.party, node=node, author="o", signer=core.signer, at=core.clock.now()
        )
        coalition[node].records.put(signed)
    coalition.settle()
    assert coalition["aus"].register.status(NAME).version == 1
    assert "Without AUS" not in coalition["aus"].register.text(NAME)
    put(coalition, "doc-1", project=PROJECT)
    assert coalition.held("gbr", "doc-1") == ["title"]


def test_an_amendment_takes_over_when_all_have_signed_it_and_not_before(coalition: Coalition) -> None:
    narrower = ARRANGEMENT.replace('["document", "track"]', '["track"]')
    coalition["aus"].register.amend(narrower, "officer")
    coalition.settle()
    sign(coalition, "aus", "gbr", name=NAME)
    assert coalition["gbr"].register.status(NAME).text.endswith("version 2 waits for USA to sign")
    put(coalition, "doc-1", PROJECT)
    assert coalition.held("gbr", "doc-1") == ["title"]
    sign(coalition, "usa", name=NAME)
    assert coalition["gbr"].register.status(NAME).version == 2
    put(coalition, "doc-2", PROJECT)
    assert coalition.held("gbr", "doc-2") is None


def test_only_its_drafter_amends_an_instrument(coalition: Coalition) -> None:
    with pytest.raises(InvalidInput, match="cannot write the next version"):
        coalition["gbr"].register.amend(ARRANGEMENT.replace("Northern Watch", "Mine"), "officer")
    with pytest.raises(InvalidInput, match="already"):
        coalition["gbr"].register.draft(ARRANGEMENT, "officer")


def test_an_instrument_holds_on_its_days_only(coalition: Coalition) -> None:
    dated = TWO.replace("from = 2026-01-01", "from = 2026-10-01").replace("until = 2028-12-31", "until = 2026-10-02")
    draft(coalition, dated)
    sign(coalition, "aus", "gbr")
    begin = START - START % DAY + 10 * DAY  # 1 October 2026
    for at, stands, held in (
        (begin - 60_000, State.NOT_YET, None),
        (begin, State.IN_FORCE, ["title"]),
        (begin + 2 * DAY - 60_000, State.IN_FORCE, ["title"]),
        (begin + 2 * DAY, State.EXPIRED, None),
    ):
        coalition.clock.at = at
        put(coalition, f"doc-{at}")
        assert state(coalition, "gbr") is stands
        assert coalition.held("gbr", f"doc-{at}") == held


def test_what_waited_for_the_first_day_goes_on_the_first_day(coalition: Coalition) -> None:
    draft(coalition, TWO.replace("from = 2026-01-01", "from = 2026-10-01"))
    sign(coalition, "aus", "gbr")
    put(coalition, "doc-1")
    assert coalition.held("gbr", "doc-1") is None
    coalition.clock.at += 11 * DAY
    coalition.settle()
    assert coalition.held("gbr", "doc-1") == ["title"]


@pytest.mark.parametrize("who", ["aus", "gbr", "usa"])
def test_any_party_ends_an_instrument_for_all(coalition: Coalition, who: str) -> None:
    on = coalition.clock.now() + 60_000
    coalition[who].register.end(NAME, Effect.TERMINATE, on, "officer")
    coalition.settle()
    put(coalition, "doc-1", PROJECT)
    assert coalition.held("gbr", "doc-1") == ["title"]
    coalition.clock.at = on
    put(coalition, "doc-2", PROJECT)
    assert coalition.held("gbr", "doc-2") is coalition.held("usa", "doc-2") is None
    assert {state(coalition, node, NAME) for node in ("aus", "gbr", "usa")} == {State.TERMINATED}
    assert coalition.held("gbr", "doc-1") == ["title"]


def test_one_leaves_the_rest_go_on_and_it_may_join_again(coalition: Coalition) -> None:
    coalition["usa"].register.end(NAME, Effect.LEAVE, coalition.clock.now(), "officer")
    coalition.settle()
    put(coalition, "doc-1", PROJECT)
    assert coalition.held("gbr", "doc-1") == ["title"]
    assert coalition.held("usa", "doc-1") is None
    put(coalition, "doc-2", PROJECT, node="usa")
    assert coalition.held("aus", "doc-2") is None
    coalition["aus"].register.amend(ARRANGEMENT.replace("Northern Watch", "Northern Watch again"), "officer")
    coalition.settle()
    sign(coalition, "aus", "gbr", name=NAME)
    assert coalition.held("usa", "doc-1") is None
    sign(coalition, "usa", name=NAME)
    assert coalition.held("usa", "doc-1") == coalition.held("gbr", "doc-1") == ["title"]


def test_an_instrument_among_two_is_not_even_heard_of_by_the_third(coalition: Coalition) -> None:
    canary = TWO.replace("Northern Watch", "CANARY-7f3a")
    draft(coalition, canary)
    sign(coalition, "aus", "gbr")
    put(coalition, "doc-1")
    assert coalition.held("gbr", "doc-1") == ["title"]
    for trace in (b"CANARY-7f3a", b"pa-sea-trial", b"SEA-TRIAL"):
        assert trace in coalition.seen_by("gbr")
        assert trace not in coalition.seen_by("usa")
    assert coalition.held("usa", "doc-1") is coalition.held("usa", "pa-sea-trial") is None


def test_a_notice_in_another_partys_name_counts_for_nothing(coalition: Coalition) -> None:
    held = coalition["gbr"].core.store.records.get(NAME)
    assert held is not None
    value = {"instrument": NAME, "party": "AUS", "effect": "terminate", "on": 0, "version": 1}
    label = Label("UK", "OFFICIAL", Releasability.to("AUS", "USA"))
    made = Draft("notice", "notice-forged", "gbr", "o", coalition.clock.now(), label,
                 [DraftPortion("notice", label, value)])  # fmt: skip
    coalition["gbr"].records.put(made)
    coalition.settle()
    assert coalition.held("aus", "notice-forged") == ["notice"]
    assert {state(coalition, node, NAME) for node in ("aus", "gbr", "usa")} == {State.IN_FORCE}


def test_nothing_new_goes_to_a_departed_partner_and_instruments_stand(coalition: Coalition) -> None:
    put(coalition, "doc-1", PROJECT)
    coalition["aus"].partners.set_status("usa", PartnerStatus.DEPARTED, "it left the programme")
    put(coalition, "doc-2", PROJECT)
    assert coalition.held("usa", "doc-1") == ["title"]
    assert coalition.held("usa", "doc-2") is None
    assert coalition.held("gbr", "doc-2") == ["title"]
    assert state(coalition, "aus", NAME) is State.IN_FORCE
