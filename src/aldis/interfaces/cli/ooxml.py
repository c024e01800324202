"""Word documents with an embedded binding: written whole, and read for their label alone.

Sources: ECMA-376 parts 1 and 2 (WordprocessingML, OPC); ADatP-4778.2(A)(1) chapter 5 (OOXML binding profile).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from aldis.kernel.bindings import NAMESPACE, Binding, problems, read_binding, refer, write_binding
from aldis.kernel.errors import InvalidInput, TooLarge, VerificationFailed
from aldis.kernel.markings.adatp4774 import Confidentiality
from aldis.kernel.policies import Policies

__all__ = ["Paragraph", "embedded", "write_docx"]

_PACK = "pack:///"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument."
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MOST = 64 * 1024 * 1024
_PARTS = 2000
_BOUND = re.compile(
    r"word/(document|styles|header\d*|footer\d*|footnotes|endnotes|comments|commentsExtended)\.xml|word/media/.+"
    r"|docProps/(core|app|custom)\.xml"
)
"""Parts that a binding of a whole document refers to where they are there (tables 5-2 and 5-3)."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph with its portion mark; `heading` is its level, or 0."""

    mark: str
    text: str
    heading: int = 0
    code: bool = False


def write_docx(
    banner: str, paragraphs: Iterable[Paragraph], labels: Sequence[Confidentiality], policies: Policies
) -> bytes:
    """A document with the banner on top and bottom of each page, and its binding in a custom XML part."""
    parts = {
        "word/document.xml": _document(paragraphs),
        "word/header1.xml": _margin("hdr", banner),
        "word/footer1.xml": _margin("ftr", banner),
    }
    references = tuple(refer(_PACK + name, data, "application/xml") for name, data in parts.items())
    parts["customXml/item1.xml"] = write_binding(Binding(tuple(labels), references), policies)
    parts["customXml/itemProps1.xml"] = _properties()
    parts["[Content_Types].xml"] = _content_types()
    parts["_rels/.rels"] = _relations({"rId1": ("officeDocument", "word/document.xml")})
    parts["word/_rels/document.xml.rels"] = _relations(
        {
            "rId1": ("header", "header1.xml"),
            "rId2": ("footer", "footer1.xml"),
            "rId3": ("customXml", "../customXml/item1.xml"),
        }
    )
    parts["customXml/_rels/item1.xml.rels"] = _relations({"rId1": ("customXmlProps", "itemProps1.xml")})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name in sorted(parts):
            package.writestr(zipfile.ZipInfo(name, _LONG_AGO), parts[name], zipfile.ZIP_DEFLATED)
    return file.getvalue()


def embedded(data: bytes, policies: Policies) -> tuple[Binding, tuple[str, ...]]:
    """The binding inside an OOXML package, and what does not hold, a sentence each.

    Raises:
        VerificationFailed: no binding, or more than one.
        InvalidInput, UnknownTerm: not such a package, or a binding that cannot be read.
        TooLarge: over 64 MiB unpacked.
    """
    parts = _unpacked(data)
    space = NAMESPACE.encode()
    found = [name for name in parts if re.fullmatch(r"customXml/[^/]+\.xml", name) and _is_binding(parts[name], space)]
    if len(found) != 1:
        what = "no binding" if not found else f"{len(found)} bindings ({', '.join(found)})"
        raise VerificationFailed(f"the package holds {what}", fix="Label it again: its profile asks for one")
    binding = read_binding(parts[found[0]], policies)
    bound = {one.uri for one in binding.references}
    loose = [name for name in parts if _BOUND.fullmatch(name) and _PACK + name not in bound]
    wrong = problems(binding, lambda uri: parts.get(uri.removeprefix(_PACK)) if uri.startswith(_PACK) else None)
    return binding, (*wrong, *(f"{_PACK}{name} is there and not bound" for name in loose))


def _is_binding(data: bytes, space: bytes) -> bool:
    return space in data and b"BindingInformation" in data


def _unpacked(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            entries = package.infolist()
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names):
                raise InvalidInput("the package holds a part twice")
            if len(entries) > _PARTS or sum(entry.file_size for entry in entries) > _MOST:
                raise TooLarge(f"the package unpacks to over {_MOST:,} bytes or {_PARTS:,} parts")
            return {entry.filename: _part(package, entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise InvalidInput(f"not an Office document: {error}") from error


def _part(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with package.open(entry) as part:
        data = part.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise TooLarge(f"{entry.filename} is larger than it says")
    return data


def _document(paragraphs: Iterable[Paragraph]) -> bytes:
    body = "".join(map(_paragraph, paragraphs))
    ends = '<w:headerReference w:type="default" r:id="rId1"/><w:footerReference w:type="default" r:id="rId2"/>'
    inside = f"<w:body>{body}<w:sectPr>{ends}</w:sectPr></w:body>"
    return f'{_HEAD}<w:document xmlns:w="{_W}" xmlns:r="{_OFFICE}">{inside}</w:document>'.encode()


def _paragraph(one: Paragraph) -> str:
    size = {1: 36, 2: 28}.get(one.heading, 22)
    look = f'{"<w:b/>" if one.heading else ""}<w:sz w:val="{size}"/>'
    font = '<w:rFonts w:ascii="Courier New" w:hAnsi="Courier New"/>' if one.code else ""
    return f"<w:p>{_run(one.mark + ' ', look)}{_run(one.text, font + look)}</w:p>"


def _run(text: str, look: str) -> str:
    lines = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in text.split("\n"))
    return f"<w:r><w:rPr>{look}</w:rPr>{lines}</w:r>"


def _margin(kind: str, banner: str) -> bytes:
    centred = '<w:pPr><w:jc w:val="center"/></w:pPr>'
    return f'{_HEAD}<w:{kind} xmlns:w="{_W}"><w:p>{centred}{_run(banner, "<w:b/>")}</w:p></w:{kind}>'.encode()


def _relations(targets: Mapping[str, tuple[str, str]]) -> bytes:
    rows = "".join(
        f'<Relationship Id="{id_}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for id_, (kind, target) in targets.items()
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'{_HEAD}<Relationships xmlns="{space}">{rows}</Relationships>'.encode()


def _content_types() -> bytes:
    special = {
        "/word/document.xml": "wordprocessingml.document.main+xml",
        "/word/header1.xml": "wordprocessingml.header+xml",
        "/word/footer1.xml": "wordprocessingml.footer+xml",
        "/customXml/itemProps1.xml": "customXmlProperties+xml",
    }
    rows = "".join(f'<Override PartName="{name}" ContentType="{_TYPES}{kind}"/>' for name, kind in special.items())
    usual = (
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    )
    space = "http://schemas.openxmlformats.org/package/2006/content-types"
    return f'{_HEAD}<Types xmlns="{space}">{usual}{rows}</Types>'.encode()


def _properties() -> bytes:
    space = "http://schemas.openxmlformats.org/officeDocument/2006/customXml"
    item = "{6F2A3E0C-8C6B-4D11-9D5E-0A1B5C7D9E21}"
    schema = f'<ds:schemaRefs><ds:schemaRef ds:uri="{NAMESPACE}"/></ds:schemaRefs>'
    return f'{_HEAD}<ds:datastoreItem ds:itemID="{item}" xmlns:ds="{space}">{schema}</ds:datastoreItem>'.encode()
