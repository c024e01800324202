"""One seeded schedule: events under weather, then everything is mended, and every invariant must hold."""

from __future__ import annotations

from pathlib import Path
from random import Random

from fault_world import NATIONS, World
from release_reference import reference_decide

from aldis.kernel.epoch import PolicyEpoch
from aldis.kernel.errors import AldisError, Forked, RefusedByPolicy
from aldis.kernel.instruments import Transform
from aldis.kernel.release import Request
from aldis.testing import (
    Coalition,
    check_arrived,
    check_audience,
    check_exactly_once,
    check_history,
    check_ledgers,
    check_prefix,
    check_stores,
)

EVENTS = (10, 36)
ROUNDS = 8
MINUTE, DAY = 60_000, 86_400_000


class Failed(AssertionError):
    """A schedule that broke something, with all that happened in it."""

    def __init__(self, seed: int, cause: BaseException, log: list[str]) -> None:
        super().__init__(f"seed {seed}: {type(cause).__name__}: {cause}")
        self.seed, self.log = seed, log


def run(folder: Path, seed: int) -> list[str]:
    """Play the schedule of a seed from the saved coalition in `folder`; what happened, a line each.

    Raises:
        Failed: an invariant does not hold afterwards, or something else went wrong than it may.
    """
    rng = Random(f"schedule {seed}")
    with Coalition.load(folder, seed=seed, memory=True) as coalition:
        world = World(coalition, rng)
        try:
            for _ in range(rng.randint(*EVENTS)):
                world.happen()
            heal(world)
            check(world)
        except Exception as error:
            raise Failed(seed, error, world.log) from error
        return world.log


def heal(world: World) -> None:
    """What operators do until nothing is left to do, as the errors tell them."""
    coalition = world.coalition
    coalition.mend()
    for name in coalition:
        coalition.skew(name, 0)
        coalition.sites[name].disk.mend()
        if world.rng.random() < 0.4:
            coalition.crash(name)
    coalition.clock.advance(DAY)
    for name in coalition:
        for known in coalition[name].partners.all():
            if not known.active:
                coalition.resume(name, known.node)
    for _ in range(ROUNDS):
        coalition.settle()
        coalition.clock.advance(MINUTE)
        coalition.settle()
        if not (_answer_alarms(world) | _retry(world)):
            return
    raise AssertionError("operators have no end of work")


def _answer_alarms(world: World) -> bool:
    """Where a stream is forked or waits for a file, begin it anew; where a ledger is forked, accept it as it is."""
    found = False
    for name in NATIONS:
        for other in NATIONS:
            problem = world.coalition[name].exchange.state(other).problem
            if isinstance(problem, Forked | RefusedByPolicy):
                found = True
                if isinstance(problem, Forked) and {name, other} <= set(world.honest) - world.restored:
                    raise AssertionError(f"{name} and {other} never went back, and yet: {problem}") from problem
                world.log.append(f"{name} cannot go on with {other}: {problem}")
                if "ledger" in str(problem):
                    world.coalition[other].partners.accept_ledger(name, "compared after a restore")
                else:
                    world.coalition[name].exchange.new_epoch("it could not go on")
    return found


def _retry(world: World) -> bool:
    """Try again what was set aside; whether anything was admitted."""
    found = False
    for name in world.honest:
        node = world.coalition[name]
        for entry in node.core.store.quarantine.all():
            try:
                node.inbound.retry(entry.id)
                found = True
            except AldisError:
                continue
    return found


class _Ruling:
    def __init__(self, request: Request, epoch: PolicyEpoch, at: int) -> None:
        found = reference_decide(request, epoch, at)
        self.permits = found.verdict == "permit"
        self.not_before: int = found.not_before
        self.transforms: tuple[Transform, ...] = found.transforms
        self.purposes: tuple[str, ...] = found.purposes


def check(world: World) -> None:
    """Every invariant, by the slow reference of the kernel's tests."""
    coalition, honest = world.coalition, world.honest
    check_prefix(coalition, honest)
    check_exactly_once(coalition, honest)
    check_history(coalition, honest, world.restored)
    check_ledgers(coalition, honest, world.restored)
    check_audience(coalition, honest, _Ruling)
    check_arrived(coalition, honest, _Ruling)
    check_stores(coalition)
