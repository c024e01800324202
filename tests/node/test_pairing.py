"""Pairing by file: two people compare a fingerprint, and nothing less or else makes a partner."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nations import ARRANGEMENT, NATIONS, Coalition, to

from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import (
    AldisError,
    InvalidInput,
    NotAuthentic,
    RefusedByPolicy,
    Stale,
    UnknownTerm,
    VerificationFailed,
)
from aldis.kernel.labels import Label
from aldis.kernel.messages import read_unverified
from aldis.kernel.records import Draft, DraftPortion, Record, make_record
from aldis.node.instruments import INSTRUMENT, cosignature_draft, instrument_draft, pairing_text
from aldis.node.node import Node
from aldis.node.pairing import LIFETIME, Invitation, Sheet, fingerprint, seal_invitation
from aldis.node.partners import Known

Change = Callable[[Invitation], Invitation]


def yes(_sheet: Sheet, _digits: str) -> bool:
    return True


def invitation(strangers: Coalition) -> bytes:
    return strangers["gbr"].partners.invite("AUS")


def altered(maker: Node, data: bytes, change: Change) -> bytes:
    """The file as its maker would have signed it after a change."""
    return seal_invitation(change(read_unverified(data, Invitation)), maker.core.signer)


def proposing(maker: Node, text: str, other: str = "AUS", kind: str = INSTRUMENT, label: Label | None = None) -> bytes:
    """An invitation whose maker wrote and signed an agreement of its own."""
    core = maker.core
    own = label or to(other, core.party, policy=core.config.policy)
    draft = instrument_draft(text, policies=core.policies, label=own, node=core.node, author="o", at=core.clock.now())
    agreement = make_record(msgspec.structs.replace(draft, kind=kind), core.random)
    return _signed_for(maker, agreement)


def _signed_for(maker: Node, agreement: Record, signed: Draft | None = None) -> bytes:
    core = maker.core
    signature = make_record(signed or signing(maker, agreement), core.random)
    made = Invitation(
        sheet=maker.partners.sheet(), header=agreement.data.decode(), text=agreement.portions[0].data.decode(),
        cosignature=[signature.data.decode(), signature.portions[0].data.decode()], created=core.clock.now(),
    )  # fmt: skip
    return seal_invitation(made, core.signer)


def signing(maker: Node, agreement: Record, **changes: Any) -> Draft:
    """The signature of a node under an agreement, or another one."""
    core = maker.core
    given = {"party": core.party, "node": core.node, "signer": core.signer, "author": "o", "at": core.clock.now()}
    return cosignature_draft(agreement, **{**given, **changes})


def untouched(node: Node) -> bool:
    """Whether a node knows no partner and holds no record."""
    return not node.partners.all() and node.records.count() == 0


def test_both_sides_pin_what_they_compared(strangers: Coalition) -> None:
    shown: list[tuple[str, str]] = []

    def look(sheet: Sheet, digits: str) -> bool:
        shown.append((sheet.node, digits))
        return True

    data = strangers["aus"].partners.invite("GBR")
    known, reply = strangers["gbr"].partners.join(data, look)
    assert reply is not None
    other, none = strangers["aus"].partners.join(reply, look)
    assert none is None
    assert shown == [("aus", fingerprint(data)), ("gbr", fingerprint(reply))]
    for node, partner in (("gbr", known), ("aus", other)):
        assert partner.sheet == strangers[partner.node].partners.sheet()
        assert [s.state.value for s in strangers[node].register.all()] == ["in force"]
    strangers.settle()


def test_a_fingerprint_is_thirty_digits_of_the_whole_file(strangers: Coalition) -> None:
    data = invitation(strangers)
    digits = fingerprint(data)
    assert [len(group) for group in digits.split(" ")] == [5] * 6
    assert digits.replace(" ", "").isdigit()
    assert fingerprint(data[:-1]) != digits


def test_fingerprints_that_do_not_match_change_nothing(strangers: Coalition) -> None:
    with pytest.raises(NotAuthentic, match="do not match"):
        strangers["aus"].partners.join(invitation(strangers), lambda _sheet, _digits: False)
    assert untouched(strangers["aus"])


def test_an_invitation_lives_for_a_week(strangers: Coalition) -> None:
    data = invitation(strangers)
    for at, late in ((LIFETIME + 1, True), (-600_001, True), (LIFETIME, False)):
        strangers.clock.at += at
        if late:
            with pytest.raises(Stale, match="older than a week, or from the future"):
                strangers["aus"].partners.join(data, yes)
        else:
            strangers["aus"].partners.join(data, yes)
        strangers.clock.at -= at


def test_a_nodes_own_invitation_is_refused(strangers: Coalition) -> None:
    for party in ("GBR", "NZL", "AUS"):
        data = strangers["aus"].partners.invite(party)
        with pytest.raises(RefusedByPolicy, match="node of the same name"):
            strangers["aus"].partners.join(data, yes)


def test_an_invitation_for_another_party_is_refused(strangers: Coalition) -> None:
    data = strangers["gbr"].partners.invite("USA")
    with pytest.raises(RefusedByPolicy, match="is for GBR, USA"):
        strangers["aus"].partners.join(data, yes)


def test_every_flipped_byte_of_an_invitation_is_refused_or_shows_in_the_fingerprint(strangers: Coalition) -> None:
    data = invitation(strangers)
    for place in range(0, len(data), 3):
        wrong = bytearray(data)
        wrong[place] ^= 1
        assert fingerprint(bytes(wrong)) != fingerprint(data)
        with pytest.raises(AldisError):
            strangers["aus"].partners.join(bytes(wrong), yes)
    for size in range(0, len(data), 50):
        with pytest.raises(InvalidInput):
            strangers["aus"].partners.join(data[:size], yes)
    assert untouched(strangers["aus"])


SWAPS: dict[str, Change] = {
    "no key": lambda i: msgspec.structs.replace(i, sheet=msgspec.structs.replace(i.sheet, key="AAAA")),
    "another algorithm": lambda i: msgspec.structs.replace(i, sheet=msgspec.structs.replace(i.sheet, algorithm="rsa")),
    "no ledger key": lambda i: msgspec.structs.replace(i, sheet=msgspec.structs.replace(i.sheet, ledger_key="AAAA")),
    "no certificate": lambda i: msgspec.structs.replace(i, sheet=msgspec.structs.replace(i.sheet, certificate="x")),
    "another party": lambda i: msgspec.structs.replace(i, sheet=msgspec.structs.replace(i.sheet, party="USA")),
    "another node": lambda i: msgspec.structs.replace(i, sheet=msgspec.structs.replace(i.sheet, node="usa")),
    "a path for a name": lambda i: msgspec.structs.replace(i, sheet=msgspec.structs.replace(i.sheet, node="../x")),
    "no agreement": lambda i: msgspec.structs.replace(i, header="{}"),
    "another text": lambda i: msgspec.structs.replace(i, text=i.text.replace("instrument", "document")),
    "no signature": lambda i: msgspec.structs.replace(i, cosignature=[i.header, i.text]),
    "one half of a signature": lambda i: msgspec.structs.replace(i, cosignature=[i.cosignature[0]]),
    "an answer to nothing": lambda i: msgspec.structs.replace(i, answers="0" * 64),
}


@pytest.mark.parametrize("name", list(SWAPS))
def test_a_file_that_its_maker_changed_is_refused(strangers: Coalition, name: str) -> None:
    wrong = altered(strangers["gbr"], invitation(strangers), SWAPS[name])
    with pytest.raises(AldisError) as refused:
        strangers["aus"].partners.join(wrong, yes)
    assert str(refused.value)
    assert untouched(strangers["aus"])


def test_joining_signs_nothing_but_a_pairing(strangers: Coalition) -> None:
    gbr, now = strangers["gbr"], strangers.clock.now()
    broad = (
        ARRANGEMENT.replace(', "USA"]', "]").replace('onward = ["USA"]\n', "").replace("arrangement", "agreement", 1)
    )
    named = broad.replace("pa-northern-watch", "pairing-northern-watch")
    wide = pairing_text("pairing-gbr-1", ("AUS", "GBR"), at=now, ceilings={"UK": "OFFICIAL"})
    for text in (
        broad,
        named,
        wide.replace('"instrument", ', '"instrument", "document", '),
        wide.replace('kinds = ["instrument"', 'kinds = ["*"'),
        wide.replace("pairing-gbr-1", "pa-northern-watch"),
        wide + named[named.index("[[clause]]") :],
    ):
        with pytest.raises(RefusedByPolicy, match="more than pairing"):
            strangers["aus"].partners.join(proposing(gbr, text), yes)
    assert untouched(strangers["aus"])
    strangers["aus"].partners.join(proposing(gbr, wide), yes)


def test_the_maker_has_signed_the_very_agreement_with_its_key_for_its_party(strangers: Coalition) -> None:
    gbr, at = strangers["gbr"], strangers.clock.now()
    text = pairing_text("pairing-gbr-1", ("AUS", "GBR"), at=at, ceilings={"UK": "OFFICIAL"})
    label = to("AUS", "GBR", policy="UK")
    draft = instrument_draft(text, policies=gbr.core.policies, label=label, node="gbr", author="o", at=at)
    agreement, other = (make_record(draft, gbr.core.random) for _ in range(2))
    wider = to("AUS", "GBR", "USA", policy="UK")
    honest = signing(gbr, agreement)
    for wrong in (
        signing(gbr, other),
        signing(gbr, agreement, party="USA"),
        signing(gbr, agreement, node="usa"),
        signing(gbr, agreement, signer=strangers["aus"].core.signer),
        msgspec.structs.replace(honest, label=wider),
    ):
        with pytest.raises(NotAuthentic):
            strangers["aus"].partners.join(_signed_for(gbr, agreement, wrong), yes)
    shapeless = msgspec.structs.replace(honest, portions=[DraftPortion("signature", label, ["no", "object"])])
    with pytest.raises(InvalidInput, match="signature"):
        strangers["aus"].partners.join(_signed_for(gbr, agreement, shapeless), yes)
    foreign = make_record(msgspec.structs.replace(draft, originator="usa"), gbr.core.random)
    with pytest.raises(NotAuthentic, match="gbr did not draft"):
        strangers["aus"].partners.join(_signed_for(gbr, foreign), yes)
    renamed = make_record(msgspec.structs.replace(draft, id="pairing-gbr-2"), gbr.core.random)
    with pytest.raises(RefusedByPolicy, match="more than pairing"):
        strangers["aus"].partners.join(_signed_for(gbr, renamed), yes)
    assert untouched(strangers["aus"])
    strangers["aus"].partners.join(_signed_for(gbr, agreement, honest), yes)


def test_what_comes_with_an_invitation_is_an_instrument_under_a_known_label(strangers: Coalition) -> None:
    gbr = strangers["gbr"]
    text = pairing_text("pairing-gbr-1", ("AUS", "GBR"), at=strangers.clock.now(), ceilings={"UK": "OFFICIAL"})
    with pytest.raises(InvalidInput, match="in the place of its instrument"):
        strangers["aus"].partners.join(proposing(gbr, text, kind="document"), yes)
    with pytest.raises(UnknownTerm):
        strangers["aus"].partners.join(proposing(gbr, text, label=to("AUS", policy="XXX")), yes)
    odd = gbr.core.random
    body = DraftPortion("text", to("AUS"), ["not", "a", "text"])
    draft = instrument_draft(text, policies=gbr.core.policies, label=to("AUS"), node="gbr", author="o", at=1)
    shapeless = make_record(msgspec.structs.replace(draft, portions=[body]), odd)
    with pytest.raises(InvalidInput):
        strangers["aus"].partners.join(_signed_for(gbr, shapeless), yes)
    assert untouched(strangers["aus"])


def replied(strangers: Coalition) -> tuple[bytes, bytes]:
    """AUS's invitation and GBR's reply to it."""
    data = strangers["aus"].partners.invite("GBR")
    _, reply = strangers["gbr"].partners.join(data, yes)
    assert reply is not None
    return data, reply


def test_a_reply_to_another_invitation_than_the_last_is_refused(strangers: Coalition) -> None:
    _, reply = replied(strangers)
    strangers["aus"].partners.invite("GBR")
    with pytest.raises(VerificationFailed, match="did not make, not last"):
        strangers["aus"].partners.join(reply, yes)
    assert untouched(strangers["aus"])


def test_a_reply_that_signs_another_agreement_is_refused(strangers: Coalition) -> None:
    first, second = (strangers["aus"].partners.invite("GBR") for _ in range(2))
    strangers["aus"].core.store.meta.set("invitation to GBR", first)
    _, reply = strangers["gbr"].partners.join(second, yes)
    assert reply is not None

    def to_the_first(made: Invitation) -> Invitation:
        return msgspec.structs.replace(made, answers=sha256(first).hex())

    with pytest.raises(VerificationFailed, match="signed another agreement"):
        strangers["aus"].partners.join(altered(strangers["gbr"], reply, to_the_first), yes)
    assert untouched(strangers["aus"])


def test_a_reply_is_taken_once(strangers: Coalition) -> None:
    _, reply = replied(strangers)
    aus = strangers["aus"].partners
    aus.join(reply, yes)
    aus.set_status("gbr", PartnerStatus.SUSPENDED, "a reason")
    with pytest.raises(VerificationFailed, match="was answered"):
        aus.join(reply, yes)
    assert aus.get("gbr").status is PartnerStatus.SUSPENDED


def test_a_lost_reply_is_made_again(strangers: Coalition) -> None:
    data, _ = replied(strangers)
    strangers.clock.at += 60_000
    _, again = strangers["gbr"].partners.join(data, yes)
    assert again is not None
    strangers["aus"].partners.join(again, yes)
    strangers.settle()


def test_a_partner_that_pairs_again_stays_suspended_and_distrusted(strangers: Coalition) -> None:
    strangers.pair("aus", "gbr")
    aus = strangers["aus"].partners
    aus.set_status("gbr", PartnerStatus.SUSPENDED, "a reason")
    aus.distrust("gbr", 3, "its key was lost")
    strangers.pair("aus", "gbr")
    again = aus.get("gbr")
    assert (again.status, again.distrust_after) == (PartnerStatus.SUSPENDED, 3)


def elsewhere(strangers: Coalition, tmp_path: Path, **settings: Any) -> Known:
    """What AUS makes of another node named gbr."""
    others = Coalition(tmp_path / "others")
    others.clock = strangers.clock
    data = others.add("gbr", **settings).partners.invite("AUS")
    others.close()
    return strangers["aus"].partners.join(data, yes)[0]


def test_a_name_that_a_node_of_another_party_has_is_refused(strangers: Coalition, tmp_path: Path) -> None:
    strangers.pair("aus", "gbr")
    with pytest.raises(RefusedByPolicy, match="'gbr' is a node of GBR here, and this one is of USA"):
        elsewhere(strangers, tmp_path, party="USA", policy="US")
    assert strangers["aus"].partners.get("gbr").party == "GBR"


def test_another_nodes_certificate_or_key_is_refused(coalition: Coalition, tmp_path: Path) -> None:
    """Who shows a partner's certificate as its own would be taken for that partner on the wire."""
    others = Coalition(tmp_path / "others")
    others.clock = coalition.clock
    maker = others.add("nzl", party="NZL", policy="NZL", ceiling="SECRET")
    data = maker.partners.invite("AUS")
    for victim in ("gbr", "aus"):
        theirs = coalition[victim].partners.sheet()

        def borrow(made: Invitation, certificate: str = theirs.certificate) -> Invitation:
            return msgspec.structs.replace(made, sheet=msgspec.structs.replace(made.sheet, certificate=certificate))

        with pytest.raises(NotAuthentic, match=f"nzl shows the key or certificate of {victim}"):
            coalition["aus"].partners.join(altered(maker, data, borrow), yes)
    coalition["aus"].partners.join(data, yes)
    others.close()


def test_a_new_key_of_the_same_node_takes_the_old_ones_place(strangers: Coalition, tmp_path: Path) -> None:
    strangers.pair("aus", "gbr")
    strangers["aus"].partners.distrust("gbr", 3, "its key was lost")
    before = strangers["aus"].partners.get("gbr").sheet.key
    again = elsewhere(strangers, tmp_path)
    assert again.sheet.key != before
    assert again.distrust_after is None
    assert [known.node for known in strangers["aus"].partners.all()] == ["gbr"]


def test_a_party_with_two_nodes_is_named_by_node(strangers: Coalition) -> None:
    strangers.add("gbr-high", ceiling="SECRET")
    for name in ("gbr", "gbr-high"):
        strangers.pair("aus", name)
    aus = strangers["aus"].partners
    assert aus.get("gbr-high").node == "gbr-high"
    with pytest.raises(UnknownTerm, match="'GBR' has 2 nodes here"):
        aus.get("GBR")
    with pytest.raises(UnknownTerm, match="Name one of these nodes: gbr, gbr-high"):
        aus.get("usa")


def test_a_node_made_anew_pairs_signs_and_gets_all_again(coalition: Coalition) -> None:
    coalition.put("aus", "doc-1", {"title": ("a plan", to("GBR", "USA"))})
    coalition.settle()
    coalition.shut("gbr")
    shutil.rmtree(coalition.folder / "gbr")
    coalition.add("gbr")
    for other in ("aus", "usa"):
        coalition.pair(other, "gbr")
    for name in NATIONS:
        coalition[name].exchange.new_epoch("gbr was made anew")
    coalition.settle()
    coalition["gbr"].register.sign("pa-northern-watch", "officer")
    coalition.settle()
    assert coalition["aus"].register.status("pa-northern-watch").missing == ()
    assert coalition.held("gbr", "doc-1") == ["title"]
