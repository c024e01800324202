"""Cosigning between partners: a ledger that went back is refused once, told of at both ends, and accepted by people."""

from __future__ import annotations

import apsw
import pytest
from click.testing import CliRunner
from nations import Coalition, to

from aldis.interfaces.cli.main import cli
from aldis.kernel.encoding import unb64
from aldis.kernel.errors import Forked
from aldis.kernel.ledger import decode_leaf, verify_checkpoint, verify_cosignature
from aldis.node.checks import Check, run_checks

ACCEPT = "`aldis partner accept-ledger aus --because TEXT` at gbr"
AUS = "aldis.invalid/aus"


def later(coalition: Coalition, *names: str) -> None:
    """A checkpoint's time later, twice: the first greeting hears what was cosigned, the second continues it."""
    for _ in range(2):
        coalition.clock.at += 61_000
        coalition.settle(*names)


def write(coalition: Coalition, node: str, *names: str) -> None:
    policy = {"aus": "AUS", "gbr": "UK"}[node]
    for name in names:
        coalition.put(node, name, {"title": ("a plan", to("AUS", "GBR", "USA", policy=policy))})


def greet(coalition: Coalition) -> None:
    """One greeting from AUS, refused by GBR as its courier would take it."""
    coalition.clock.at += 61_000
    with pytest.raises(Forked) as refused:
        coalition.step("aus", "gbr")
    coalition["aus"].exchange.failed("gbr", refused.value)


def counts(coalition: Coalition) -> dict[str, int]:
    """How many rows each table of GBR's store has."""
    connection = apsw.Connection(str(coalition["gbr"].core.home.store), flags=apsw.SQLITE_OPEN_READONLY)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {name: int(connection.execute(f"SELECT count(*) FROM {name}").get) for name in tables}
    connection.close()
    return found


def wrong(coalition: Coalition, node: str) -> dict[str, Check]:
    return {check.name: check for check in run_checks(coalition[node]) if check.ok is False}


def alarms(coalition: Coalition) -> list[str]:
    leaves = [decode_leaf(row.data) for row in coalition["gbr"].core.store.ledger.leaves(0, 10_000, type_="quarantine")]
    return [leaf.reasons[0] for leaf in leaves if leaf.verdict == "forked" and leaf.actor == "aus"]


def accept(coalition: Coalition, node: str, *more: str, code: int = 0) -> str:
    home = str(coalition.folder / node)
    done = CliRunner().invoke(cli, ["--home", home, "partner", "accept-ledger", "aus", *more])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def restored(coalition: Coalition) -> Coalition:
    """AUS was restored from a backup after its partners cosigned what came later, and knows no more than that."""
    write(coalition, "aus", "doc-1")
    later(coalition)
    coalition.back_up("aus")
    write(coalition, "aus", "doc-2")
    later(coalition)
    coalition.restore("aus")
    coalition["aus"].exchange.new_epoch("restored from a backup")
    coalition.step("aus", "gbr")
    return coalition


def test_a_ledger_that_went_back_adds_one_leaf_however_often_it_is_shown(restored: Coalition) -> None:
    greet(restored)
    before = counts(restored)
    for number in range(50):
        if number % 10 == 0:
            write(restored, "aus", f"own-{number}")
        greet(restored)
    assert counts(restored) == before
    [told] = alarms(restored)
    assert "does not continue the one cosigned at" in told


def test_both_doctors_name_the_command_and_where_to_run_it(restored: Coalition) -> None:
    assert "ledger of aus" not in wrong(restored, "gbr")
    greet(restored)
    at_gbr = wrong(restored, "gbr")["ledger of aus"]
    assert "does not continue the one cosigned at" in at_gbr.cause
    assert ACCEPT in at_gbr.fix
    at_aus = wrong(restored, "aus")["partner gbr"]
    assert "does not continue the one cosigned at" in at_aus.cause
    assert ACCEPT in at_aus.fix
    over_the_network = Forked(f"gbr answered greet with 422, Forked: {restored['aus'].exchange.state('gbr').problem}")
    restored["aus"].exchange.failed("gbr", over_the_network)
    at_aus = wrong(restored, "aus")["partner gbr"]
    assert ACCEPT in at_aus.cause
    assert at_aus.fix == "Ask the operator of gbr to see to it"


def test_once_accepted_everything_flows_and_the_notes_from_before_are_evidence(restored: Coalition) -> None:
    gbr, key = restored["gbr"], unb64(restored["gbr"].partners.get("aus").sheet.ledger_key)
    cosigned = gbr.core.store.ledger.checkpoints(AUS)
    greet(restored)
    [(size, refused)] = gbr.core.store.ledger.checkpoints(f"{AUS} refused")
    assert size == cosigned[-1][0]

    accept(restored, "gbr", "--because", "  ", "--yes", code=2)
    accept(restored, "gbr", code=2)
    assert "ledger of aus" in wrong(restored, "gbr")
    for node in ("gbr", "usa"):
        assert "accepted" in accept(restored, node, "--because", "their disk was lost; by telephone", "--yes")
        restored[node].exchange.new_epoch("aus was restored")
    assert "ledger of aus" not in wrong(restored, "gbr")

    write(restored, "aus", "doc-3")
    write(restored, "gbr", "reply-1")
    later(restored)
    assert restored.held("gbr", "doc-3") == restored.held("usa", "doc-3") == ["title"]
    assert restored.held("gbr", "doc-2") == ["title"]
    assert restored.held("aus", "reply-1") == ["title"]
    assert restored["aus"].exchange.state("gbr").problem is None
    newest = restored["aus"].core.store.ledger.checkpoint()
    assert newest is not None
    ours = unb64(restored["aus"].partners.get("gbr").sheet.ledger_key)
    assert verify_cosignature(newest[1], "aldis.invalid/gbr", ours) > 0
    assert "ledger of aus" not in wrong(restored, "gbr")

    [(accepted, reason)] = [
        (leaf.at, leaf.reasons[0])
        for row in gbr.core.store.ledger.leaves(0, 10_000, type_="partner", subject="aus")
        if (leaf := decode_leaf(row.data)).verdict == "ledger accepted anew"
    ]
    assert reason == "their disk was lost; by telephone"
    connection = apsw.Connection(str(gbr.core.home.store), flags=apsw.SQLITE_OPEN_READONLY)
    kept = {
        name: bytes(note)
        for name, note in connection.execute(
            "SELECT origin, note FROM checkpoint WHERE origin LIKE '% until %' ORDER BY size"
        )
    }
    connection.close()
    assert {name.rpartition(" ")[0] for name in kept} == {f"{AUS} until", f"{AUS} refused until"}
    assert set(kept.values()) == {cosigned[-1][1], refused}
    for note in kept.values():
        assert verify_checkpoint(note, AUS, key).size > 0
    assert abs(accepted - int(next(iter(kept)).rpartition(" ")[2])) < 5_000


def test_a_second_fork_after_the_first_was_accepted_is_told_of_again(restored: Coalition) -> None:
    greet(restored)
    for node in ("gbr", "usa"):
        accept(restored, node, "--because", "by telephone", "--yes")
        restored[node].exchange.new_epoch("aus was restored")
    write(restored, "aus", "doc-3")
    later(restored)
    assert len(alarms(restored)) == 1
    restored.restore("aus")
    restored["aus"].exchange.new_epoch("restored from the same backup again")
    restored.step("aus", "gbr")
    greet(restored)
    greet(restored)
    assert len(alarms(restored)) == 2
    assert "ledger of aus" in wrong(restored, "gbr")


def test_a_partner_whose_ledger_goes_on_as_before_is_cosigned_without_a_word(coalition: Coalition) -> None:
    write(coalition, "aus", "doc-1")
    later(coalition)
    later(coalition)
    assert alarms(coalition) == []
    for node in coalition.nodes:
        assert wrong(coalition, node).keys() <= {"clock"}
