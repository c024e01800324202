"""Papers as Markdown: TOML between `+++` lines, then each text under a comment that names its portion and marking.

A file without such a head is a document: its first heading is the title, the rest the body.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from aldis.apps.workspace.kinds import by_name
from aldis.apps.workspace.papers import NOTE, STATE, Paper
from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["read_markdown", "write_markdown"]

_FENCE = "+++"
_MOST = 8 * 1024 * 1024
_MARKER = re.compile(r"<!-- portion ([a-z][a-z0-9-]*)(?: .*)? -->")
_END = "<!-- end -->"
_LOOKS = re.compile(r"\\*<!-- (?:portion [a-z].* -->|end -->)")
_HEAD = {"kind", "id", "by", "at", "banner", "about", "state", "values", "marks"}
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def write_markdown(paper: Paper, shown: Mapping[str, str]) -> str:
    """The file of a paper; `shown` are the portion marks that people read, by portion."""
    head = {"kind": paper.kind, "id": paper.id, "by": paper.by, "at": paper.at, "banner": paper.banner}
    head |= {name: value for name, value in (("about", paper.about), ("state", paper.state)) if value}
    lines = [_FENCE, *(f"{name} = {_toml(value)}" for name, value in head.items())]
    for name, table in (("values", paper.values), ("marks", paper.marks)):
        if table:
            lines += ["", f"[{name}]", *(f"{_key(key)} = {_toml(value)}" for key, value in table.items())]
    lines += [_FENCE, "", f"**{paper.banner}**", ""]
    title = paper.texts.get("title", "")
    plain = _is_heading(title)
    if plain:
        lines += [f"# {title}", ""]
    texts = {name: text for name, text in paper.texts.items() if not (plain and name == "title")}
    if paper.note:
        texts[NOTE] = paper.note
    for name, text in texts.items():
        mark = shown.get(name, "")
        lines += [f"<!-- portion {name}{' ' + mark if mark and '--' not in mark else ''} -->"]
        lines += ["\\" + line if _LOOKS.match(line) else line for line in text.split("\n")]
    return "\n".join([*lines, _END, "", f"**{paper.banner}**", ""])


def read_markdown(text: str, where: str) -> Paper:
    """The paper that a file holds; `where` names the file in errors.

    Raises:
        InvalidInput: a head that is not TOML, a field or portion that there is not, text under no portion; each with
            its line.
        TooLarge: over 8 MiB.
    """
    if len(text) > _MOST:
        raise TooLarge(f"{where} has {len(text)} characters; the limit is {_MOST}", fix="Split it")
    lines = text.split("\n")
    if lines[0].rstrip("\r") != _FENCE:
        return _plain(text, where)
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip("\r") == _FENCE), 0)
    if not end:
        raise InvalidInput(f"{where}, line 1: the head that begins here never ends", fix=f"Close it with {_FENCE}")
    head = _read_head("\n".join(line.rstrip("\r") for line in lines[1:end]), where)
    places = dict(_places(lines[:end]))
    texts = dict(_sections(lines, end + 1, where, places))
    for key in sorted(head.keys() - _HEAD):
        raise InvalidInput(f"{where}, line {places.get(key, 1)}: no field {key!r}", fix=f"There are: {_listed(_HEAD)}")
    kind, values, marks = head.get("kind", "document"), head.get("values", {}), head.get("marks", {})
    for name, value, expected in (("values", values, dict), ("marks", marks, dict), ("kind", kind, str)):
        if not isinstance(value, expected):
            raise InvalidInput(f"{where}, line {places.get(name, 1)}: {name} is not of its shape", fix="Mend it")
    try:
        by_name(kind)
    except InvalidInput as error:
        raise InvalidInput(f"{where}, line {places.get('kind', 1)}: {error.args[0]}", fix=error.fix) from error
    for name, value in [*marks.items(), *((key, head.get(key, "")) for key in ("id", "by", "at", "about", STATE))]:
        if not isinstance(value, str):
            raise InvalidInput(f"{where}, line {places.get(name, 1)}: {name} is not text", fix="Put it in quotes")
    note = texts.pop(NOTE, "")
    return Paper(
        kind=kind, texts=texts, values=values, marks=marks, id=head.get("id", ""), by=head.get("by", ""),
        at=head.get("at", ""), about=head.get("about", ""), state=head.get(STATE, ""), note=note, where=where,
        line=lambda name: places.get(name, 1),
    )  # fmt: skip


def _plain(text: str, where: str) -> Paper:
    lines = text.replace("\r\n", "\n").split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise InvalidInput(f"{where}, line 1: nothing is written there", fix="Leave it out")
    titled = lines[first].startswith("# ")
    title = lines[first].removeprefix("# ").strip() if titled else ""
    body = "\n".join(lines[first + 1 :] if titled else lines).strip("\n")
    texts = {name: text for name, text in (("title", title), ("body", body)) if text}
    return Paper(kind="document", texts=texts, values={}, marks={}, where=where, line=lambda _name: (first or 0) + 1)


def _read_head(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) + 1 if found else text.count("\n") + 2
        raise InvalidInput(f"{where}, line {line}: the head is not TOML: {error}", fix="Mend it") from error


def _places(lines: list[str]) -> Iterator[tuple[str, int]]:
    for number, line in reversed([*enumerate(lines, 1)]):
        key = line.partition("=")[0].strip().strip('"')
        if key:
            yield key, number


def _sections(lines: list[str], start: int, where: str, places: dict[str, int]) -> Iterator[tuple[str, str]]:
    """The texts by portion; a heading before the first of them is the title, and banners are for readers alone."""
    name, held, seen = "", list[str](), set[str]()
    for number, line in enumerate(lines[start:], start + 1):
        marker = _MARKER.fullmatch(line.rstrip("\r"))
        if marker is None and line.rstrip("\r") != _END:
            if name:
                held.append(line[1:] if line.startswith("\\") and _LOOKS.match(line) else line)
            elif line.startswith("# ") and "title" not in seen:
                seen.add("title")
                places["title"] = number
                yield "title", line[2:].rstrip("\r")
            elif line.strip() and not line.startswith("**"):
                raise InvalidInput(
                    f"{where}, line {number}: this text belongs to no portion",
                    fix="Put it below a line such as <!-- portion body -->",
                )
            continue
        if name:
            yield name, "\n".join(held)
        name, held = (marker[1] if marker else ""), []
        if name and name in seen:
            raise InvalidInput(f"{where}, line {number}: a second {name!r}", fix="Join the two")
        if name:
            seen.add(name)
            places.setdefault(name, number)
    if name:
        yield name, "\n".join(held).removesuffix("\n")


def _is_heading(title: str) -> bool:
    return bool(title) and title.isprintable() and title == title.strip()


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case dict():
            return "{ " + ", ".join(f"{_key(str(key))} = {_toml(one)}" for key, one in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _toml(name)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
