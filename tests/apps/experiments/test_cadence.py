"""What is said of many things, each at most so often."""

from __future__ import annotations

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.cadence import Cadence

EVERY = 10


@given(st.lists(st.tuples(st.integers(0, 7), st.lists(st.sampled_from("abc"), max_size=3)), max_size=60))
def test_each_change_is_said_at_once_or_as_soon_as_it_may_be_again(steps: list[tuple[int, list[str]]]) -> None:
    cadence: Cadence[str] = Cadence(EVERY)
    now, said, waiting = 0, dict[str, int](), set[str]()
    for passed, changed in steps:
        now += passed
        for name in changed:
            cadence.change(name)
        waiting |= set(changed)
        due = cadence.due(now)
        assert len(due) == len(set(due))
        assert set(due) == {name for name in waiting if now - said.get(name, -EVERY) >= EVERY}
        waiting -= set(due)
        said |= dict.fromkeys(due, now)
        rest = min((said[name] + EVERY - now for name in waiting), default=EVERY)
        assert cadence.pause(now) <= rest, "nobody sleeps past what is due"


def test_what_is_forgotten_is_not_said() -> None:
    cadence: Cadence[str] = Cadence(EVERY)
    cadence.change("a")
    cadence.forget("a")
    assert cadence.due(0) == []
    cadence.change("a")
    assert cadence.due(0) == ["a"]
    cadence.change("a")
    cadence.forget("a")
    assert cadence.due(EVERY) == []


def test_nothing_is_kept_of_what_was_said_long_ago() -> None:
    cadence: Cadence[int] = Cadence(EVERY)
    for number in range(1000):
        cadence.change(number)
        cadence.due(number * EVERY)
    assert len(cadence._said) == 1


def test_a_change_wakes_whoever_waits() -> None:
    async def act() -> float:
        cadence: Cadence[str] = Cadence(0.1)
        asyncio.get_running_loop().call_later(0.01, cadence.change, "a")
        began = time.monotonic()
        await cadence.wait(5)
        await cadence.wait(5)  # there is something already
        assert cadence.due(began) == ["a"]
        cadence.change("a")
        await cadence.wait(cadence.pause(began))
        return time.monotonic() - began

    assert asyncio.run(act()) < 2
