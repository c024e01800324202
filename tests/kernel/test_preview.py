"""Preview: what a draft would newly release, before anyone signs."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from scene import ARRANGEMENT, AT, EPOCH, LICENCE, SECRET, Held
from worlds import day, policies

from aldis.kernel.epoch import PartnerStatus, PolicyEpoch
from aldis.kernel.errors import InvalidInput
from aldis.kernel.instruments import Entry, Instrument, Instruments, parse_instrument
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
    seen = preview([DRAFT], BARE, ROWS, AT)
    assert (seen.instruments, seen.seen, seen.at) == (("northern-watch",), 4, AT)
    gains = {gain.node: gain for gain in seen.gains}
    assert set(gains) == {"gbr-low", "usa-low"}
    assert gains["gbr-low"].records == gains["usa-low"].records == ("track-1", "track-2")
    assert gains["gbr-low"].portions == {"identity": 1, "position": 2}
    assert gains["gbr-low"].control == {}
    assert gains["usa-low"].portions == {"identity": 1, "position": 2, "sensor": 1}
    assert gains["usa-low"].control == {"DSGL:6A001": 1}
    assert (gains["usa-low"].kinds, gains["usa-low"].classes) == ({"track": 2}, {("AUS", "SECRET"): 2})
    assert (gains["usa-low"].controlled, gains["gbr-low"].controlled) == (("track-2",), ())


def test_what_flows_already_is_not_new() -> None:
    assert preview([DRAFT], EPOCH, ROWS, AT).gains == ()


def test_a_licence_shows_only_what_it_adds() -> None:
    licence = parse_instrument(LICENCE.replace('"tdp-usa"', '"tdp-gbr"').replace('"USA"', '"GBR"'))
    seen = preview([licence], EPOCH, ROWS, AT)
    assert [(gain.node, gain.records, dict(gain.portions), dict(gain.control)) for gain in seen.gains] == [
        ("gbr-low", ("track-2",), {"sensor": 1}, {"DSGL:6A001": 1})
    ]


def test_an_amendment_shows_what_would_stop() -> None:
    narrower = parse_instrument(ARRANGEMENT.replace('["track", "document"]', '["document"]', 1))
    seen = preview([narrower], EPOCH, ROWS, AT)
    assert seen.narrowed == ("track-1", "track-2")
    assert [(loss.node, loss.records, loss.kinds) for loss in seen.losses] == [
        (node, ("track-1", "track-2"), {"track": 2}) for node in ("gbr-low", "usa-low")
    ]


def test_a_clause_with_review_shows_what_would_wait_for_a_person() -> None:
    reviewed = parse_instrument(ARRANGEMENT.replace('onward = ["USA"]', "review = true", 1))
    gains = preview([reviewed], BARE, ROWS, AT).gains
    assert [(gain.node, gain.records, gain.referred) for gain in gains] == [
        ("gbr-low", (), ("track-1", "track-2")),
        ("usa-low", (), ("track-1", "track-2")),
    ]


def test_a_draft_that_begins_later_is_seen_from_its_first_day() -> None:
    later = parse_instrument(ARRANGEMENT.replace("2026-01-01", "2027-01-01"))
    seen = preview([later], BARE, ROWS, AT)
    assert seen.at == day("2027-01-01")
    assert {gain.node for gain in seen.gains} == {"gbr-low", "usa-low"}


def test_a_suspended_partner_gains_nothing() -> None:
    off = tuple(replace(p, status=PartnerStatus.SUSPENDED) for p in BARE.partners)
    assert preview([DRAFT], replace(BARE, partners=off), ROWS, AT).gains == ()


AGREEMENT = """
instrument = "agreement"
id = "maritime"
title = "Maritime information agreement"
parties = ["AUS", "GBR", "USA"]
from = 2026-08-01
until = 2040-12-31

[[clause]]
id = "1"
kinds = ["notice-to-mariners"]
projects = ["*"]
purposes = ["navigation"]
ceiling = { AUS = "OFFICIAL" }
"""
PARENT = parse_instrument(AGREEMENT, policies())
CHILD = parse_instrument(ARRANGEMENT.replace("until =", 'under = "maritime"\nuntil =', 1), policies())
WITH_LICENCE = parse_instrument(LICENCE, policies())


def test_drafts_that_rest_on_each_other_show_together_what_each_alone_would_not_release() -> None:
    bare = replace(BARE, instruments=Instruments())
    for alone in (PARENT, CHILD, WITH_LICENCE):
        assert preview([alone], bare, ROWS, AT).gains == ()
    assert preview([CHILD], bare, ROWS, AT).lacking == ("maritime",)
    for drafts in permutations((PARENT, CHILD, WITH_LICENCE)):
        seen = preview(drafts, bare, ROWS, AT)
        assert seen.instruments == tuple(draft.id for draft in drafts)
        assert (seen.lacking, seen.narrowed, seen.at) == ((), (), day("2026-08-01"))
        gains = {gain.node: gain for gain in seen.gains}
        assert gains["gbr-low"].portions == {"identity": 1, "position": 2}
        assert gains["usa-low"].portions == {"identity": 1, "position": 2, "sensor": 1}
        assert gains["usa-low"].control == {"DSGL:6A001": 1}


def test_what_a_draft_stands_under_may_be_in_force_already() -> None:
    seen = preview([CHILD], _adopted(BARE, PARENT), ROWS, day("2026-08-01"))
    assert seen.lacking == ()
    assert {gain.node for gain in seen.gains} == {"gbr-low", "usa-low"}


def test_several_drafts_show_what_signing_all_of_them_releases_and_takes_back() -> None:
    narrower = parse_instrument(ARRANGEMENT.replace('["track", "document"]', '["document"]', 1))
    other = parse_instrument(ARRANGEMENT.replace("northern-watch", "other", 1).replace("NORTHERN-WATCH", "ELSEWHERE"))
    seen = preview([narrower, other], EPOCH, ROWS, AT)
    assert seen.narrowed == ("track-1", "track-2")
    assert [gain.records for gain in seen.gains] == [("other-project",)] * 2
    instead = parse_instrument(ARRANGEMENT.replace('"northern-watch"', '"instead"', 1))
    assert preview([narrower, instead], EPOCH, ROWS, AT).narrowed == ()


def test_two_drafts_of_one_instrument_cannot_both_be_signed() -> None:
    with pytest.raises(InvalidInput, match="two drafts of one instrument"):
        preview([DRAFT, CHILD], BARE, ROWS, AT)


def _adopted(epoch: PolicyEpoch, draft: Instrument) -> PolicyEpoch:
    entry = Entry(draft, b"p" * 32, 1, draft.parties)
    return replace(epoch, instruments=epoch.instruments.with_entry(entry))


def test_no_draft_previews_nothing() -> None:
    with pytest.raises(InvalidInput, match="no draft"):
        preview([], EPOCH, ROWS, AT)


def test_a_preview_agrees_with_release_before_and_after_signing() -> None:
    seen = preview([DRAFT], BARE, ROWS, AT)
    for gain in seen.gains:
        for view in ROWS:
            before, after = _portions(view, gain.node, BARE), _portions(view, gain.node, EPOCH)
            assert (view.id in gain.records) == (after is not None and (before is None or after != before))


def _portions(view: Held, node: str, epoch: PolicyEpoch) -> tuple[bytes, ...] | None:
    found = release(view, node, None, epoch, AT)
    return found.portions if isinstance(found, Permit) else None
