"""The systems of a node beside one another: one that fails is told of and tried again, and ends no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from traceback import extract_tb

import structlog

from aldis.app import Context, System
from aldis.apps.experiments.participants.roll import Roll
from aldis.apps.experiments.systems import Connection
from aldis.kernel.errors import AldisError, Unavailable

__all__ = ["Supervision"]

_AGAIN_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before a system is tried again, after each failure in a row."""
_STEADY_S = 60.0
"""After so long without a failure, the next one counts as the first."""
_log = structlog.get_logger()


class Supervision:
    """Keeps every system connected. What cannot get better by itself is not tried again: a person has to mend it."""

    def __init__(self, context: Context, app: str, roll: Roll) -> None:
        self._context, self._app, self._roll = context, app, roll
        self._problems: dict[str, AldisError] = {}

    async def run(self, connect: Callable[[System], Connection], systems: Sequence[System]) -> None:
        """Until every system is at its end; `connect` makes the connection of one.

        Raises:
            AldisError: what ended one of them for good.
        """
        self._tell()
        ended = await asyncio.gather(*(self._keep(connect, system) for system in systems))
        for error in ended:
            if error is not None:
                raise error

    async def _keep(self, connect: Callable[[System], Connection], system: System) -> AldisError | None:
        """Keep one system connected until it ends; what ended it, where a person has to mend that."""
        try:
            connection = connect(system)
        except AldisError as error:
            return self._failed(system.name, error, again=False)
        tries, clock = 0, asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                await connection.run(lambda: self._mended(system.name))
            except AldisError as error:
                again = isinstance(error, Unavailable) and not connection.played
                problem = self._failed(system.name, error, again=again)
                if not again:
                    return problem
            except Exception as error:
                where = " < ".join(f"{one.filename}:{one.lineno}" for one in extract_tb(error.__traceback__)[::-1][:8])
                _log.error("system failed", system=system.name, error=type(error).__name__, place=where)
                fault = Unavailable(f"a fault of the program ({type(error).__name__})", fix="See the log of `aldis up`")
                self._failed(system.name, fault, again=True)
            else:
                self._roll.of(system.name).ended()
                return None
            tries = 0 if clock() - began > _STEADY_S else tries
            await asyncio.sleep(_AGAIN_S[min(tries, len(_AGAIN_S) - 1)])
            tries += 1

    def _failed(self, name: str, error: AldisError, *, again: bool) -> AldisError:
        _log.error("system failed", system=name, code=error.code, cause=str(error), again=again)
        problem = type(error)(f"system {name}: {error.args[0]}", fix=error.fix)
        self._roll.of(name).failed(error)
        if str(self._problems.get(name)) != str(problem):
            self._problems[name] = problem
            self._tell()
        return problem

    def _mended(self, name: str) -> None:
        if self._problems.pop(name, None) is not None:
            _log.info("system is back", system=name)
            self._tell()

    def _tell(self) -> None:
        self._context.tell_problems(self._app, list(self._problems.values()))
