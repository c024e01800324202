"""Ids that several nodes use: a partner's record never hides, blocks or betrays one of ours."""

from __future__ import annotations

import pytest
from nations import Coalition, to

from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label, Releasability


@pytest.fixture
def rivals(coalition: Coalition) -> Coalition:
    """AUS, GBR and USA each have a document doc-1; AUS's is for GBR alone."""
    coalition.put("aus", "doc-1", {"title": ("ours", to("GBR"))})
    british = Label("UK", "OFFICIAL", Releasability.to("AUS"))
    american = Label("US", "UNCLASSIFIED", Releasability.to("AUS"))
    coalition.put("gbr", "doc-1", {"title": ("theirs", british)})
    coalition.put("usa", "doc-1", {"title": ("another's", american)})
    coalition.settle()
    return coalition


def test_all_are_held_and_the_own_one_is_meant(rivals: Coalition) -> None:
    held = rivals["aus"].core.store.records.versions("doc-1")
    assert sorted(row.originator for row in held) == ["aus", "gbr", "usa"]
    assert rivals["aus"].records.get("doc-1").originator == "aus"
    assert not rivals["aus"].core.store.quarantine.all()


def test_a_partners_id_keeps_nobody_from_holding_or_explaining_our_record(rivals: Coalition) -> None:
    desk = rivals["aus"].desk
    assert desk.why("doc-1", "gbr") is not None
    desk.hold("doc-1", "it must not leave")
    assert "doc-1" in rivals["aus"].core.store.referrals.holds()
    desk.lift("doc-1", "it may leave")


def test_a_viewer_learns_nothing_of_who_else_uses_an_id(rivals: Coalition) -> None:
    aus = rivals["aus"].records
    assert aus.get("doc-1", viewer="gbr").originator == "aus"
    rivals["aus"].records.delete("doc-1", "officer")
    for viewer in ("gbr", "usa"):
        with pytest.raises(UnknownTerm) as refused:
            aus.get("doc-1", version=7, viewer=viewer)
        with pytest.raises(UnknownTerm) as unknown:
            aus.get("doc-2", version=7, viewer=viewer)
        assert str(refused.value).replace("doc-1", "doc-2") == str(unknown.value)


def test_two_partners_with_one_id_are_told_apart_for_the_operator_alone(coalition: Coalition) -> None:
    for node, policy, rung in (("gbr", "UK", "OFFICIAL"), ("usa", "US", "UNCLASSIFIED")):
        coalition.put(node, "doc-9", {"title": ("x", Label(policy, rung, Releasability.to("AUS")))})
    coalition.settle()
    with pytest.raises(InvalidInput, match="gbr and usa each have a record 'doc-9'"):
        coalition["aus"].records.get("doc-9")
    for viewer in ("gbr", "usa"):
        with pytest.raises(UnknownTerm):
            coalition["aus"].records.get("doc-9", viewer=viewer)
