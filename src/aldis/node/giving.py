"""What partners get of what is here: the decisions of bundles and of live frames, and the values as these take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aldis.app import Given, Live
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.instruments import Transform
from aldis.kernel.records import Portion, Record
from aldis.kernel.release import Permit, Refusal
from aldis.kernel.transforms import Transformed, apply_transforms, describe
from aldis.node.core import Core
from aldis.node.live import LiveOut
from aldis.node.outbound import Outbound
from aldis.node.partners import Partners
from aldis.node.store import Row

__all__ = ["Giving"]

_NOTHING, _WAITS, _THEIRS = Given("withheld"), Given("referred"), Given("theirs")
_Frames = Mapping[str, Mapping[str, Given]]
"""What live frames would take, by record and portion."""


class Giving:
    """Looks, and sends nothing: what it says of a value is what the next bundle or frame would do with it."""

    def __init__(self, core: Core, partners: Partners, out: Outbound, live: LiveOut) -> None:
        self._core = core
        self._partners = partners
        self._out = out
        self._live = live

    def recipients(self) -> Mapping[str, str]:
        """The party of each partner that anything goes to now."""
        return {known.node: known.party for known in self._partners.all() if known.active}

    def given(self, seen: Sequence[Record], node: str, newest: Sequence[Live] = ()) -> Sequence[Mapping[str, Given]]:
        """What a partner gets of the portions of `seen`, and of this node's own values among `newest`.

        A live value stands in for the portion of its record where a frame would take it: else that goes by its rules.

        Raises:
            UnknownTerm: nothing goes to such a partner, or a record is not here.
        """
        if node not in self.recipients():
            raise UnknownTerm(f"nothing goes to {node[:64]!r}", fix="`aldis partners` shows who is active")
        rows = [self._row(one) for one in seen]
        results = self._out.decided(node, rows)
        frames, found = self._frames(node, newest), list[Mapping[str, Given]]()
        for record, row in zip(seen, rows, strict=True):
            live = frames.get(row.id, {}) if row.originator == self._core.node else {}
            if node in (row.originator, row.source):
                found.append(dict.fromkeys(["", *(portion.name for portion in record.portions)], _THEIRS))
            else:
                found.append(self._of(record, results[row.seq], node, live))
        return found

    def _row(self, record: Record) -> Row:
        header = record.header
        row = self._core.store.records.get(header.id, header.version, originator=header.originator)
        if row is None:
            raise UnknownTerm(f"no record {header.id!r} here", fix="`aldis list` and `aldis search` find what is")
        return row

    def _frames(self, node: str, newest: Sequence[Live]) -> _Frames:
        own = [live for live in newest if not live.source]
        found: dict[str, dict[str, Given]] = {}
        for live, (update, transforms) in zip(own, self._live.would_take(node, own), strict=True):
            one = _NOTHING
            if update is not None:
                words = ", ".join(map(describe, transforms))
                one = Given("changed" if update.value != live.update.value else "whole", update.value, words)
            found.setdefault(live.update.id, {})[live.update.portion] = one
        return found

    def _of(
        self, record: Record, result: Permit | Refusal | None, node: str, live: Mapping[str, Given]
    ) -> Mapping[str, Given]:
        if not isinstance(result, Permit):
            waits = result.referred if result is not None else ()
            parts = [("", record.digest), *((portion.name, portion.digest) for portion in record.portions)]
            return {
                **dict.fromkeys(live, _NOTHING),
                **{name: _WAITS if one in waits else _NOTHING for name, one in parts},
            }
        found = {"": Given("whole"), **live}
        for portion in record.portions:
            if found.get(portion.name, _NOTHING) is _NOTHING:
                found[portion.name] = self._portion(portion, result, node)
        return found

    def _portion(self, portion: Portion, result: Permit, node: str) -> Given:
        digest = portion.digest
        if digest in result.delayed:
            return Given("later", due=result.delayed[digest])
        if digest in result.referred:
            return _WAITS
        if digest not in result.portions:
            return _NOTHING
        transforms: Sequence[Transform] = result.transforms.get(digest, ())
        if not transforms:
            return Given("whole", portion.value)
        made = apply_transforms(transforms, portion.value, secret=self._core.secret, partner=node)
        if not isinstance(made, Transformed):
            return _NOTHING
        return Given("changed" if made.value != portion.value else "whole", made.value, made.words)
