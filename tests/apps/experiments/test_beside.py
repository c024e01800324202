"""What works beside something else: it costs nothing once it is done, and threads of others change nothing under it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from aldis.app import System
from aldis.apps.experiments.app import ExperimentsApp
from aldis.apps.experiments.participants.roll import Roll, participant_id
from aldis.apps.experiments.systems import until_ended
from aldis.kernel.labels import Label
from aldis.node.config import Config
from aldis.node.people import Account, Person
from aldis.testing import Coalition

REL = "OFFICIAL//REL AUS/USA"


def test_waiting_beside_work_that_is_done_takes_no_time_of_the_processor() -> None:
    async def run() -> float:
        waited, done = asyncio.create_task(asyncio.sleep(0.3)), asyncio.create_task(asyncio.sleep(0))
        began = time.process_time()
        await until_ended([waited], beside=[done])
        return time.process_time() - began

    assert asyncio.run(run()) < 0.1


def test_what_fails_beside_it_is_told_though_other_work_was_done_before() -> None:
    async def run() -> None:
        async def fail() -> None:
            await asyncio.sleep(0.02)
            raise ValueError("it failed")

        waited = asyncio.create_task(asyncio.sleep(10))
        try:
            await until_ended([waited], beside=[asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(fail())])
        finally:
            waited.cancel()

    with pytest.raises(ValueError, match="it failed"):
        asyncio.run(run())


def test_labels_are_read_though_a_person_reads_them_in_another_thread_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = {"track": {"header": REL, "position": "OFFICIAL"}}
    config = Config(node="aus", party="AUS", policy="AUS", ceiling="SECRET", project="SEA", labels=labels)
    with Coalition.of({"aus": config}, memory=True, apps={"experiments": ExperimentsApp()}) as world:
        context = world["aus"].context
        account = Account(id="ada", name="Ada", nationality="AUS", clearance={"AUS": "SECRET"}, projects=["SEA"])
        person = context.bound(Person(account, account.clearance))
        read = context.label
        monkeypatch.setattr(person, "label", read)

        def meanwhile(marking: str) -> Label:
            found = read(marking)
            if marking == "OFFICIAL":
                person._read_at = -10_000
                person.labels("area")
            return found

        context._read_at = -10_000
        monkeypatch.setattr(context, "label", meanwhile)
        assert set(context.labels("track")) == {"header", "position"}


def test_frames_are_followed_by_no_person() -> None:
    with Coalition.of({"aus": "AUS"}, memory=True) as world:
        account = Account(id="ada", name="Ada", nationality="AUS", clearance={"AUS": "SECRET"})
        with pytest.raises(ValueError, match="what a person may not see"):
            world["aus"].context.bound(Person(account, account.clearance)).follow_frames(lambda _: None)


def test_a_participant_whose_record_somebody_else_wrote_is_recorded_again() -> None:
    config = Config(node="aus", party="AUS", policy="AUS", ceiling="SECRET", project="SEA",
                    labels={"track": {"header": REL, "position": REL}})  # fmt: skip
    with Coalition.of({"aus": config}, memory=True, apps={"experiments": ExperimentsApp()}) as world:
        context = world["aus"].context
        roll = Roll(context, "SEA", [System(name="tak", address="udp://127.0.0.1:1")])
        name = participant_id(context, "tak")

        def recorded() -> Any:
            record = context.newest(name)
            assert record is not None
            return None if record.header.deleted else record.portion("state").value["state"]  # type: ignore[union-attr]

        roll.look()
        assert recorded() == "waiting"
        world["aus"].records.delete(name, "officer")
        roll.of("tak").ended()
        roll.look()
        assert recorded() is None, "it is not known yet that there is another version"
        world.clock.advance(6_000)
        roll.look()
        assert recorded() == "ended"
