"""A participant's states as a pure machine; what a node publishes and lists of it, as far as labels allow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import common  # type: ignore[import-untyped]

from aldis.apps.experiments.gateways.registry import offered
from aldis.apps.experiments.participants.clock import ClockFilter
from aldis.apps.experiments.participants.heartbeats import heartbeat_of
from aldis.apps.experiments.participants.mavlink import Asked
from aldis.apps.experiments.participants.state import Participant

AT = 1_790_000_000_000


def state(one: Participant) -> str:
    return one.state


@pytest.mark.parametrize(("protocol", "silent_ms"), [("dis", 12_000), ("mavlink", 5_000), ("nmea0183", 432_000)])
def test_it_waits_joins_falls_silent_after_its_protocols_pause_and_returns(protocol: str, silent_ms: int) -> None:
    one = Participant(AT)
    assert (one.state, one.since) == ("waiting", AT)
    one.hear(AT + 100, protocol)
    assert (one.state, one.since, one.protocol) == ("joined", AT + 100, protocol)
    one.tick(AT + 99 + silent_ms)
    assert state(one) == "joined"
    one.tick(AT + 100 + silent_ms)
    assert (state(one), one.reason) == ("silent", f"not heard for {silent_ms / 1000:.0f} s")
    one.hear(AT + 500_000, protocol)
    assert (one.state, one.absences, one.reason) == ("returned", 1, "")


def test_what_a_message_says_to_hold_longer_keeps_its_source_from_counting_as_silent_but_not_for_ever() -> None:
    one = Participant(AT)
    one.hear(AT, "cot", stale=AT + 300_000)
    one.tick(AT + 299_999)
    assert state(one) == "joined"
    one.tick(AT + 300_000)
    assert state(one) == "silent"
    one.hear(AT + 400_000, "cot", stale=AT + 10**11)
    assert one.silent_at == AT + 1_000_000


def test_one_that_was_there_before_the_node_was_started_again_returns() -> None:
    one = Participant(AT, before=True)
    one.hear(AT, "cot")
    assert one.state == "returned"


def test_an_address_that_cannot_be_had_is_told_with_its_reason() -> None:
    one = Participant(AT)
    one.fail(AT + 1, "cannot listen at udp://127.0.0.1:1")
    assert (one.state, one.reason) == ("failed", "cannot listen at udp://127.0.0.1:1")
    one.hear(AT + 2, "dis")
    assert state(one) == "joined", "it was never there before"
    one.end(AT + 3)
    assert state(one) == "ended"


def test_rates_are_those_of_the_last_ten_seconds() -> None:
    one = Participant(AT)
    for second in range(60):
        one.hear(AT + second * 1000, "cot", messages=20, damaged=5)
        one.puzzle(AT + second * 1000)
    heard, damaged, unfamiliar = one.rates(AT + 59_999)
    assert (round(heard), round(damaged), round(unfamiliar)) == (20, 5, 1)
    assert one.rates(AT + 120_000) == (0, 0, 0)
    assert (one.heard, one.damaged, one.unfamiliar) == (1200, 300, 60)


@given(st.lists(st.tuples(st.sampled_from(["hear", "tick", "end", "fail"]), st.integers(0, 20_000)), max_size=40))
def test_whatever_happens_the_state_follows_from_what_was_heard_last(events: list[tuple[str, int]]) -> None:
    one, at, last, joined_once = Participant(AT), AT, 0, False
    for event, pause in events:
        at += pause
        if event == "hear":
            one.hear(at, "dis")
            assert one.state == ("returned" if one.absences else "joined") and (joined_once or not one.absences)
            last, joined_once = at, True
        elif event == "tick":
            one.tick(at)
            if one.state in ("joined", "returned"):
                assert at - last < heartbeat_of("dis").silent_ms
        elif event == "end":
            one.end(at)
            assert one.state in ("ended", "failed")
        else:
            one.fail(at, "no")
            assert one.state == "failed"
        assert one.since <= at


@given(st.integers(-600_000_000, 600_000_000), st.integers(0, 200_000), st.integers(0, 200_000))
def test_a_vehicles_clock_is_known_to_half_the_round_trip_once_it_was_asked(offset: int, there: int, back: int) -> None:
    gateway, clock = offered("mavlink").open(), ClockFilter()
    asked, mav, sent, boot = Asked(clock), common.MAVLink(None, srcSystem=1, srcComponent=1), AT * 1000, 77_000_000
    told = common.MAVLink_system_time_message(sent + offset, boot // 1000)
    answer = common.MAVLink_timesync_message((boot + there) * 1000, sent * 1000)
    for message, at in ((told, sent), (answer, sent + there + back)):
        for one in gateway.feed(bytes(message.pack(mav)), at):
            asked.hear(one)
    found = clock.bounds(sent + there + back)
    assert found is not None and found.high_us is not None and found.uncertainty_us is not None
    assert found.low_us <= offset <= found.high_us
    assert found.uncertainty_us <= (there + back) // 2 + 2_000
