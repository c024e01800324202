"""Laws of the estimate of a clock's offset: the truth is within its bounds, and a clock that was set is noticed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.participants.clock import ClockFilter

AT = 1_790_000_000_000_000
OFFSETS = st.integers(-3_600_000_000, 3_600_000_000)
DELAYS = st.lists(st.integers(0, 5_000_000), min_size=1, max_size=60)
STEP = 1_000_000


def one_way(clock: ClockFilter, offset: int, delay: int, at: int, uncertainty: int = 0) -> None:
    clock.one_way(at + offset, at + delay, uncertainty)


@given(OFFSETS, DELAYS)
def test_the_true_offset_is_never_below_the_bound_of_one_way_messages(offset: int, delays: list[int]) -> None:
    clock = ClockFilter()
    for index, delay in enumerate(delays):
        one_way(clock, offset, delay, AT + index * STEP)
        found = clock.bounds(AT + index * STEP + delay)
        assert found is not None and found.low_us <= offset and found.high_us is None
        assert found.low_us >= offset - max(delays) - 100 * (index + 2), "no further off than the slowest message"


@given(OFFSETS, st.integers(0, 999_999), DELAYS)
def test_a_stamp_cut_to_whole_seconds_moves_the_bound_only_away_from_the_truth(
    offset: int, phase: int, delays: list[int]
) -> None:
    clock = ClockFilter()
    for index, delay in enumerate(delays):
        at = AT + phase + index * STEP
        clock.one_way((at + offset) // 1_000_000 * 1_000_000, at + delay)
        found = clock.bounds(at + delay)
        assert found is not None and found.low_us <= offset


@given(OFFSETS, st.integers(1, 50), st.integers(0, 999))
def test_stamps_of_whole_seconds_are_no_clock_that_is_set_each_second(offset: int, every_ms: int, phase: int) -> None:
    clock = ClockFilter()
    for index in range(100):
        at = AT + phase * 1000 + index * every_ms * 1000
        clock.one_way((at + offset) // 1_000_000 * 1_000_000, at + 2_000)
    assert clock.jumps == 0


@given(OFFSETS, st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(0, 2_000_000)), min_size=1, max_size=40))
def test_the_true_offset_is_within_the_bounds_of_round_trips_however_unequal_the_ways(
    offset: int, trips: list[tuple[int, int]]
) -> None:
    clock = ClockFilter()
    for index, (there, back) in enumerate(trips):
        sent = AT + index * STEP
        theirs, received = sent + there + offset, sent + there + back
        clock.two_way(theirs - (sent + received) // 2, received - sent + 1, received)
        found = clock.bounds(received)
        assert found is not None and found.high_us is not None and found.basis == "two-way"
        assert found.low_us <= offset <= found.high_us
        assert found.jumps == 0, "delays alone are no clock that was set"
        assert found.uncertainty_us is not None
        assert found.uncertainty_us <= min(a + b for a, b in trips[: index + 1]) // 2 + 100 * (index + 5) + 2


@given(OFFSETS, st.integers(-40, 40), st.integers(1, 30))
def test_the_bounds_hold_for_a_clock_that_drifts_as_crystals_do(offset: int, ppm: int, seconds: int) -> None:
    clock = ClockFilter()
    for index in range(seconds):
        now = offset + ppm * index
        clock.two_way(now, 2_000, AT + index * STEP)
        found = clock.bounds(AT + index * STEP)
        assert found is not None and found.high_us is not None
        assert found.low_us <= now <= found.high_us and found.jumps == 0


@given(OFFSETS, st.integers(1_500_000, 3_600_000_000), st.booleans(), st.lists(st.integers(0, 100_000), min_size=40))
def test_a_clock_that_was_set_is_noticed_within_eight_messages_and_the_bound_holds_again(
    offset: int, jump: int, back: bool, delays: list[int]
) -> None:
    clock = ClockFilter()
    for index in range(20):
        one_way(clock, offset, delays[index], AT + index * STEP)
    assert clock.jumps == 0
    after = offset - jump if back else offset + jump
    for index in range(20, 28):
        one_way(clock, after, delays[index], AT + index * STEP)
    found = clock.bounds(AT + 28 * STEP)
    assert found is not None and found.jumps == 1
    assert after - 110_000 <= found.low_us <= after


@given(OFFSETS, st.integers(10_000, 3_600_000_000), st.booleans())
def test_a_clock_that_was_set_is_noticed_by_the_next_round_trip(offset: int, jump: int, back: bool) -> None:
    clock = ClockFilter()
    for index in range(5):
        clock.two_way(offset, 4_000, AT + index * STEP)
    after = offset - jump if back else offset + jump
    clock.two_way(after, 4_000, AT + 5 * STEP)
    found = clock.bounds(AT + 5 * STEP)
    assert found is not None and found.high_us is not None and found.jumps == 1
    assert found.low_us <= after <= found.high_us


def test_one_message_that_was_long_under_way_is_no_clock_that_was_set() -> None:
    clock = ClockFilter()
    for index in range(30):
        one_way(clock, 0, 30_000_000 if index == 15 else 1_000, AT + index * STEP)
    found = clock.bounds(AT + 30 * STEP)
    assert found is not None and found.jumps == 0 and -2_000 <= found.low_us <= 0


def test_nothing_is_said_before_anything_is_heard_and_what_is_old_is_let_go() -> None:
    clock = ClockFilter()
    assert clock.bounds(AT) is None
    one_way(clock, 5_000_000, 0, AT)
    for index in range(1, 200):
        one_way(clock, 0, 400_000, AT + index * STEP)
    found = clock.bounds(AT + 200 * STEP)
    assert found is not None and -500_000 <= found.low_us <= 0


def test_a_stamp_from_another_age_is_left_out() -> None:
    clock = ClockFilter()
    one_way(clock, 40 * 365 * 86_400_000_000, 0, AT)
    assert clock.bounds(AT) is None
