"""Odd and overlong requests at every page: refused in words, within limits, and never a fault of the program."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from callers import COOKIE, SAME, Caller
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people_port import port
from starlette.routing import Route
from web_scene import PATIENT, Scene, scene

from aldis.interfaces.api.limits import Limits
from aldis.interfaces.web import door, site

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NAMES = ("cursor", "q", "kind", "project", "version", "originator", "before", "after", "next", "of", "done", "partner",
         "all", "mine", "since", "until", "month", "state", "page", "from", "to", "at", "limit", "author", "meaning",
         "sort", "name", "sources", "portion", "a", "b")  # fmt: skip
ODD = ("%00", "%ff%fe", "%E2%80%AEgnp", "%F0%9F%92%A5", "..%2F..%2Fkeys", "-1", "0", "99999999999999999999", "1e308",
       "NaN", "%D9%A1", "''", "%3Cscript%3E", "{}", "%250a", "2026-13-45", "0000-00", "+", "%",
       "%zz", "a" * 3000)  # fmt: skip
TEXT = st.one_of(st.sampled_from(ODD), st.text(max_size=40).map(lambda text: quote(text, errors="replace")))
QUERY = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), TEXT), TEXT), max_size=5)
WHO = ("alice", "pat", "olive", "audrey", "gail", "")


@pytest.fixture(scope="module")
def ported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("odd")) as made, port(made):
        yield made


@pytest.fixture(scope="module")
def callers(ported: Scene) -> dict[str, Caller]:
    signed = {who: Caller(ported).sign_in(who, "" if who == "gail" else "SECRET") for who in WHO if who}
    return {**signed, "": Caller(ported)}


@pytest.fixture(scope="module")
def routes(ported: Scene) -> list[str]:
    """Every route that answers with a page or a file."""
    found = [one for one in site(ported.node, PATIENT) if isinstance(one, Route)]
    return [one.path for one in found if "GET" in (one.methods or ()) and one.path not in ("/sample/broken",)]


def odd(callers: dict[str, Caller], routes: list[str], data: st.DataObject) -> None:
    path = re.sub(r"\{[^}]*\}", lambda _found: data.draw(TEXT) or "x", data.draw(st.sampled_from(routes)))
    query = "&".join(f"{name}={value}" for name, value in data.draw(QUERY))
    caller = callers[data.draw(st.sampled_from(WHO))]
    answer = caller.peek(f"{path}?{query}" if query else path)
    assert answer.status < 500, (path, query, answer.body[:500])
    assert not {"\x00", "\u202e"} & {*answer.body} and "<script>" not in answer.body
    caller.seen.clear()


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_odd_query_is_a_fault(callers: dict[str, Caller], routes: list[str], data: st.DataObject) -> None:
    odd(callers, routes, data)


@pytest.mark.slow
@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_odd_query_is_a_fault_at_any_page(
    callers: dict[str, Caller], routes: list[str], data: st.DataObject
) -> None:
    odd(callers, routes, data)


def test_what_is_over_a_limit_is_refused_in_words(callers: dict[str, Caller]) -> None:
    alice, stranger = callers["alice"], callers[""]
    many = alice.ask("POST", "/records/new", b"&".join(b"f%d=" % n for n in range(5000)), {**SAME, **FORM})
    assert many.status == 413 and "more than 500 fields" in many.body
    asked = alice.get("/records?" + "&".join(f"f{n}=" for n in range(501)))
    assert asked.status == 413 and "more than 500 fields" in asked.body
    large = stranger.ask("POST", "/sign-in", b"person=" + b"x" * 20_000, {**SAME, **FORM})
    assert large.status == 413 and "more than 8,192 bytes" in large.body
    assert alice.get("/search?q=" + "x" * 12_000).status in (200, 413, 422)
    long = alice.get("/search?q=" + "x" * 17_000)
    assert long.status == 431 and "16384" in long.body
    crowd = alice.ask("GET", "/records", None, {f"X-Odd-{n}": "x" * 100 for n in range(200)})
    assert crowd.status == 431


def test_a_form_that_comes_too_slowly_is_told_so(
    callers: dict[str, Caller], ported: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_BODY_S", 0.2)
    alice = callers["alice"]
    with _wire(ported) as wire:
        head = {"Host": urlsplit(ported.url).netloc, "Cookie": f"{COOKIE}={alice.token}", "Content-Length": "500",
                **SAME, **FORM}  # fmt: skip
        wire.sendall(b"POST /records/new HTTP/1.1\r\n" + _lines(head) + b"\r\ncsrf=")
        answer = b""
        while b"</html>" not in answer and (more := wire.recv(65536)):
            answer += more
    assert answer.startswith(b"HTTP/1.1 408") and b"did not arrive in time" in answer


def test_a_head_that_comes_too_slowly_is_cut_off(tmp_path: Path) -> None:
    with scene(tmp_path, bare=True) as made, port(made, Limits(head_s=0.3)), _wire(made) as wire:
        began = time.monotonic()
        wire.sendall(b"GET /records HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert wire.recv(1024) == b"" and time.monotonic() - began < 3


def _wire(made: Scene) -> socket.socket:
    parts = urlsplit(made.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)


def _lines(headers: dict[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
