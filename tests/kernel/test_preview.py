"""Preview: what a draft would newly release, before anyone signs."""

from __future__ import annotations

from dataclasses import replace

from scene import ARRANGEMENT, AT, EPOCH, LICENCE, SECRET, Held
from worlds import day, policies

from aldis.kernel.epoch import PartnerStatus, PolicyEpoch
from aldis.kernel.instruments import Instruments, parse_instrument
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.preview import preview
from aldis.kernel.release import Permit, release

TAGGED = replace(SECRET, control=frozenset({"DSGL:6A001"}))
ROWS = [
    Held(id="track-1", digest=b"1" * 32),
    Held(id="track-2", digest=b"2" * 32, parts=(("sensor", TAGGED), ("position", SECRET))),
    Held(id="held-back", digest=b"3" * 32, label=Label("AUS", "SECRET", Releasability.to("CAN"))),
    Held(id="other-project", digest=b"4" * 32, project="ELSEWHERE"),
]
DRAFT = parse_instrument(ARRANGEMENT, policies())
BARE = replace(EPOCH, instruments=Instruments(tuple(e for e in EPOCH.instruments if e.instrument.id != DRAFT.id)))


def test_a_draft_shows_what_each_partner_would_newly_get() -> None:
    seen = preview(DRAFT, BARE, ROWS, AT)
    assert (seen.instrument, seen.seen, seen.at) == ("northern-watch", 4, AT)
    gains = {gain.node: gain for gain in seen.gains}
    assert set(gains) == {"gbr-low", "usa-low"}
    assert gains["gbr-low"].records == gains["usa-low"].records == ("track-1", "track-2")
    assert gains["gbr-low"].portions == {"identity": 1, "position": 2}
    assert gains["gbr-low"].control == {}
    assert gains["usa-low"].portions == {"identity": 1, "position": 2, "sensor": 1}
    assert gains["usa-low"].control == {"DSGL:6A001": 1}


def test_what_flows_already_is_not_new() -> None:
    assert preview(DRAFT, EPOCH, ROWS, AT).gains == ()


def test_a_licence_shows_only_what_it_adds() -> None:
    licence = parse_instrument(LICENCE.replace('"tdp-usa"', '"tdp-gbr"').replace('"USA"', '"GBR"'))
    seen = preview(licence, EPOCH, ROWS, AT)
    assert [(gain.node, gain.records, dict(gain.portions), dict(gain.control)) for gain in seen.gains] == [
        ("gbr-low", ("track-2",), {"sensor": 1}, {"DSGL:6A001": 1})
    ]


def test_an_amendment_shows_what_would_stop() -> None:
    narrower = parse_instrument(ARRANGEMENT.replace('["track", "document"]', '["document"]', 1))
    assert preview(narrower, EPOCH, ROWS, AT).narrowed == ("track-1", "track-2")


def test_a_clause_with_review_shows_what_would_wait_for_a_person() -> None:
    reviewed = parse_instrument(ARRANGEMENT.replace('onward = ["USA"]', "review = true", 1))
    gains = preview(reviewed, BARE, ROWS, AT).gains
    assert [(gain.node, gain.records, gain.referred) for gain in gains] == [
        ("gbr-low", (), ("track-1", "track-2")),
        ("usa-low", (), ("track-1", "track-2")),
    ]


def test_a_draft_that_begins_later_is_seen_from_its_first_day() -> None:
    later = parse_instrument(ARRANGEMENT.replace("2026-01-01", "2027-01-01"))
    seen = preview(later, BARE, ROWS, AT)
    assert seen.at == day("2027-01-01")
    assert {gain.node for gain in seen.gains} == {"gbr-low", "usa-low"}


def test_a_suspended_partner_gains_nothing() -> None:
    off = tuple(replace(p, status=PartnerStatus.SUSPENDED) for p in BARE.partners)
    assert preview(DRAFT, replace(BARE, partners=off), ROWS, AT).gains == ()


def test_a_preview_agrees_with_release_before_and_after_signing() -> None:
    seen = preview(DRAFT, BARE, ROWS, AT)
    for gain in seen.gains:
        for view in ROWS:
            before, after = _portions(view, gain.node, BARE), _portions(view, gain.node, EPOCH)
            assert (view.id in gain.records) == (after is not None and (before is None or after != before))


def _portions(view: Held, node: str, epoch: PolicyEpoch) -> tuple[bytes, ...] | None:
    found = release(view, node, None, epoch, AT)
    return found.portions if isinstance(found, Permit) else None
