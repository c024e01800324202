"""Ids that several nodes use: a partner's record never hides, blocks or betrays one of ours."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from nations import Coalition, to

from aldis.interfaces.cli.main import cli
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


def test_the_operator_says_whose_is_meant(coalition: Coalition) -> None:
    for node, policy, rung in (("gbr", "UK", "OFFICIAL"), ("usa", "US", "UNCLASSIFIED")):
        label = Label(policy, rung, Releasability.to("AUS"))
        coalition.put(node, "doc-9", {"title": (f"of {node}", label)})
    coalition.settle()

    def typed(*words: str) -> tuple[int, str]:
        result = CliRunner(env={"ALDIS_HOME": str(coalition.folder / "aus")}).invoke(cli, words)
        return result.exit_code, result.output

    for words in (("get", "doc-9"), ("why", "doc-9", "gbr"), ("offer", "doc-9", "gbr")):
        code, said = typed(*words)
        assert code == 2
        assert "gbr and usa each have a record" in said
        assert "--originator" in said
        assert "no record 'doc-9'" in typed(*words, "--originator", "aus")[1]
    for node in ("gbr", "usa"):
        code, said = typed("get", "doc-9", "--originator", node)
        assert (code, f"of {node}" in said) == (0, True)
    assert "gets back what is its own" in typed("why", "doc-9", "gbr", "--originator", "gbr")[1]
    assert "gbr gets nothing of it" in typed("why", "doc-9", "gbr", "--originator", "usa")[1]
