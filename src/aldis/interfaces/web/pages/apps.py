"""The pages and streams of an app: its handlers called for who asks, its templates below the node's frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.routing import compile_path

from aldis.app import App, Go, Handed, Page, Shown
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import CSRF, Fields, asked, read_fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.markings import Markings
from aldis.interfaces.web.stream import Feed
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.errors import AldisError
from aldis.node.people import Person

__all__ = ["views"]

_LOOK_S = 0.1


def views(name: str, app: App, frame: Frame) -> Sequence[View]:
    """A view for each path of an app's pages; a form that fails is shown again on the page that it stands on."""
    pages = app.pages()
    shown = {page.path: page for page in pages if page.method == "GET"}
    forms = {page.path: page for page in pages if page.method == "POST"}
    return [
        *(_stream(name, page, frame) for page in pages if page.method == "FEED"),
        *(_view(name, path, shown.get(path), forms.get(path), shown) for path in dict.fromkeys([*shown, *forms])),
    ]


def _stream(name: str, page: Page, frame: Frame) -> View:
    def feed(visit: Visit) -> Feed:
        look: Any = page.handler(visit.context, asked(visit.query, visit.segments, page.asks))

        def seen(person: Person) -> bytes | None:
            now = replace(visit, person=person)
            found: Shown | bytes | None = look(now.context)
            if not isinstance(found, Shown):
                return found
            if not page.template:
                return _told(found, frame.markings)
            banner, html = frame.part(now, Sheet(page.template, page.title, found.values, found.labels), name)
            return msgspec.json.encode({"banner": banner, "html": html})

        return Feed("feed", seen, _LOOK_S)

    return View(f"/{name}{page.path}", feed, app=name, streams=True)


def _told(shown: Shown, markings: Markings) -> bytes:
    """What is shown, with the banner of it and each marking in it."""
    marks = [markings.chip(label, portion=True) for label in shown.labels]
    return msgspec.json.encode({"banner": markings.banner(shown.labels), "marks": marks, **shown.values})


def _view(name: str, path: str, page: Page | None, form: Page | None, shown: Mapping[str, Page]) -> View:
    def show(visit: Visit) -> Sheet | Go | Handed:
        if page is not None:
            fields = Fields() if visit.form else visit.query
            return _answer(name, page, visit, fields, visit.segments)
        return _origin(name, form, visit, shown)

    def act(visit: Visit) -> Sheet | Go | Handed:
        assert form is not None
        return _answer(name, form, visit, visit.form, visit.segments)

    files = form is not None and form.files
    path = f"/{name}{path}".rstrip("/")
    return View(path, show, act if form else None, reads=page is not None, app=name, files=files)


def _answer(name: str, page: Page, visit: Visit, fields: Fields, segments: Mapping[str, str]) -> Sheet | Go | Handed:
    answer: Any = page.handler(visit.context, asked(fields, segments, page.asks))
    if isinstance(answer, Go):
        return Go(f"/{name}{answer.path}")
    if isinstance(answer, Handed):
        return answer
    return Sheet(page.template, page.title, answer.values, answer.labels, workers=page.workers)


def _origin(name: str, form: Page | None, visit: Visit, shown: Mapping[str, Page]) -> Sheet | Go | Handed:
    """The page that a form stands on, by the address that the browser gives; without one, the form's fields alone."""
    parts = urlsplit(visit.referer)
    for path, page in shown.items():
        pattern, _, _ = compile_path(f"/{name}{path}".rstrip("/"))
        found = pattern.match(parts.path)
        if found:
            try:
                segments: Mapping[str, str] = MappingProxyType(dict(found.groupdict()))
                there = replace(visit, query=read_fields(parts.query))
                return _answer(name, page, there, there.query, segments)
            except AldisError:
                break
    fields = [(field, value) for field, value in visit.form.pairs() if field != CSRF]
    return Sheet("mend.html", form.title if form else "", {"fields": fields, "action": visit.path})
