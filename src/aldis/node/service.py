"""A node running: its partner port, a courier for each partner, and live frames, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog

from aldis.app import App
from aldis.kernel.errors import AldisError, Unavailable
from aldis.node.app_states import AppState, keep_app_state
from aldis.node.config import endpoint
from aldis.node.exchange import Call
from aldis.node.logs import fault
from aldis.node.node import Node
from aldis.node.partner_link import PartnerLink
from aldis.node.partner_port import Partner, PartnerPort
from aldis.node.partners import Known
from aldis.node.tls import client_context, pin

__all__ = ["LIVE_COUNTS", "RUNNING", "Service", "serve"]

_IDLE_S = 0.25
"""Between two looks for something to send; a change of instrument takes effect within it."""
_SLOWEST_S = 30.0
_SAY_MS = 1000
_TIDY_S = 3600.0
_LOOK_S = 5.0
"""Between two looks for what is to be indexed by meaning."""
_GRACE_S = 8.0
"""For what is under way when the node is told to stop; the whole takes less than ten seconds."""
_BREATH_S = 0.1
"""Between two steps of tidying the search index, each of which holds the store for some tens of milliseconds."""
LIVE_COUNTS = "live values taken"
"""The store's key for what has arrived live from each partner."""
RUNNING = "policies of the running node"
"""The store's key for the digest of the policy tables that a running node goes by; empty where none runs."""
_log = structlog.get_logger()


class Service:
    """Carries a node's calls over the network; sees to search indexes and retention, most every `tidy_s` seconds."""

    def __init__(self, node: Node, *, tidy_s: float = _TIDY_S) -> None:
        self._node = node
        self._tidy_s = tidy_s
        home = node.core.home
        self._port = PartnerPort(self._answer, home.certificate, home.tls_key)
        self._couriers: dict[str, tuple[Known, list[asyncio.Task[None]]]] = {}
        self.address = ""
        self._ending = asyncio.Event()

    async def start(self) -> str:
        """Listen and begin to send; the address that partners connect to."""
        host, port = endpoint(self._node.core.config.listen)
        self._node.core.store.meta.set(RUNNING, self._node.core.policies.digest)
        self._refresh()
        bound = await self._port.start(host, port)
        self.address = f"{self._node.core.config.listen.rpartition(':')[0]}:{bound}"
        self._tasks = [
            asyncio.create_task(self._keep_up()),
            asyncio.create_task(self._tidy()),
            asyncio.create_task(self._retain()),
            asyncio.create_task(self._index()),
            *(asyncio.create_task(self._run(app)) for app in self._node.apps.values()),
        ]
        return self.address

    async def stop(self, grace_s: float = _GRACE_S) -> None:
        """Begin nothing more, let bundles that are under way in either direction end, then stop.

        Nothing is lost where that takes more than `grace_s`: all that was sent is kept until acknowledged.
        """
        self._ending.set()
        senders = [tasks[0] for _, tasks in self._couriers.values()]
        others = [*self._tasks, *(task for _, tasks in self._couriers.values() for task in tasks[1:])]
        for task in others:
            task.cancel()
        port = asyncio.create_task(self._port.stop(grace_s))
        if senders:
            await asyncio.wait(senders, timeout=grace_s)
        for task in senders:
            task.cancel()
        await asyncio.gather(port, *others, *senders, return_exceptions=True)
        self._couriers.clear()
        with suppress(AldisError):
            await asyncio.to_thread(self._node.core.store.meta.set, RUNNING, b"")

    async def _keep_up(self) -> None:
        """Follow what other processes change: partners paired, suspended or resumed."""
        change, said = self._node.core.policy_change(), b""
        while True:
            await asyncio.sleep(_IDLE_S)
            live = msgspec.json.encode(self._node.live_in.counts)
            if live != said and self._node.core.clock.now() % _SAY_MS < _IDLE_S * 1000:
                said = live
                await asyncio.to_thread(self._node.core.store.meta.set, LIVE_COUNTS, live)
            now = self._node.core.policy_change()
            if now != change:
                change = now
                self._refresh()

    async def _tidy(self) -> None:
        """Keep searches quick where many small transactions add text, and remove attachments that nothing describes."""
        fold = self._node.core.store.search.fold
        while True:
            await asyncio.sleep(self._tidy_s)
            try:
                more = await asyncio.to_thread(fold, begin=True)
                while more:
                    await asyncio.sleep(_BREATH_S)
                    more = await asyncio.to_thread(fold)
                await asyncio.to_thread(self._node.attachments.tidy)
            except AldisError as error:
                _log.warning("not tidied", code=error.code, cause=str(error))

    async def _retain(self) -> None:
        """Once a day, delete and erase what is kept no longer; at once, finish what an earlier run began."""
        retention = self._node.retention
        while True:
            try:
                if await asyncio.to_thread(lambda: retention.wanted):
                    done = await asyncio.to_thread(retention.run, self._node.name)
                    _log.info("retention run", deleted_or_erased=len(done))
            except AldisError as error:
                _log.warning("retention not run", code=error.code, cause=str(error))
            except Exception as error:
                _log.error("retention not run", **fault(error))
            await asyncio.sleep(self._tidy_s)

    async def _index(self) -> None:
        """Keep the index by meaning up to date, a little at a time, where somebody began one."""
        while True:
            pause = _LOOK_S
            try:
                while await asyncio.to_thread(self._node.meaning.keep_up):
                    await asyncio.sleep(_BREATH_S)
            except AldisError as error:
                _log.warning("not indexed by meaning", code=error.code, cause=str(error))
                pause = self._tidy_s
            except Exception as error:
                _log.error("not indexed by meaning", **fault(error))
                pause = self._tidy_s
            await asyncio.sleep(pause)

    async def _run(self, app: App) -> None:
        """Let an app work beside the node; how it ended stands in the store, for `aldis doctor`."""
        store = self._node.core.store
        keep_app_state(store, app.name, AppState("running"))
        try:
            await app.run(self._node.context, self._node.core.config.systems)
            state = AppState("ended")
        except AldisError as error:
            _log.error("app failed", app=app.name, code=error.code, cause=str(error))
            state = AppState.failed(error)
        except Exception as error:
            _log.error("app failed", app=app.name, **fault(error))
            state = AppState.failed(error)
        with suppress(Unavailable):  # the disk may be what failed
            keep_app_state(store, app.name, state)

    def _refresh(self) -> None:
        known = {one.node: one for one in self._node.partners.all() if one.active}
        self._port.set_partners(
            {pin(one.sheet.certificate_der): Partner(one.node, one.sheet.certificate_der) for one in known.values()}
        )
        for name in [name for name, (before, _) in self._couriers.items() if known.get(name) != before]:
            for task in self._couriers.pop(name)[1]:
                task.cancel()
            self._node.live_out.forget(name)
        for name, one in known.items():
            if name not in self._couriers and name not in self._node.core.config.feeds:
                self._couriers[name] = (
                    one,
                    [asyncio.create_task(self._courier(one)), asyncio.create_task(self._live(one))],
                )

    async def _answer(self, partner: str, operation: str, body: bytes | bytearray) -> bytes:
        if operation == "deliver":
            return await asyncio.to_thread(self._node.answer, partner, operation, body)
        return self._node.answer(partner, operation, body)

    def _link(self, known: Known) -> PartnerLink:
        home = self._node.core.home
        context = client_context(home.certificate, home.tls_key, known.sheet.certificate_der)
        return PartnerLink(known.node, known.sheet.url, context)

    async def _courier(self, known: Known) -> None:
        """Send what may go to one partner, one call at a time, slower after each failure."""
        exchange, pause = self._node.exchange, _IDLE_S
        async with self._link(known) as link:
            while not self._ending.is_set():
                try:
                    call = await asyncio.to_thread(exchange.next_call, known.node)
                    if call is not None:
                        await self._carry(link, known.node, call)
                        pause = _IDLE_S
                        continue
                except AldisError as error:
                    exchange.failed(known.node, error)
                    _log.warning("exchange failed", partner=known.node, code=error.code)
                    pause = min(_SLOWEST_S, pause * 2)
                except Exception as error:
                    exchange.failed(known.node, Unavailable("a fault of the program", fix="See the log of `aldis up`"))
                    _log.error("exchange failed", partner=known.node, **fault(error))
                    pause = _SLOWEST_S
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), pause)

    async def _carry(self, link: PartnerLink, node: str, call: Call) -> None:
        if call.piece is not None:
            try:
                await self._carry_pieces(link, node, call)
            except BaseException:
                link.hang_up()  # an answer may be on its way that nobody waits for
                raise
            return
        exchange = self._node.exchange
        send = link.greet if call.operation == "greet" else link.deliver
        answer, ahead = await asyncio.gather(
            send(bytes(call.body)), asyncio.to_thread(exchange.ahead, node, call), return_exceptions=True
        )
        if isinstance(answer, BaseException):
            raise answer
        await asyncio.to_thread(exchange.answered, node, call, answer)
        if ahead is not None:
            raise ahead

    async def _carry_pieces(self, link: PartnerLink, node: str, call: Call) -> None:
        """Send a piece of an attachment and those that follow, each before the one before it is answered."""
        exchange, before = self._node.exchange, None
        while True:
            answer, ahead = await asyncio.gather(
                link.content(call.body), asyncio.to_thread(exchange.ahead, node, call), return_exceptions=True
            )
            if isinstance(answer, BaseException):
                raise answer
            if before is not None:
                if answer is None:
                    raise Unavailable(f"{node} closed the connection before it answered", fix="It is tried again")
                await asyncio.to_thread(exchange.answered, node, before, answer)
            if ahead is not None:
                raise ahead
            more = None if self._ending.is_set() else await asyncio.to_thread(exchange.following, node, call)
            if more is None:
                await asyncio.to_thread(exchange.answered, node, call, await link.heard())
                return
            before, call = call, more

    async def _live(self, known: Known) -> None:
        """A frame as soon as something waits, unless one left just before: the newest values then wait for the next.

        After one that held all it may, the next leaves `live_ms` later; after a smaller one as much sooner.
        """
        config, out, clock = self._node.core.config, self._node.live_out, asyncio.get_running_loop().time
        full, least = config.live_ms / 1000, config.live_least_ms / 1000
        due = clock()
        async with self._link(known) as link:
            while True:
                await out.waits(known.node)
                await asyncio.sleep(max(0.0, due - clock()))
                try:
                    frame = out.frame(known.node, self._node.exchange.epoch)
                    due = clock() + max(least, full * len(frame or b"") / config.live_bytes)
                    if frame is not None:
                        await link.live(frame)
                except AldisError as error:
                    _log.info("live frame lost", partner=known.node, code=error.code)
                except Exception as error:
                    out.forget(known.node)
                    due = clock() + _IDLE_S
                    _log.error("live frame lost", partner=known.node, **fault(error))


async def serve(node: Node, *, ready: Callable[[str], None], ending: asyncio.Event) -> None:
    """Run a node until `ending`; `ready` is told its address once partners can reach it."""
    service = Service(node)
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    address = await service.start()
    try:
        ready(address)
        await ending.wait()
    finally:
        await service.stop()
