"""XML from strangers, as small trees: no DTD, entity, processing instruction or mixed content, and limits on all.

Built on expat with hooks that refuse, so nothing is ever fetched or expanded. Source: XML 1.0 (fifth edition) and
Namespaces in XML 1.0; what is refused follows the OWASP list for XML parsers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["XML_LIMIT", "Element", "parse_xml", "write_xml"]

XML_LIMIT = 4 * 1024 * 1024
"""The greatest size of a document in bytes."""
_DEPTH = 24
_ELEMENTS = 50_000
_ATTRIBUTES = 32
_XML = "http://www.w3.org/XML/1998/namespace"


@dataclass(frozen=True, slots=True)
class Element:
    """One element; `name` and attribute names are `{namespace}local`, without braces where there is no namespace."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple[Element, ...] = ()

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return self.name.rpartition("}")[2]

    def all(self, name: str) -> Iterator[Element]:
        """The children of this name, in order."""
        return (child for child in self.children if child.name == name)

    def only(self, name: str) -> Element:
        """The one child of this name; InvalidInput where there is none or more than one."""
        found = list(self.all(name))
        if len(found) != 1:
            what = "is missing" if not found else f"is there {len(found)} times"
            raise InvalidInput(f"{self.local}: {name.rpartition('}')[2]} {what}", fix="It must be there once")
        return found[0]

    def maybe(self, name: str) -> Element | None:
        """The one child of this name, or None."""
        return self.only(name) if any(self.all(name)) else None

    def attribute(self, name: str) -> str:
        """An attribute that must be there."""
        if name not in self.attributes:
            raise InvalidInput(f"{self.local}: attribute {name} is missing", fix="Add it")
        return self.attributes[name]

    def closed(self, children: frozenset[str], attributes: frozenset[str] = frozenset()) -> Element:
        """This element, which may hold no child or attribute but these; no text either where it may hold children."""
        for kind, found, known in (
            ("element", (child.name for child in self.children), children),
            ("attribute", iter(self.attributes), attributes),
        ):
            for name in found:
                if name not in known:
                    raise InvalidInput(
                        f"{self.local}: {kind} {name!r} is not understood, and leaving it out could widen access",
                        fix="Ask its maker for a document without it",
                    )
        if children and self.text:
            raise InvalidInput(f"{self.local}: stray text {self.text[:40]!r}")
        return self


class _Open:
    """An element that is not closed yet."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.text: list[str] = []
        self.children: list[Element] = []


def parse_xml(data: bytes, most: int = XML_LIMIT) -> Element:
    """The root of a document in UTF-8; text is stripped of white space around it.

    Raises:
        TooLarge: over `most` bytes, 24 levels or 50,000 elements.
        InvalidInput: not well-formed, or with a part that is refused.
    """
    if len(data) > most:
        raise TooLarge(f"an XML document of {len(data):,} bytes; the limit is {most:,}")
    stack, done, count = [_Open("", {})], list[Element](), 0
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > _DEPTH or count > _ELEMENTS or len(attributes) > _ATTRIBUTES:
            raise TooLarge(
                f"XML deeper than {_DEPTH}, or of more than {_ELEMENTS:,} elements or {_ATTRIBUTES} attributes"
            )
        stack.append(_Open(_braced(name), {_braced(key): value for key, value in attributes.items()}))

    def end(_name: str) -> None:
        this = stack.pop()
        text = "".join(this.text).strip()
        if text and this.children:
            raise InvalidInput(f"{this.name.rpartition('}')[2]}: text {text[:40]!r} between elements")
        element = Element(this.name, this.attributes, text, tuple(this.children))
        if len(stack) == 1:
            done.append(element)
        else:
            stack[-1].children.append(element)

    def refuse(what: str) -> NoReturn:
        raise InvalidInput(f"XML with {what} is never read", fix="Ask its maker for a document without it")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: stack[-1].text.append(text)
    parser.StartDoctypeDeclHandler = lambda *_: refuse("a document type declaration")
    parser.EntityDeclHandler = lambda *_: refuse("an entity")
    parser.ExternalEntityRefHandler = lambda *_: refuse("an external entity")
    parser.ProcessingInstructionHandler = lambda *_: refuse("a processing instruction")
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError) as error:
        raise InvalidInput(f"not XML in UTF-8: {error}", fix="Mend it, or ask its maker for it again") from error
    return done[0]


def _braced(name: str) -> str:
    return "{" + name if "}" in name else name


def write_xml(root: Element, prefixes: Mapping[str, str]) -> bytes:
    """The document of `root`, declaring `prefixes` (namespace to prefix) at its root; every namespace needs one.

    Raises:
        InvalidInput: a character that XML cannot hold.
    """
    declared = {f"xmlns:{prefix}": space for space, prefix in prefixes.items()}
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_lines(root, prefixes, declared, 0))
    if any((ord(one) < 0x20 and one not in "\t\n\r") or one in "\ufffe\uffff" for one in text):
        raise InvalidInput("a control character cannot stand in XML", fix="Leave it out")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput("a lone surrogate cannot stand in XML", fix="Leave it out") from error


def _lines(one: Element, prefixes: Mapping[str, str], extra: Mapping[str, str], depth: int) -> Iterator[str]:
    indent, tag = "  " * depth, _qualified(one.name, prefixes)
    given = {_qualified(name, prefixes): value for name, value in one.attributes.items()}
    head = f"{indent}<{tag}" + "".join(f" {name}={quoteattr(value)}" for name, value in {**extra, **given}.items())
    if one.children:
        yield f"{head}>\n"
        for child in one.children:
            yield from _lines(child, prefixes, {}, depth + 1)
        yield f"{indent}</{tag}>\n"
    else:
        yield f"{head}>{escape(one.text, {chr(13): '&#13;'})}</{tag}>\n" if one.text else f"{head}/>\n"


def _qualified(name: str, prefixes: Mapping[str, str]) -> str:
    space, _, local = name.rpartition("}")
    if not space:
        return local
    return f"xml:{local}" if space[1:] == _XML else f"{prefixes[space[1:]]}:{local}"
