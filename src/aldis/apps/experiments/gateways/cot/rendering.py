"""Events as XML. The text around the values depends on their names alone, so it is made once for each set of names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aldis.apps.experiments.gateways.cot.event import Event
from aldis.apps.experiments.gateways.cot.rows import TRACK
from aldis.apps.experiments.gateways.cot.scanner import scan
from aldis.apps.experiments.gateways.cot.times import date_text
from aldis.apps.experiments.gateways.cot.values import Native, give_flag
from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["DECLARATION", "SPECIAL", "TIMES", "element_text", "fits", "render", "render_detail", "shown", "template"]

DECLARATION = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
TIMES = frozenset({"event@time", "event@start", "event@stale"})
SPECIAL = re.compile('[<>&"\t\n\r]')
_ESCAPED = {"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_ODD = TIMES | {row.native for row in TRACK.rows if row.give is give_flag}
_STEP = r"[A-Za-z_][\w.\-]*"
_PATH = re.compile(
    rf"(?:event|point|control)@{_STEP}|detail(?:/{_STEP}(?:\[\d{{1,4}}\])?){{1,6}}(?:@{_STEP})?", re.ASCII
)
_SLOT = re.compile("\0(\\d+)\0")
_LIMIT = 512
_USUAL = 100  # values of an event whose template is worth keeping


@dataclass(slots=True)
class _Element:
    name: str
    attributes: str = ""
    text: str = ""
    children: dict[str, _Element] = field(default_factory=dict)
    raw: str = ""


@dataclass(frozen=True, slots=True)
class _Template:
    """`text` with a `%s` for each value; which value it is, unless they stand in order, and how it is written."""

    text: str
    order: tuple[int, ...] | None
    forms: tuple[Callable[[Native], str], ...]
    odd: tuple[tuple[int, Callable[[Native], str]], ...]

    def fill_plain(self, values: Sequence[Native]) -> str:
        """As `fill`, of values whose texts need no escape and whose numbers are as `str` writes them."""
        said = list(values) if self.order is None else [values[index] for index in self.order]
        for place, form in self.odd:
            said[place] = form(said[place])
        return self.text % tuple(said)

    def fill(self, values: Sequence[Native]) -> str:
        said = values if self.order is None else [values[index] for index in self.order]
        return self.text % tuple([form(value) for form, value in zip(self.forms, said, strict=True)])


_templates: dict[tuple[str, ...], _Template] = {}
_details: dict[tuple[str, ...], _Template] = {}


def render(event: Event) -> str:
    """`event` as one element, without a declaration."""
    if event.rest:
        return _template(_shape(_tree(event.names, event.rest)), event.names).fill(event.values)
    if len(event.names) > _USUAL:
        return _template(_shape(_tree(event.names, ())), event.names).fill(event.values)
    made = _templates.get(event.names)
    if made is None:
        if len(_templates) >= _LIMIT:
            _templates.clear()
        made = _templates[event.names] = _template(_shape(_tree(event.names, ())), event.names)
    return made.fill_plain(event.values) if event.plain else made.fill(event.values)


def render_detail(names: tuple[str, ...], values: Sequence[Native], rest: Sequence[tuple[str, str]]) -> str:
    """What stands within `detail`, as TAK protobuf has it in `xmlDetail`; `names` and `rest` are all below it."""
    if rest or len(names) > _USUAL:
        return _template(_within(_tree(names, rest).children["detail"]), names).fill(values)
    made = _details.get(names)
    if made is None:
        if len(_details) >= _LIMIT:
            _details.clear()
        made = _details[names] = _template(_within(_tree(names, ()).children["detail"]), names)
    return made.fill(values)


def _tree(names: Sequence[str], rest: Sequence[tuple[str, str]]) -> _Element:
    root = _Element("event")
    for index, name in enumerate(names):
        path, _, attribute = name.partition("@")
        element = _at(root, path)
        if attribute:
            element.attributes += f' {attribute}="\0{index}\0"'
        else:
            element.text = f"\0{index}\0"
    for place, text in rest:
        _at(root, place.rpartition("/")[0] or "event").raw += text
    return root


def _at(root: _Element, path: str) -> _Element:
    element = root
    if path != "event":
        for step in path.split("/"):
            element = element.children.setdefault(step, _Element(step.partition("[")[0]))
    return element


def _shape(element: _Element) -> str:
    within = _within(element)
    start = f"<{element.name}{element.attributes}"
    return f"{start}>{within}</{element.name}>" if within else f"{start}/>"


def _within(element: _Element) -> str:
    # as deep as a path is long, which `_PATH` bounds
    return element.text + "".join([_shape(child) for child in element.children.values()]) + element.raw


def _template(shape: str, names: Sequence[str]) -> _Template:
    pieces = _SLOT.split(shape)
    order = tuple(int(index) for index in pieces[1::2])
    text = "%s".join([piece.replace("%", "%%") for piece in pieces[::2]])
    forms = tuple(_shown_time if names[index] in TIMES else shown for index in order)
    odd = tuple((place, forms[place]) for place, index in enumerate(order) if names[index] in _ODD)
    return _Template(text, None if order == tuple(range(len(names))) else order, forms, odd)


def template(names: Sequence[str]) -> tuple[str, Sequence[int]]:
    """The text of an event of `names`, with `%s` for each value, and which value each is."""
    made = _template(_shape(_tree(names, ())), names)
    return made.text, range(len(names)) if made.order is None else made.order


def fits(path: str) -> bool:
    """Whether `path` may name a value or an element of an event."""
    return _PATH.fullmatch(path) is not None


def element_text(text: str, name: str) -> bool:
    """Whether `text` is one element called `name`, and nothing else; prefixes are declared elsewhere, and refused."""
    try:
        node = scan(text)
    except Damaged:
        return False
    nodes = [node]
    for one in nodes:
        nodes += one.children
        if ":" in one.name or any(":" in attribute for attribute in one.attributes):
            return False
    return node.name == name and (node.start, node.stop) == (0, len(text))


def shown(value: Native) -> str:
    """A value as the text of an attribute or element."""
    if isinstance(value, str):
        return SPECIAL.sub(_escape, value) if SPECIAL.search(value) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def _escape(found: re.Match[str]) -> str:
    return _ESCAPED[found[0]]


def _shown_time(value: Native) -> str:
    return date_text(value) if isinstance(value, int) else shown(value)
