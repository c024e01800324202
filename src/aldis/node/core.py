"""What every part of a node is given: its settings, keys, clock, rules and store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aldis.kernel.policies import Policies
from aldis.kernel.records import Kind
from aldis.node.clock import Clock
from aldis.node.config import Config
from aldis.node.home import Home
from aldis.node.keys import NodeSigner, NoteSigner
from aldis.node.store import Store

__all__ = ["Core", "ledger_name"]

_POLICY = "policy changes"


@dataclass(frozen=True, slots=True)
class Core:
    """One node's parts that do not change while it runs; `random(n)` gives n unguessable bytes."""

    home: Home
    config: Config
    clock: Clock
    random: Callable[[int], bytes]
    policies: Policies
    kinds: Mapping[str, Kind]
    signer: NodeSigner
    note_signer: NoteSigner
    secret: bytes
    store: Store

    @property
    def node(self) -> str:
        """This node's name."""
        return self.config.node

    @property
    def party(self) -> str:
        """The party it belongs to."""
        return self.config.party

    @property
    def ledger(self) -> str:
        """The name of this node's ledger, and of the key that signs it."""
        return ledger_name(self.config.node)

    def policy_changed(self) -> None:
        """Say, in the transaction that is open, that an instrument, a partner or a hold has changed."""
        self.store.meta.set_number(_POLICY, self.store.meta.number(_POLICY) + 1)

    def policy_change(self) -> int:
        """Grows with each change, whichever process made it."""
        return self.store.meta.number(_POLICY)


def ledger_name(node: str) -> str:
    """The origin line of a node's checkpoints (C2SP tlog-checkpoint)."""
    return f"aldis.invalid/{node}"
