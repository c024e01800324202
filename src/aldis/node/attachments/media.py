"""Media types: content that runs, or that a reader would run, is refused unless it is described as what it is.

1 What a content is, is told from its first 8 KiB: by the openings below, after white space, comments and an XML
  declaration (HTML as WHATWG MIME Sniffing section 7.1 has it, with a few tags more), and by puremagic's table.
2 Content that runs (programs, scripts, HTML, SVG) must be described as one of the types listed for it.
3 A description as one of the types in `_SIGNED` needs content that begins like one.
Whatever else there is, text and data without a signature above all, may be described as anything else.
"""

from __future__ import annotations

import mimetypes
import re
from typing import Final

import puremagic

from aldis.kernel.errors import InvalidInput, VerificationFailed

__all__ = ["HEAD", "check_type", "guess_type"]

HEAD: Final = 8192
"""How much of a content is looked at, in bytes."""
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)
_OPENXML: Final = "application/vnd.openxmlformats-officedocument."
_OASIS: Final = "application/vnd.oasis.opendocument."
_SIGNED: Final[dict[str, tuple[bytes, ...]]] = {
    "application/pdf": (b"%PDF-",),
    "application/zip": _ZIP,
    **{_OPENXML + one: _ZIP for one in ("wordprocessingml.document", "spreadsheetml.sheet")},
    _OPENXML + "presentationml.presentation": _ZIP,
    **{_OASIS + one: _ZIP for one in ("text", "spreadsheet", "presentation", "graphics")},
    **dict.fromkeys(("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"), _OLE),
    "application/gzip": (b"\x1f\x8b",),
    "application/x-7z-compressed": (b"7z\xbc\xaf\x27\x1c",),
    "application/vnd.sqlite3": (b"SQLite format 3\x00",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/tiff": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    "image/bmp": (b"BM",),
}
_PROGRAM: Final = frozenset(
    {
        "application/x-executable", "application/x-elf", "application/x-sharedlib", "application/x-msdownload",
        "application/x-dosexec", "application/vnd.microsoft.portable-executable", "application/x-mach-binary",
        "application/java-vm", "application/wasm", "application/vnd.android.dex", "application/x-ms-shortcut",
    }
)  # fmt: skip
_SCRIPT: Final = frozenset(
    {
        "application/x-sh", "application/x-shellscript", "text/x-shellscript", "text/x-sh", "text/x-python",
        "text/x-perl", "text/x-ruby", "text/javascript", "application/javascript", "application/x-python-code",
        "application/x-php", "text/x-script",
    }
)  # fmt: skip
_PAGE: Final = frozenset({"text/html", "application/xhtml+xml"})
_DRAWING: Final = frozenset({"image/svg+xml"})
_BINARY: Final = (
    b"\x7fELF", b"MZ", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe", b"\x00asm", b"dex\n", b"L\x00\x00\x00\x01\x14\x02\x00",
)  # fmt: skip
_PROLOGUE: Final = re.compile(rb"(?:\s+|<\?xml[^>]*>|<!--.*?-->|<!doctype\s+svg[^>]*>)+", re.I | re.S)
_TAGS: Final = re.compile(
    rb"<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|form|object|embed|meta"
    rb"|link|base|frameset|img|span)[\s>/]|<!--",
    re.I,
)
_SVG: Final = re.compile(rb"<(?:[a-z]+:)?svg[\s>]", re.I)
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_TABLE: Final = mimetypes.MimeTypes(filenames=())
_MORE: Final = {".md": "text/markdown", ".csv": "text/csv", ".kml": "application/vnd.google-earth.kml+xml"}


def check_type(head: bytes, media_type: str, name: str = "") -> None:
    """Return if content that begins with `head` (its first HEAD bytes, or all of it) may be described as that.

    Raises:
        VerificationFailed: it is something else, that runs; or it lacks the signature of what it is said to be.
    """
    runs, types = _running(head)
    if runs and media_type not in types:
        what = f"attachment {name!r}" if name else "an attachment"
        raise VerificationFailed(
            f"{what} is described as {media_type} and is {runs}",
            fix=f"Describe it as what it is: {', '.join(sorted(types))}",
        )
    signatures = _SIGNED.get(media_type)
    if signatures and not head.startswith(signatures):
        what = f"attachment {name!r}" if name else "an attachment"
        raise VerificationFailed(
            f"{what} is described as {media_type} and does not begin like one",
            fix="Describe it as what it is, or as application/octet-stream",
        )


def guess_type(name: str) -> str:
    """The media type that a file name tells, from a table of our own; `application/octet-stream` where it tells none.

    Raises:
        InvalidInput: the name has no readable ending.
    """
    found = _TABLE.guess_type(name.lower(), strict=True)
    dot = name.rfind(".")
    if not name:
        raise InvalidInput("an attachment needs a name", fix="Give the file a name")
    by_end = _MORE.get(name[dot:].lower()) if dot >= 0 else None
    if by_end:
        return by_end
    if found[1] == "gzip":
        return "application/gzip"
    return found[0] if found[0] and not found[1] else "application/octet-stream"


def _running(head: bytes) -> tuple[str, frozenset[str]]:
    """What a content that runs is, and as what it may be described; empty where it does not run."""
    if head.startswith(_BINARY):
        return "a program", _PROGRAM
    text = _plain(head)
    if text.startswith(b"#!"):
        return "a script", _SCRIPT
    begun = _PROLOGUE.match(text)
    text = text[begun.end() :] if begun else text
    if _TAGS.match(text):
        return "an HTML page", _PAGE
    if _SVG.match(text):
        return "an SVG drawing, which can hold scripts", _DRAWING
    return _by_table(head)


def _plain(head: bytes) -> bytes:
    """The text as one byte a character, as far as marks and tags go."""
    if head.startswith(_MARKS[1:]) or head[1:2] == b"\x00" or head[:1] == b"\x00":
        head = head.replace(b"\x00", b"")
    for mark in _MARKS:
        head = head.removeprefix(mark)
    return head.lstrip()


def _by_table(head: bytes) -> tuple[str, frozenset[str]]:
    try:
        found = puremagic.magic_string(head) if head else []
    except (puremagic.PureError, ValueError):
        return "", frozenset()
    best = max((one.confidence for one in found), default=0)
    types = {one.mime_type for one in found if one.confidence == best}
    for said, kinds in (("a program", _PROGRAM), ("a script", _SCRIPT), ("an HTML page", _PAGE)):
        if types and types <= kinds:
            return said, kinds
    return "", frozenset()
