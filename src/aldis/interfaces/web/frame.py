"""The frame of every page: banners, who is signed in and at which level, where one may go; and its templates."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from aldis.app import App
from aldis.interfaces.cli.text import clean, day, moment
from aldis.interfaces.web.assets import Assets
from aldis.interfaces.web.forms import CSRF, Fields
from aldis.interfaces.web.guard import csrf, safe_path
from aldis.interfaces.web.headers import FIXED, policy
from aldis.interfaces.web.markings import Chip, Markings
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Label
from aldis.node.node import Node

__all__ = ["Frame", "Group", "Link", "Rung"]

_TEMPLATES = Path(__file__).parent / "templates"
_HTMX = "vendor/htmx.min.js"
_NOW, _TOGETHER, _RECORDS, _SHARING, _NODE = "Now", "Together", "Records", "Sharing", "This node"
_GROUPS = (_NOW, _TOGETHER, _RECORDS, _SHARING, _NODE)
"""The groups of the navigation, in their order."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place that the navigation leads to; `here` where it is the page's own part."""

    title: str
    path: str
    here: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Places that belong together; none is without any."""

    name: str
    links: Sequence[Link]


@dataclass(frozen=True, slots=True)
class Rung:
    """A level at which a person may choose to work; `held` is the one at which they do."""

    name: str
    mark: str
    held: bool


class Frame:
    """Renders pages of one node, its own and its apps'."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.markings = Markings(node)
        self.assets = Assets(node.apps)
        self._own = self._environment(FileSystemLoader(_TEMPLATES / "pages"))
        self._apps = {name: self._environment(*_loader(app)) for name, app in node.apps.items()}

    def page(self, visit: Visit, sheet: Sheet, app: str = "") -> HTMLResponse:
        """A page with the banner of what it shows; what was typed and comes back counts at the level of who typed."""
        labels = [*sheet.labels, *([visit.level] if visit.person and visit.error and visit.form else [])]
        environment = self._apps[app] if app else self._own
        around = self._around(visit, sheet.title, labels, app)
        if clash := around.keys() & sheet.values.keys():
            raise InvalidInput(f"{sheet.template} is given {', '.join(sorted(clash))}, which the frame has for itself")
        text = environment.get_template(sheet.template).render({**sheet.values, **around})
        return HTMLResponse(
            text, sheet.status, {**FIXED, "content-security-policy": policy(visit.nonce, workers=sheet.workers)}
        )

    def part(self, visit: Visit, sheet: Sheet, app: str = "") -> tuple[Chip, str]:
        """A part of a page, the node's own or an app's, and the banner of what is in it."""
        environment = self._apps[app] if app else self._own
        values = {"frame": {"rung": visit.rung}, "path": _paths(app), **sheet.values}
        return self.markings.banner(sheet.labels), environment.get_template(sheet.template).render(values)

    def rungs(self, visit: Visit) -> list[Rung]:
        """The levels at which the person may choose to work here, the lowest first."""
        core = self._node.core
        rules = core.policies.policy(core.config.policy)
        highest = min(rules.rank(visit.who.account.clearance[rules.name]), rules.rank(core.config.ceiling))
        return [
            Rung(rung.name, rung.portion, rung.name == visit.rung)
            for rung in rules.ladder
            if rung.rank <= highest and (rung.in_use(visit.at) or rung.name == visit.rung)
        ]

    def _around(self, visit: Visit, title: str, labels: Sequence[Label], app: str) -> dict[str, Any]:
        """What the frame itself shows, beside a page's own values."""
        person, core = visit.person, self._node.core
        token = csrf(core.secret, visit.token) if person else ""
        shown = {
            "title": title,
            "banner": self.markings.banner(labels),
            "node": core.node,
            "party": core.party,
            "nonce": visit.nonce,
            "here": _here(visit),
            "rung": visit.rung if person else "",
            "rungs": self.rungs(visit) if person else [],
            "groups": self._links(visit) if person else [],
            "htmx": self.assets.address(_HTMX) if self.assets.has(_HTMX) else "",
        }
        return {
            "frame": shown,
            "asker": visit.context.person if person else None,
            "error": visit.error,
            "typed": visit.form,
            "csrf": lambda: Markup('<input type="hidden" name="{}" value="{}">').format(CSRF, token),
            "path": _paths(app),
        }

    def _links(self, visit: Visit) -> list[Group]:
        """Where this person may go: in each group as added here."""
        found = [(_NOW, "Home", "/")]
        for name, app in self._node.apps.items():
            pages = app.pages()
            streams = {page.path for page in pages if page.method == "FEED"}
            found += [
                (_NOW if f"{page.path}/feed" in streams else _TOGETHER, page.title, f"/{name}{page.path}".rstrip("/"))
                for place, page in enumerate(pages)
                if place == 0 or (page.linked and (not page.act or visit.may(Act(page.act))))
            ]
        found += [(_NOW, "Live", "/live"), (_NOW, "Notices", "/notices")]
        found += [(_RECORDS, "Records", "/records"), (_RECORDS, "Search", "/search")]
        found += [(_SHARING, "Release desk", "/desk")] if visit.may(Act.RULE) else []
        found += [(_SHARING, "Instruments", "/instruments")]
        found += [(_SHARING, "Partners", "/partners")] if visit.resident else []
        found += [(_NODE, "People", "/people")] if visit.may(Act.PEOPLE) else []
        found += [(_NODE, "Ledger", "/ledger")] if visit.may(Act.READ_LEDGER) else []
        found += [(_NODE, "Node health", "/health")] if visit.resident and visit.may(Act.CONFIGURE) else []
        found += [(_NODE, "Sessions", "/sessions")]
        here = max((path for _, _, path in found if _below(visit.path, path)), key=len, default=None)
        links = [(group, Link(title, path, path == here)) for group, title, path in found]
        grouped = [Group(name, [link for group, link in links if group == name]) for name in _GROUPS]
        return [group for group in grouped if group.links]

    def _environment(self, *more: BaseLoader) -> Environment:
        made = Environment(
            loader=ChoiceLoader([FileSystemLoader(_TEMPLATES / "frame"), *more]),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        made.globals |= {"asset": self.assets.address, "has_asset": self.assets.has, "path_to": Fields.address}
        made.filters |= {
            "banner": self._banner,
            "mark": self._mark,
            "chip": lambda label: _span(self.markings.chip(label)),
            "when": lambda ms: _time(ms, moment(ms)),
            "day": lambda ms: _time(ms, day(ms)),
            "span": _span,
            "coded": _coded,
            "verbatim": lambda text: Markup(escape(text)),  # noqa: S704
        }
        return made

    def _banner(self, label: Label) -> str:
        return self.markings.chip(label).text

    def _mark(self, label: Label) -> Markup:
        return _span(self.markings.chip(label, portion=True))


def _loader(app: App) -> list[BaseLoader]:
    """Where an app keeps its templates: the folder of that name in its package, where it has one."""
    module = sys.modules[type(app).__module__]
    folder = Path(module.__file__ or "").parent / "templates"
    return [FileSystemLoader(folder)] if folder.is_dir() else []


def _shown(value: Any) -> Any:
    """Text without the characters that make it read as what it is not."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _span(chip: Chip) -> Markup:
    return Markup('<span class="chip {}">{}</span>').format(chip.colour, clean(chip.text))


def _coded(text: str) -> Markup:
    """Text whose commands stand between backticks, as `aldis doctor` writes them."""
    parts = [escape(clean(part)) for part in text.split("`")]
    whole = len(parts) % 2 == 1
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 and whole else part for place, part in enumerate(parts)
    )


def _time(ms: int, text: str) -> Markup:
    written = moment(ms)
    if not written.endswith(" UTC"):
        return Markup("<span>{}</span>").format(text)
    exact = f"{written[:10]}T{written[11:16]}Z"
    return Markup('<time datetime="{}">{}</time>').format(exact, text)


def _below(path: str, place: str) -> bool:
    """Whether a path is that of a place or below it; below the first page is nothing but itself."""
    return path == place or (place != "/" and path.startswith(f"{place}/"))


def _here(visit: Visit) -> str:
    """Where a change of level leads back to: this page, or that on which the form stands that was sent."""
    if visit.form:
        return visit.referer
    query = urlencode(visit.query.pairs())
    return safe_path(visit.path + (f"?{query}" if query else ""))


def _paths(app: str) -> Callable[..., str]:
    return lambda path="", **named: _path(f"/{app}" if app else "", path, named)


def _path(prefix: str, path: str, named: Mapping[str, Any]) -> str:
    """A path of the app's pages: names in braces filled in, all else in the query."""
    query = {}
    for name, value in named.items():
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", quote(str(value), safe=":"))
        elif value not in (None, ""):
            query[name] = value
    return f"{prefix}{path}{f'?{urlencode(query, doseq=True)}' if query else ''}"
