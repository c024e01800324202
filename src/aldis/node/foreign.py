"""Policies of others: a SPIF taken in as a table, and rows of equivalence that an officer of this node accepts."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.policies import Direction, Policies, builtin_tables
from aldis.kernel.policies.spif import Imported, read_spif
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.whole import whole_file

__all__ = ["Foreign"]

_ACCEPTED = "equivalences-accepted"


class Foreign:
    """Writes the node's own policy tables; what it writes counts from the next time the node is opened."""

    def __init__(self, core: Core, audit: Audit) -> None:
        self._core = core
        self._audit = audit

    def take(self, data: bytes, owner: str, actor: str) -> Imported:
        """Take in a SPIF; a later version of one that is here takes its place.

        Raises:
            InvalidInput: it cannot be kept whole, or its name or owner is a built-in policy's.
            UnknownTerm: no such party; or records here have a term that the new version no longer has.
        """
        policies = self._core.policies
        if owner and owner not in policies.parties:
            raise UnknownTerm(f"{owner!r} is not a party", fix="Name it by its ISO 3166 alpha-3 code")
        found = read_spif(data, owner, policies.parties)
        stem = re.sub(r"[^a-z0-9]+", "-", found.name.lower()).strip("-")
        if stem in builtin_tables() or found.name in {name for name in policies.names if not policies.policy(name).uri}:
            raise InvalidInput(f"{found.name} is a built-in policy", fix="Its tables come with Aldis: nothing is to do")
        if not stem or stem.startswith("equivalences"):
            raise InvalidInput(f"policy name {found.name!r} makes no file name", fix="It needs letters or digits")
        self._change(
            f"{stem}.toml", found.table, found.name, "imported", [found.name, f"owner {owner or 'none'}"], actor
        )
        return found

    def accept(
        self, direction: Direction, policy: str, levels: dict[str, str], to: str, because: str, actor: str
    ) -> None:
        """Let rows of equivalence count from today on; a row in force for the same question ends today.

        Raises:
            UnknownTerm: a policy or classification that nobody defined.
            InvalidInput: a policy with itself, or neither taken from a SPIF.
        """
        policies = self._core.policies
        one, other = policies.policy(policy), policies.policy(to)
        if one is other or not (one.uri or other.uri):
            raise InvalidInput(
                f"{policy} and {to}: an officer accepts rows with a policy that was imported",
                fix="Between built-in policies an instrument agrees an equivalence",
            )
        for level, answer in levels.items():
            one.rung(level)
            other.rung(answer)
        today = datetime.fromtimestamp(self._core.clock.now() / 1000, UTC).date()
        path = self._core.home.tables / f"{_ACCEPTED}.toml"
        before = path.read_text("utf-8") if path.exists() else "rows = [\n]\n"
        rows = [_ended(row, direction, policy, to, levels, today) for row in before.splitlines()[1:-1]]
        source = f"accepted by {actor} on {today.isoformat()}: {because}"
        rows += [_row(direction, policy, level, to, answer, today, source) for level, answer in levels.items()]
        told = [f"{direction.value} {policy} {level} to {to} {answer}" for level, answer in levels.items()]
        table = "\n".join(["rows = [", *rows, "]", ""]).encode("utf-8")
        self._change(path.name, table, policy, "equivalence accepted", [because, *told], actor)

    def _change(self, name: str, table: bytes, policy: str, verdict: str, reasons: list[str], actor: str) -> None:
        """Keep what decided until now, check what decides from now on, and write it."""
        core = self._core
        own = (
            {path.stem: path.read_bytes() for path in core.home.tables.glob("*.toml")}
            if core.home.tables.is_dir()
            else {}
        )
        after = Policies.from_tables({**builtin_tables(), **own, Path(name).stem: table})
        for label in (profile.label for profile in core.store.profiles.since(0)):
            after.check(label)
        with core.store.transaction():
            core.store.ledger.add_snapshot(core.policies.tables)
            core.store.ledger.add_snapshot(after.tables)
            self._audit.write("epoch", policy, verdict=verdict, reasons=reasons, actor=actor)
            core.policy_changed()
        core.home.tables.mkdir(mode=0o700, exist_ok=True)
        with whole_file(core.home.tables / name) as file:
            file.write(table)


def _row(direction: Direction, policy: str, level: str, to: str, answer: str, since: date, source: str) -> str:
    fields = {"direction": direction.value, "from": policy, "to": to, "source": source}
    text = ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items())
    levels = f"{json.dumps(level, ensure_ascii=False)} = {json.dumps(answer, ensure_ascii=False)}"
    return f"    {{ {text}, levels = {{ {levels} }}, since = {since.isoformat()} }},"


def _ended(row: str, direction: Direction, policy: str, to: str, levels: dict[str, str], today: date) -> str:
    """The row as it was, or ending today where one of `levels` answers its question anew."""
    quoted = [json.dumps(text, ensure_ascii=False) for text in (direction.value, policy, to)]
    head = f"    {{ direction = {quoted[0]}, from = {quoted[1]}, to = {quoted[2]}, "
    asked = any(f"levels = {{ {json.dumps(level, ensure_ascii=False)} = " in row for level in levels)
    if row.startswith(head) and asked and ", until = " not in row.rpartition("}, since = ")[2]:
        return row.removesuffix(" },") + f", until = {today.isoformat()} }},"
    return row
