"""Whoever walks the pages of two worlds side by side, and every answer without what is drawn anew for each request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import parse_qsl, urlencode, urlsplit

from callers import COOKIE
from port_world import CANARY, World
from reading_pages import Form, Reading
from walk_places import Place, Scope

from aldis.interfaces.web.guard import csrf

__all__ = ["Answer", "Pair", "Walker", "walk"]

_NEW = re.compile(
    r'nonce="[^"]*"|nonce-[\w-]+|name="csrf" value="[^"]*"|(?<=name="upto" value=")[^"]+|(?<=cursor=)[\w%-]+'
)
"""A nonce, a token, and sealed places in what is held, of which the length stays."""
TABLES = ("/experiments/runs/losses", "/experiments/runs/losses/{a}/{b}")
"""Tables of the program itself, the same for everybody, which take seconds to work out."""
_ODD = ("date", "x-request-id", "content-security-policy", "set-cookie")


@dataclass(frozen=True)
class Answer:
    """An answer; `plain` is its status, headers and body without what is new each time."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def plain(self) -> tuple[int, tuple[tuple[str, str], ...], str]:
        kept = sorted((name, value) for name, value in self.headers.items() if name not in _ODD)
        body = _NEW.sub(lambda found: "_" * len(found[0]), self.body)
        return self.status, tuple((name, _NEW.sub("", value)) for name, value in kept), body


class Walker:
    """Somebody at one world, over one connection that is opened anew where the node closed it."""

    def __init__(self, world: World, who: str) -> None:
        self.who, self._world = who, world
        self.token = world.token(who) if who else ""
        self.csrf = csrf(world.node.core.secret, self.token)
        self._wire: HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request; of a stream its first event."""
        if self._wire is None:
            self._wire = HTTPConnection(urlsplit(self._world.url).netloc, timeout=20)
        sent = {"Sec-Fetch-Site": "same-origin", **{name.replace("_", "-"): one for name, one in headers.items()}}
        if self.token:
            sent["Cookie"] = f"{COOKIE}={self.token}"
        self._wire.request(method, path, body, sent)
        answer = self._wire.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        if found.get("content-type") == "text/event-stream":
            told = b""
            while b"\n\n" not in told and (line := answer.readline()):
                told += line
            answer.close()
            self.close()
        else:
            told = answer.read()
        if found.get("connection") == "close":
            self.close()
        return Answer(answer.status, found, told.decode("utf-8", "replace"))

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, fields: Sequence[tuple[str, str]], token: str | None = None, **headers: str) -> Answer:
        """A form with this session's token, or another one."""
        form = urlencode([("csrf", self.csrf if token is None else token), *fields]).encode()
        return self.ask("POST", path, form, Content_Type="application/x-www-form-urlencoded", **headers)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


@dataclass
class Pair:
    """One path at both worlds, where the places in it that are sealed differ, and what was answered."""

    path: str
    other: str
    place: str
    one: Answer | None = None
    two: Answer | None = None


@dataclass
class Walk:
    """All pairs that were asked, and every form met in the second world, by what it would do."""

    pairs: list[Pair] = field(default_factory=list)
    forms: dict[str, Form] = field(default_factory=dict)


def walk(one: Walker, two: Walker | None, found: Sequence[Place], scope: Scope, most: int = 4) -> Walk:
    """Ask both worlds for every path in sight and hidden, then for where answers lead: `most` more of each route.

    Without `two` one world is walked alone.
    """
    done, count = Walk(), Counter[str]()
    found = [place for place in found if place.path not in TABLES]
    waiting = [Pair(path, path, place.path) for place in found if "GET" in place.methods
               for path, _ in place.asks(scope, few=not most)]  # fmt: skip
    known = {_plain_path(pair.path) for pair in waiting}
    while waiting:
        pair = waiting.pop(0)
        pair.one = one.get(pair.path)
        pair.two = two.get(pair.other) if two else pair.one
        done.pairs.append(pair)
        if pair.one.kind != "text/html" or pair.two.kind != "text/html":
            continue
        reads = [Reading(answer.body, pair.path.partition("?")[0]) for answer in (pair.one, pair.two)]
        for form in reads[1].forms:
            if form.posts:
                done.forms.setdefault(_change(form), form)
        for path, other in zip(*(_onward(read) for read in reads), strict=False):
            place = _place(found, path)
            if place and _plain_path(path) not in known and count[place] < most:
                known.add(_plain_path(path))
                count[place] += 1
                waiting.append(Pair(path, other, place))
    return done


def _onward(page: Reading) -> Iterator[str]:
    """Where a page leads on this host: its links, and its forms that ask for another look."""
    yield from (link.partition("#")[0] for link in page.links if link.startswith("/"))
    for form in page.forms:
        if not form.posts:
            kept = [(name, value) for name, value in form.fields if name not in form.names]
            words = [("q", "patrol"), ("q", CANARY), ("project", "BLACK"), ("partner", "usa")]
            for word in words:
                if word[0] in form.names:
                    yield f"{form.action.partition('?')[0]}?{urlencode([*kept, word])}"


def _place(found: Sequence[Place], path: str) -> str:
    bare = path.partition("?")[0]
    return next((one.path for one in found if "GET" in one.methods and one.route.path_regex.match(bare)), "")


def _plain_path(path: str) -> str:
    bare, _, query = path.partition("?")
    asked = [(name, "" if name == "cursor" else value) for name, value in parse_qsl(query)]
    return f"{bare}?{urlencode(asked)}"


def _change(form: Form) -> str:
    """What a form would do, whatever else is in it: where it goes, and what its button says."""
    return f"{form.action} {form.fields[-1] if form.fields and form.fields[-1][0] == 'do' else ''}"
