"""Instruments written back as TOML, normalised."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from aldis.kernel.instruments.clauses import ANY, DAY_MS, Clause, Instrument, Transform

__all__ = ["write_instrument"]


def write_instrument(instrument: Instrument) -> str:
    """The TOML of an instrument, normalised: equal instruments give equal text, and it reads back equal."""
    lines = [
        f"instrument = {_text(instrument.form.value)}",
        f"id = {_text(instrument.id)}",
        f"title = {_text(instrument.title)}",
        f"parties = {_list(instrument.parties)}",
        f"from = {_day(instrument.start)}",
        f"until = {_day(instrument.end - DAY_MS)}",
    ]
    if instrument.under:
        lines.append(f"under = {_text(instrument.under)}")
    if instrument.rule:
        given = [(name, name in instrument.evidence) for name in sorted(instrument.evidence | instrument.denied)]
        lines.append(f"rule = {_text(instrument.rule)}")
        lines += ["", "[evidence]", *(f"{name} = {'true' if held else 'false'}" for name, held in given)]
    for clause in instrument.clauses:
        lines += ["", "[[clause]]", *_clause_lines(clause, instrument)]
    return "\n".join(lines) + "\n"


def _clause_lines(clause: Clause, instrument: Instrument) -> Iterable[str]:
    yield f"id = {_text(clause.id)}"
    if clause.tags:
        yield f"tags = {_list(clause.tags)}"
    yield f"kinds = {_list(clause.kinds)}"
    yield f"projects = {_list(clause.projects)}"
    if clause.purposes:
        yield f"purposes = {_list(clause.purposes)}"
    for key, parties in (("from", clause.givers), ("to", clause.takers)):
        if parties != instrument.parties:
            yield f"{key} = {_list(parties)}"
    if clause.portions != {ANY}:
        yield f"portions = {_list(clause.portions)}"
    if clause.ceiling:
        yield f"ceiling = {{ {', '.join(f'{_text(name)} = {_text(rung)}' for name, rung in clause.ceiling)} }}"
    if clause.categories:
        yield f"categories = {{ {', '.join(f'{_text(tag)} = {_list(values)}' for tag, values in clause.categories)} }}"
    if clause.onward:
        yield f"onward = {_list(clause.onward)}"
    yield from _asks(clause)
    if clause.transforms:
        yield f"transforms = [{', '.join(_transform(transform) for transform in clause.transforms)}]"
    if clause.provisos:
        yield f"provisos = {_text(clause.provisos)}"


def _asks(clause: Clause) -> Iterable[str]:
    if clause.review:
        yield "review = true" if clause.approvals == 1 else f"approvals = {clause.approvals}"
    if clause.decide_within_days:
        yield f"decide_within_days = {clause.decide_within_days}"


def _transform(transform: Transform) -> str:
    fields = [f"portion = {_text(transform.portion)}", f"action = {_text(transform.action.value)}"]
    if transform.grid_m:
        fields.append(f"grid_m = {transform.grid_m}")
    if transform.seconds:
        fields.append(f"seconds = {transform.seconds}")
    return f"{{ {', '.join(fields)} }}"


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes, and DEL, which TOML escapes too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(_text(value) for value in sorted(values))}]"


def _day(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).date().isoformat()
