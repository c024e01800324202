"""The pages and streams of an app: its handlers called for who asks, its templates below the node's frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import compile_path

from aldis.app import App, Go, Page
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import CSRF, Fields, asked, read_fields
from aldis.interfaces.web.stream import Feed
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.errors import AldisError
from aldis.node.people import Person

__all__ = ["views"]

_LOOK_S = 0.1


def views(name: str, app: App) -> Sequence[View]:
    """A view for each path of an app's pages; a form that fails is shown again on the page that it stands on."""
    pages = app.pages()
    shown = {page.path: page for page in pages if page.method == "GET"}
    forms = {page.path: page for page in pages if page.method == "POST"}
    return [
        *(_stream(name, page) for page in pages if page.method == "FEED"),
        *(_view(name, path, shown.get(path), forms.get(path), shown) for path in dict.fromkeys([*shown, *forms])),
    ]


def _stream(name: str, page: Page) -> View:
    def feed(visit: Visit) -> Feed:
        look: Any = page.handler(visit.context, asked(visit.query, visit.segments, page.asks))

        def seen(person: Person) -> bytes | None:
            data: bytes | None = look(replace(visit, person=person).context)
            return data

        return Feed("feed", seen, _LOOK_S)

    return View(f"/{name}{page.path}", feed, app=name, streams=True)


def _view(name: str, path: str, page: Page | None, form: Page | None, shown: Mapping[str, Page]) -> View:
    def show(visit: Visit) -> Sheet | Go:
        if page is not None:
            fields = Fields() if visit.form else visit.query
            return _answer(name, page, visit, fields, visit.segments)
        return _origin(name, form, visit, shown)

    def act(visit: Visit) -> Sheet | Go:
        assert form is not None
        return _answer(name, form, visit, visit.form, visit.segments)

    files = form is not None and form.files
    path = f"/{name}{path}".rstrip("/")
    return View(path, show, act if form else None, reads=page is not None, app=name, files=files)


def _answer(name: str, page: Page, visit: Visit, fields: Fields, segments: Mapping[str, str]) -> Sheet | Go:
    answer: Any = page.handler(visit.context, asked(fields, segments, page.asks))
    if isinstance(answer, Go):
        return Go(f"/{name}{answer.path}")
    return Sheet(page.template, page.title, answer.values, answer.labels, workers=page.workers)


def _origin(name: str, form: Page | None, visit: Visit, shown: Mapping[str, Page]) -> Sheet | Go:
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
