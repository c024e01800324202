"""The report as one page: no script, nothing from elsewhere, and every value escaped."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from aldis.apps.experiments.report.document import Document
from aldis.apps.experiments.report.wording import shown
from aldis.kernel.encoding import sha256

__all__ = ["page"]

_TEMPLATES = Path(__file__).parent / "templates"


def page(document: Document) -> bytes:
    """The page, in UTF-8: the same document gives the same bytes.

    Its own policy (Content-Security-Policy, by the hash of its one stylesheet) lets it load nothing and run nothing.
    """
    style = _style()
    hashed = base64.b64encode(sha256(style.encode())).decode()
    made = _environment().get_template("report.html")
    text = made.render(document=document, style=Markup(style), style_hash=f"sha256-{hashed}")  # noqa: S704 - our own
    return text.encode("utf-8", "backslashreplace")


@cache
def _style() -> str:
    return (_TEMPLATES / "report.css").read_text("utf-8")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["shown"] = shown
    return made
