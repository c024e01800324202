"""The part of XML that CoT needs, read strictly: elements, attributes, text, the five entities, character references.

A document type, a processing instruction, an entity of any other name and whatever XML 1.0 does not allow are refused.
Nothing here calls itself, and every count has a limit, so that the work is in proportion to the bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aldis.apps.experiments.gateways.gateway import Damaged

__all__ = ["ILLEGAL", "MAX_EVENT", "Node", "scan"]

MAX_EVENT = 64 * 1024
_MAX_DEPTH = 12
_MAX_ELEMENTS = 4096
_MAX_ATTRIBUTES = 64

# Names in ASCII, as all of CoT's are; the possessive quantifiers keep a failed match from being tried again.
_NAME = r"[^\W\d][\w:.\-]*+"
_TAG = re.compile(
    rf"<(?:(?P<end>/)(?P<closed>{_NAME})\s*+"
    rf"|(?P<name>{_NAME})(?P<attributes>(?:\s++{_NAME}\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'))*+)\s*+(?P<empty>/)?)>",
    re.ASCII,
)
_ATTRIBUTE = re.compile(rf"\s++({_NAME})\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)')", re.ASCII)
_COMMENT = re.compile(r"<!--(?:[^-]|-[^-])*+-->")
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_REFERENCE = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));|&")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_BLANK = str.maketrans("\t\r\n", "   ")
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no character of XML 1.0 (production 2)."""


@dataclass(slots=True)
class Node:
    """An element; `start` and `stop` say where it stands in the text that was scanned."""

    name: str
    attributes: dict[str, str]
    start: int
    stop: int = 0
    text: str = ""
    children: list[Node] = field(default_factory=list)


def scan(text: str) -> Node:
    """The one element that `text` is.

    Raises:
        Damaged: it is not well formed, not in this part of XML, or more than the limits.
    """
    if len(text) > MAX_EVENT:
        raise Damaged("too large")
    if ILLEGAL.search(text):
        raise Damaged("not XML")
    open_nodes: list[Node] = []
    root: Node | None = None
    place = elements = 0
    while place < len(text):
        if text[place] != "<":
            place = _text(text, place, open_nodes)
        elif found := _TAG.match(text, place):
            elements += 1
            if elements > 2 * _MAX_ELEMENTS:
                raise Damaged("too large")
            root = _tag(found, open_nodes, root)
            place = found.end()
        else:
            place = _aside(text, place, open_nodes)
    if root is None or open_nodes:
        raise Damaged("not XML")
    return root


def _tag(found: re.Match[str], open_nodes: list[Node], root: Node | None) -> Node:
    """Open or close an element; the root of the document."""
    if found["end"]:
        if not open_nodes or open_nodes[-1].name != found["closed"]:
            raise Damaged("not XML")
        open_nodes.pop().stop = found.end()
        assert root is not None
        return root
    node = Node(found["name"], _attributes(found["attributes"]), found.start(), found.end())
    if open_nodes:
        open_nodes[-1].children.append(node)
    elif root is not None:
        raise Damaged("not XML")
    if not found["empty"]:
        open_nodes.append(node)
        if len(open_nodes) > _MAX_DEPTH:
            raise Damaged("too deep")
    return root or node


def _attributes(text: str) -> dict[str, str]:
    said = [(name, double or single) for name, double, single in _ATTRIBUTE.findall(text)]
    found = {name: _plain(value.translate(_BLANK)) for name, value in said}
    if len(said) > _MAX_ATTRIBUTES:
        raise Damaged("too large")
    if len(found) != len(said):
        raise Damaged("not XML")
    return found


def _text(text: str, place: int, open_nodes: list[Node]) -> int:
    stop = text.find("<", place)
    stop = len(text) if stop < 0 else stop
    said = text[place:stop]
    if open_nodes and "]]>" not in said:
        open_nodes[-1].text += _plain(said.replace("\r\n", "\n").replace("\r", "\n"))
    elif said.strip(" \t\r\n"):
        raise Damaged("not XML")
    return stop


def _aside(text: str, place: int, open_nodes: list[Node]) -> int:
    """Past a comment or a section of plain characters."""
    if comment := _COMMENT.match(text, place):
        return comment.end()
    if (plain := _CDATA.match(text, place)) and open_nodes:
        open_nodes[-1].text += plain[1]
        return plain.end()
    raise Damaged("refused XML" if text.startswith(("<!", "<?"), place) else "not XML")


def _plain(text: str) -> str:
    """`text` with its references replaced by what they stand for."""
    return _REFERENCE.sub(_meant, text) if "&" in text else text


def _meant(found: re.Match[str]) -> str:
    if found[1]:
        return _ENTITIES[found[1]]
    if not (found[2] or found[3]):
        raise Damaged("refused XML")
    code = int(found[2]) if found[2] else int(found[3], 16)
    if code > 0x10FFFF or ILLEGAL.match(chr(code)):
        raise Damaged("not XML")
    return chr(code)
