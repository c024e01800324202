"""Export-control exemptions as dated, cited rules: which evidence each paragraph asks for, and since when."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import UnknownTerm

__all__ = ["Paragraph", "Rule", "evidence_fields", "rule_at", "rule_dates", "rules_digest"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One condition of a rule, met when every field of `evidence` is stated to be true."""

    id: str
    evidence: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One dated version of an exemption; `start` in milliseconds since 1970 UTC; `source` is its citation."""

    name: str
    title: str
    start: int
    parties: frozenset[str]
    source: str
    paragraphs: tuple[Paragraph, ...]

    def unmet(self, evidence: frozenset[str]) -> Paragraph | None:
        """The first paragraph that the evidence does not meet, or None."""
        return next((p for p in self.paragraphs if not evidence.issuperset(p.evidence)), None)


def _data() -> bytes:
    return files(__package__).joinpath("exemptions.toml").read_bytes()


@cache
def _versions() -> dict[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for row in tomllib.loads(_data().decode())["rule"]:
        start = int(datetime(row["from"].year, row["from"].month, row["from"].day, tzinfo=UTC).timestamp()) * 1000
        paragraphs = tuple(Paragraph(p["id"], tuple(p["evidence"]), p["text"]) for p in row["paragraph"])
        rule = Rule(row["name"], row["title"], start, frozenset(row["parties"]), row["source"], paragraphs)
        found[rule.name] = tuple(sorted((*found.get(rule.name, ()), rule), key=lambda version: version.start))
    return found


def rule_at(name: str, at: int) -> Rule | None:
    """The version of a rule that applies at `at`, or None before its first day; UnknownTerm for no such rule."""
    return next((rule for rule in reversed(_of(name)) if rule.start <= at), None)


def evidence_fields(name: str) -> tuple[str, ...]:
    """Every field of evidence that a version of the rule asks for; UnknownTerm for no such rule."""
    return tuple(dict.fromkeys(field for rule in _of(name) for p in rule.paragraphs for field in p.evidence))


def rule_dates() -> frozenset[int]:
    """The instants at which a version of a rule begins."""
    return frozenset(rule.start for versions in _versions().values() for rule in versions)


@cache
def rules_digest() -> bytes:
    """The digest of the rules as they stand in this release: part of every policy epoch."""
    return sha256(_data())


def _of(name: str) -> tuple[Rule, ...]:
    try:
        return _versions()[name]
    except KeyError:
        known = ", ".join(_versions())
        raise UnknownTerm(f"no exemption rule {name!r}", fix=f"Use one of: {known}") from None
