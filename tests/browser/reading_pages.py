"""A page as the walk reads it: where it leads, what its forms would send, and every marking on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from types import MappingProxyType

__all__ = ["FILLED", "Form", "Reading"]

MARK = "OFFICIAL//REL AUS/GBR"
FILLED: Mapping[str, str] = MappingProxyType(
    {
        "because": "for the walk", "title.value": "Walked", "title": "Walked", "marking": MARK, "project": "WATCH",
        "name": "walked", "id": "walked", "nationality": "AUS", "q": "patrol", "partners": "GBR", "party": "GBR",
        "cleared": "OFFICIAL", "clearance": "OFFICIAL", "text": "Walked on", "person": "originator",
        "until": "2026-02-20", "answer.value": "Walked",
    }
)  # fmt: skip
"""What a field that is empty is filled with, by its name; else by its type."""
TYPES: Mapping[str, str] = MappingProxyType(
    {"date": "2026-02-20", "number": "1", "datetime-local": "2026-02-20T10:00", "time": "10:00", "search": "patrol",
     "month": "2026-02", "color": "#000000", "url": "https://aus.example", "email": "a@aus.example"}
)  # fmt: skip
_LEFT = ("csrf", "password", "again")


@dataclass(frozen=True)
class Form:
    """What one button of a form would send, all of it filled in; `names` are the fields that a person types."""

    action: str
    posts: bool
    fields: Sequence[tuple[str, str]]
    names: Sequence[str] = ()


@dataclass
class _Open:
    action: str
    posts: bool
    id: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    radios: set[str] = field(default_factory=set)
    checked: list[tuple[str, str]] = field(default_factory=list)


class Reading(HTMLParser):
    """One page; `banner` and `marks` are texts."""

    def __init__(self, text: str, path: str = "/") -> None:
        super().__init__()
        self.text, self._path = text, path
        self.links: list[str] = []
        self.ids: list[str] = []
        self.marks: list[str] = []
        self.banner = ""
        self._forms: list[_Open] = []
        self._form: _Open | None = None
        self._select: tuple[str, list[str], list[str]] | None = None
        self._area: tuple[str, bool] | None = None
        self._text: list[str] | None = None
        self._in = ""
        self.feed(text)

    @cached_property
    def forms(self) -> list[Form]:
        """Each form once for each of its buttons."""
        found = []
        for one in self._forms:
            for button in one.buttons or [("", "")]:
                fields = [*one.fields, *([button] if button[0] else [])]
                found.append(Form(one.action, one.posts, fields, one.typed))
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        classes = said.get("class", "").split()
        if "id" in said:
            self.ids.append(said["id"])
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag == "form":
            posts = said.get("method", "get").lower() == "post"
            self._form = _Open(said.get("action") or self._path, posts, said.get("id", ""))
            self._forms.append(self._form)
        elif tag in ("input", "select", "textarea", "button"):
            self._field(tag, said)
        elif tag == "option" and self._select is not None:
            self._in, self._text = "option", []
            self._option = said.get("value"), "selected" in said
        elif "chip" in classes or "banner" in classes:
            self._in, self._text = "chip" if "chip" in classes else "banner", []
        elif tag == "span" and self._in == "banner":
            self._text = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._end_select()
        elif tag == "textarea" and self._area is not None:
            name, needed = self._area
            self._give(name, "".join(self._text or ()).lstrip("\n"), "textarea", needed=needed)
            self._area = self._text = None
        elif tag == "option" and self._in == "option" and self._select is not None:
            value, chosen = self._option
            value = "".join(self._text or ()) if value is None else value
            self._select[1].append(value)
            if chosen:
                self._select[2].append(value)
            self._in, self._text = "", None
        elif tag == "span" and self._in == "banner":
            self._text = []
        elif tag in ("span", "p") and self._in in ("chip", "banner"):
            said = "".join(self._text or ()).strip()
            if self._in == "chip":
                self.marks.append(said)
            else:
                self.banner = said
            self._in, self._text = "", None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _field(self, tag: str, said: Mapping[str, str]) -> None:
        name, kind = said.get("name", ""), said.get("type", "").lower()
        form = self._form or next((one for one in self._forms if one.id and one.id == said.get("form")), None)
        if form is None:
            return
        kept, self._form = self._form, form
        if tag == "button" or kind == "submit":
            if kind != "button":
                form.buttons.append((name, said.get("value", "")))
        elif not name:
            pass
        elif tag == "select":
            self._select = (name, [], [])
        elif tag == "textarea":
            self._area, self._text = (name, "required" in said), []
        elif kind in ("checkbox", "radio") and ("checked" in said or name not in form.radios):
            if kind == "radio" or "checked" in said:
                form.fields[:] = [one for one in form.fields if one[0] != name or one in form.checked]
            form.radios.add(name)
            form.fields.append((name, said.get("value", "on")))
            if kind == "checkbox" and "checked" in said:
                form.checked.append(form.fields[-1])
        elif kind not in ("radio", "file"):
            self._give(name, said.get("value", ""), kind, needed="required" in said)
        if kept is None and tag not in ("select", "textarea"):
            self._form = None

    def _give(self, name: str, value: str, kind: str, *, needed: bool) -> None:
        assert self._form is not None
        if name in _LEFT:
            return
        if kind != "hidden":
            self._form.typed.append(name)
            value = value or FILLED.get(name, "") or TYPES.get(kind, "walked" if needed else "")
        self._form.fields.append((name, value))

    def _end_select(self) -> None:
        if self._select is None:
            return
        name, options, chosen = self._select
        self._select = None
        if self._form is not None:
            self._form.typed.append(name)
            self._form.fields.append((name, (chosen or [one for one in options if one] or [""])[0]))
