"""The simulator itself: nodes talk through links that fail, crash, are restored, and end where they should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from coalition_scenes import ARRANGEMENT, allied, document, label, put_documents

from aldis.kernel.errors import Forked, NotAuthentic, Unavailable
from aldis.kernel.frames import Update
from aldis.testing import (
    FAIR,
    STORM,
    Coalition,
    Unsettled,
    Weather,
    check_all,
    check_arrived,
    check_audience,
    check_exactly_once,
    check_history,
    check_prefix,
)


@pytest.fixture
def coalition() -> Iterator[Coalition]:
    with allied() as made:
        yield made


def documents(coalition: Coalition, node: str) -> dict[str, int]:
    """The documents a node holds, each with the number of its portions."""
    return {row.id: len(row.portions) for row in coalition[node].records.page(kind="document").rows}


EXPECTED = {
    "aus": {"aus-all": 2, "aus-part": 2, "aus-one": 2, "gbr-all": 2, "gbr-part": 1, "usa-all": 2, "usa-part": 1},
    "gbr": {
        "aus-all": 2, "aus-part": 1, "gbr-all": 2, "gbr-part": 2, "gbr-one": 2,
        "usa-all": 2, "usa-part": 2, "usa-one": 2,
    },
    "usa": {
        "aus-all": 2, "aus-part": 2, "aus-one": 2, "gbr-all": 2, "gbr-part": 2, "gbr-one": 2,
        "usa-all": 2, "usa-part": 2, "usa-one": 2,
    },
}  # fmt: skip


def settled_as_expected(coalition: Coalition) -> bool:
    coalition.settle()
    check_all(coalition)
    return {node: documents(coalition, node) for node in coalition} == EXPECTED


def test_in_fair_weather_each_nation_holds_what_it_may(coalition: Coalition) -> None:
    put_documents(coalition)
    assert settled_as_expected(coalition)


def test_stores_in_a_folder_come_to_the_same() -> None:
    with allied(memory=False) as coalition:
        put_documents(coalition)
        coalition.crash("gbr")
        assert settled_as_expected(coalition)


@pytest.mark.parametrize(
    "weather",
    [
        STORM,
        Weather(lose_request=0.5),
        Weather(lose_answer=0.5),
        Weather(delay=0.5),
        Weather(repeat=0.7),
        Weather(damage=0.5),
    ],
    ids=["storm", "lost requests", "lost answers", "delays", "repeats", "damage"],
)
def test_in_any_weather_it_comes_to_the_same(coalition: Coalition, weather: Weather) -> None:
    coalition.set_weather(weather)
    put_documents(coalition)
    for _ in range(30):
        coalition.step()
    coalition.mend()
    assert settled_as_expected(coalition)


def test_a_seed_means_the_same_run() -> None:
    def run(seed: int) -> list[tuple[str, str, str]]:
        with allied(seed=seed) as coalition:
            coalition.set_weather(STORM)
            put_documents(coalition)
            for _ in range(10):
                coalition.step()
            return [(one.sender, one.receiver, one.bundle.digest.hex()) for one in coalition.archive.bundles.values()]

    assert run(3) == run(3) != run(4)


def test_nothing_passes_a_cut_and_all_passes_once_it_is_mended(coalition: Coalition) -> None:
    coalition.cut("aus", "gbr")
    coalition["aus"].records.put(
        document(coalition, "aus", "for-gbr", label("aus", "GBR"), {"title": (label("aus", "GBR"), "only for GBR")})
    )
    coalition.settle()
    assert "for-gbr" not in documents(coalition, "gbr")
    assert isinstance(coalition["aus"].exchange.state("gbr").problem, Unavailable)
    coalition.mend()
    coalition.settle()
    assert "for-gbr" in documents(coalition, "gbr")


@pytest.mark.parametrize("writes", [0, 1, 5, 9, 14, 20, 33, 47])
def test_a_node_killed_at_any_write_loses_nothing_and_admits_nothing_twice(coalition: Coalition, writes: int) -> None:
    put_documents(coalition)
    coalition.crash("gbr", writes)
    coalition.crash("usa", 2 * writes)
    assert settled_as_expected(coalition)


@pytest.mark.parametrize("seed", range(3))
def test_a_power_cut_loses_nothing_that_was_confirmed(seed: int) -> None:
    with allied(seed=seed) as coalition:
        put_documents(coalition)
        for _ in range(4):
            coalition.step(share=0.5)
            for node in coalition:
                coalition.cut_power(node)
        assert settled_as_expected(coalition)


@pytest.mark.parametrize("writes", [0, 3, 8, 15, 27])
def test_a_full_disk_stops_nothing_for_longer_than_it_lasts(coalition: Coalition, writes: int) -> None:
    put_documents(coalition)
    for node in coalition:
        coalition.fill_disk(node, writes)
    assert settled_as_expected(coalition)


def test_a_full_disk_is_an_error_that_says_what_to_do(coalition: Coalition) -> None:
    coalition.fill_disk("aus")
    with pytest.raises(Unavailable, match="Free space"):
        put_documents(coalition)
    assert documents(coalition, "aus") == {}
    put_documents(coalition)
    assert settled_as_expected(coalition)


def test_a_restored_backup_is_noticed_and_a_new_epoch_brings_all_partners_up_to_date(coalition: Coalition) -> None:
    put_documents(coalition)
    backup = coalition.snapshot("aus")
    coalition.settle()
    coalition.restore(backup)
    coalition.settle()
    assert isinstance(coalition["aus"].exchange.state("gbr").problem, Forked)
    coalition["aus"].exchange.new_epoch("restored from a backup")
    for other in ("gbr", "usa"):
        coalition[other].exchange.new_epoch("aus was restored from a backup")
    coalition.settle()
    assert {node: documents(coalition, node) for node in coalition} == EXPECTED
    check_prefix(coalition)
    check_exactly_once(coalition)
    check_history(coalition)


def test_the_ledger_of_a_restored_node_is_refused_until_people_accept_it(coalition: Coalition) -> None:
    put_documents(coalition)
    backup = coalition.snapshot("aus")
    coalition.settle()
    coalition.clock.advance(60_000)
    coalition.settle()
    coalition.restore(backup)
    coalition["aus"].exchange.new_epoch("restored from a backup")
    coalition.settle()
    coalition.clock.advance(60_000)
    coalition.settle()
    problem = coalition["aus"].exchange.state("gbr").problem
    assert isinstance(problem, Forked)
    assert "ledger" in str(problem)
    for other in ("gbr", "usa"):
        coalition[other].partners.accept_ledger("aus", "compared by telephone")
        coalition[other].exchange.new_epoch("aus was restored from a backup")
    coalition.clock.advance(60_000)
    assert settled_as_expected(coalition)
    assert coalition["aus"].exchange.state("gbr").problem is None


def test_a_clock_that_is_far_wrong_stops_the_exchange_until_it_is_set(coalition: Coalition) -> None:
    coalition["gbr"].exchange.state("aus").greeted = False
    coalition.skew("gbr", 3_600_000)
    coalition.settle()
    assert "clock" in str(coalition["gbr"].exchange.state("aus").problem)
    coalition.skew("gbr", 0)
    put_documents(coalition)
    assert settled_as_expected(coalition)


def test_a_suspended_partner_gets_and_brings_nothing_until_it_is_resumed(coalition: Coalition) -> None:
    coalition.suspend("gbr", "usa")
    put_documents(coalition)
    coalition.settle()
    assert not any(name.startswith("usa") for name in documents(coalition, "gbr"))
    assert not any(name.startswith("gbr") for name in documents(coalition, "usa"))
    assert isinstance(coalition["usa"].exchange.state("gbr").problem, NotAuthentic)
    coalition.resume("gbr", "usa")
    assert settled_as_expected(coalition)


def test_what_a_stick_carries_comes_to_the_same(coalition: Coalition) -> None:
    for one, other in (("aus", "gbr"), ("aus", "usa"), ("gbr", "usa")):
        coalition.cut(one, other)
    put_documents(coalition)
    for sender in coalition:
        for receiver in set(coalition) - {sender}:
            coalition.by_file(sender, receiver)
    coalition.mend()
    assert settled_as_expected(coalition)


def test_live_values_arrive_in_order_and_only_where_they_may(coalition: Coalition) -> None:
    seen = {node: coalition.watch(node, "document") for node in ("gbr", "usa")}
    assert seen == {"gbr": [], "usa": []}
    coalition.set_weather(Weather(lose_request=0.2, delay=0.3, repeat=0.3, damage=0.1))
    wide, narrow = label("aus", "GBR", "USA"), label("aus", "GBR")
    for number in range(60):
        for marked, portion in ((wide, "title"), (narrow, "body")):
            update = Update("ship", "document", portion, coalition["aus"].core.clock.now(), f"{portion} {number}")
            coalition["aus"].context.publish(wide, marked, "NORTHERN-WATCH", update)
        coalition.step()
    shown = {node: [live.update.value for live in coalition.watch(node, "document")] for node in ("gbr", "usa")}
    for node, portion in (("gbr", "title"), ("gbr", "body"), ("usa", "title")):
        numbers = [int(value.split()[1]) for value in shown[node] if value.startswith(portion)]
        assert numbers == sorted(set(numbers))
        assert len(numbers) > 10
    assert not any(value.startswith("body") for value in shown["usa"])
    coalition.settle()
    check_audience(coalition)


def test_a_saved_coalition_goes_on_where_it_was(coalition: Coalition, tmp_path: Path) -> None:
    put_documents(coalition)
    coalition.settle()
    coalition.save(tmp_path / "saved")
    assert settled_as_expected(coalition)
    for memory in (True, False):
        with Coalition.load(tmp_path / "saved", seed=9, memory=memory) as loaded:
            assert loaded.clock.now() >= coalition.clock.now() - 1_000
            loaded.crash("usa")
            assert settled_as_expected(loaded)


def test_nodes_that_hear_nothing_do_not_settle(coalition: Coalition) -> None:
    coalition.set_weather(Weather(delay=1.0, longest_ms=1_000_000))
    put_documents(coalition)
    with pytest.raises(Unsettled, match="20 steps"):
        coalition.settle(limit=20)


def test_an_instrument_among_two_of_three_is_signed_by_those_two(coalition: Coalition) -> None:
    text = ARRANGEMENT.replace("pa-northern-watch", "pa-two").replace('"AUS", "GBR", "USA"', '"GBR", "USA"')
    name = coalition.arrange(text.replace('onward = ["GBR", "USA"]\n', ""))
    assert coalition["usa"].register.status(name).state.value == "in force"
    assert name not in coalition["aus"].epochs.current().instruments.ids()
    check_arrived(coalition)


def test_fair_weather_changes_nothing() -> None:
    assert Weather() == FAIR
