"""One nation's node: all of its parts, joined. It does no network I/O itself; `service` and tests carry its calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from aldis.app import App, find_apps
from aldis.kernel.records import Record
from aldis.kernel.signatures import algorithm_named
from aldis.node.attachments import Attachments
from aldis.node.audit import Audit
from aldis.node.authorship import OWN_KINDS
from aldis.node.clock import Clock, SystemClock
from aldis.node.context import NodeContext
from aldis.node.core import Core
from aldis.node.desk import Desk
from aldis.node.epochs import Epochs
from aldis.node.exchange import Exchange
from aldis.node.feeds import Feeds
from aldis.node.files import Files
from aldis.node.flows import Flows
from aldis.node.foreign import Foreign
from aldis.node.giving import Giving
from aldis.node.home import Home
from aldis.node.inbound import Inbound
from aldis.node.inquiry import Inquiry
from aldis.node.key_access import KeyServer
from aldis.node.leaves import Leaves
from aldis.node.live import LiveIn, LiveOut
from aldis.node.meaning import Meaning
from aldis.node.outbound import Outbound
from aldis.node.partners import Partners
from aldis.node.people import People, Sights
from aldis.node.recalls import Recalls
from aldis.node.records import Records
from aldis.node.register import Register
from aldis.node.replay import Replay
from aldis.node.replaying import Replaying
from aldis.node.retention import Retention
from aldis.node.saved import SavedSearches
from aldis.node.showing import Showing
from aldis.node.store import Store

__all__ = ["Node"]


class Node:
    """A node opened from its folder; close it when done."""

    def __init__(self, core: Core, apps: Mapping[str, App]) -> None:
        self.core = core
        self.apps = apps
        self._owners = {kind.name: app for app in apps.values() for kind in app.kinds}
        self.audit = Audit(core)
        self.partners = Partners(core, self.audit)
        self.epochs = Epochs(core, self.partners)
        self.people = People(core, self.audit)
        self.sights = Sights(core, self.epochs, self.partners)
        self.outbound = Outbound(core, self.audit, self.partners, self.epochs)
        self.attachments = Attachments(core, self.audit, self.partners, self.outbound.lets)
        self.meaning = Meaning(core)
        self.records = Records(core, self.audit, self.epochs, self.sights, self.meaning, self.attachments)
        self.saved = SavedSearches(core, self.records)
        self.register = Register(core, self.audit, self.records, self.epochs, self.partners, self.sights)
        self.flows = Flows(core, self.partners, self.sights)
        self.desk = Desk(core, self.audit, self.partners, self.epochs, self.sights)
        self.key_access = KeyServer(core, self.audit, self.sights)
        self.foreign = Foreign(core, self.audit)
        self.replay = Replay(core)
        self.replaying = Replaying(core, self.audit, self.replay)
        self.leaves = Leaves(core, self.records)
        self.live_out = LiveOut(core, self.epochs, self.partners)
        self.showing = Showing(core, self.people, self.records)
        self.giving = Giving(core, self.partners, self.outbound, self.live_out)
        self.context = NodeContext(
            core, self.records, self.register, self.desk, self.partners, self.live_out, self.attachments, self.showing,
            self.giving,
        )  # fmt: skip
        self.live_in = LiveIn(core, self.context.told, self.live_out)
        self.recalls = Recalls(core, self.audit, self.partners, self.attachments, self.sights)
        self.retention = Retention(core, self.audit, self.records, self.recalls)
        self.inquiry = Inquiry(core, self.audit, self.partners, self.attachments, self.sights)
        self.inbound = Inbound(
            core, self.audit, self.partners, self.recalls, self.attachments, self.live_in, self._admitted
        )
        self.exchange = Exchange(core, self.audit, self.partners, self.outbound, self.attachments)
        self.files = Files(core, self.audit, self.partners, self.exchange, self.inbound, self.attachments)
        self.feeds = Feeds(
            core, self.audit, self.partners, self.exchange, self.outbound, self.inbound, self.attachments
        )

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        clock: Clock | None = None,
        random: Callable[[int], bytes] = os.urandom,
        environment: Mapping[str, str] | None = None,
        flags: Mapping[str, Any] | None = None,
        apps: Mapping[str, App] | None = None,
        vfs: str | None = None,
    ) -> Self:
        """The node in the folder `home`; `vfs` names an SQLite file system for its store, which then is its alone.

        Raises:
            InvalidInput: no node there, or settings or keys that cannot be read.
            UnknownTerm: a setting that does not exist.
            Unavailable, VerificationFailed: the store cannot be opened, or is damaged.
        """
        place = Home(home)
        config = place.config(os.environ if environment is None else environment, flags)
        found = find_apps() if apps is None else apps
        kinds = {kind.name: kind for kind in (*OWN_KINDS, *(kind for app in found.values() for kind in app.kinds))}
        secret = place.secret()
        signer, note_signer = place.signer(algorithm_named(config.algorithm)), place.ledger_signer()
        store = Store.open(
            place.store,
            texts={name: kind.text for name, kind in kinds.items() if kind.text},
            secret=secret,
            quarantine_bytes=config.quarantine_mib * 1024 * 1024,
            random=random,
            vfs=vfs,
            alone=vfs is not None,
        )
        core = Core(
            home=place,
            config=config,
            clock=clock or SystemClock(),
            random=random,
            policies=place.policies(),
            kinds=kinds,
            signer=signer,
            note_signer=note_signer,
            secret=secret,
            store=store,
        )
        return cls(core, found)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store, and the files of attachments."""
        self.replaying.stop()
        self.attachments.close()
        self.core.store.close()

    @property
    def name(self) -> str:
        """The node's name."""
        return self.core.node

    def answer(self, sender: str, operation: str, body: bytes | bytearray) -> bytes:
        """The answer to a partner's call; see `Inbound.answer`."""
        return self.inbound.answer(sender, operation, body)

    def _admitted(self, record: Record, _source: str) -> None:
        app = self._owners.get(record.header.kind)
        if app is not None:
            app.on_admitted(record, self.context)
