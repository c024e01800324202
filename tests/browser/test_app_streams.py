"""Scripts and streams of an app: at an address that tells of their content, and for who asks as they are by then."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from callers import Caller
from test_live_pages import stream
from web_scene import Scene

from aldis.interfaces.web import assets
from aldis.kernel.errors import InvalidInput

Make = Callable[..., Caller]
TYPED = {"text": "x", "marking": "SECRET", "sure": "true"}


def test_a_stream_of_an_app_tells_who_asks_what_they_may_see_and_ends_with_their_session(
    caller: Make, made: Scene
) -> None:
    alice, bob = caller("alice", "SECRET"), caller("bob")
    with stream(alice, "/sample/count") as high, stream(bob, "/sample/count") as low:
        assert (high()["notes"], low()["notes"]) == (0, 0)
        assert alice.post("/sample", TYPED).status == 303
        assert high()["notes"] == 1
        assert alice.post("/sample", {**TYPED, "marking": "OFFICIAL"}).status == 303
        assert (high()["notes"], low()["notes"]) == (2, 1), "of the note at SECRET there is no event"
        alice.post("/sign-out")
        assert high() == "ended"
    assert caller().get("/sample/count").status == 303 and bob.get("/sample/count?most=x").status == 422


def test_only_a_page_that_asks_for_workers_may_have_some(caller: Make) -> None:
    bob = caller("bob")
    with_them, without = bob.get("/sample").headers, bob.get("/sample/boards/main").headers
    assert "worker-src 'self'" in with_them["content-security-policy"]
    assert "worker-src" not in without["content-security-policy"]
    assert "'unsafe" not in str(with_them)


def fetch(made: Scene, path: str, **headers: str) -> tuple[int, Any, bytes]:
    connection = HTTPConnection(urlsplit(made.url).netloc, timeout=5)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, answer.headers, data


def test_what_pages_load_is_sent_packed_to_whoever_takes_it_so_and_may_be_kept_by_its_content(
    caller: Make, made: Scene
) -> None:
    page = caller("bob").get("/sample").body
    script = re.findall(r'src="(/static/sample/notes.js[^"]*)"', page)[0]
    status, headers, data = fetch(made, script)
    assert status == 200 and "immutable" in headers["cache-control"] and headers["content-type"].startswith("text/java")
    inner = re.findall(rb'(?:from |import\()"\./(\w+\.js\?v=[0-9a-f]+)"', data)
    assert [one.partition(b"?")[0] for one in inner] == [b"words.js", b"later.js"]
    for one in inner:
        status, headers, _ = fetch(made, f"/static/sample/{one.decode()}")
        assert status == 200 and "immutable" in headers["cache-control"]
    style = re.findall(r'href="(/static/aldis.css[^"]*)"', page)[0]
    plain, packed = fetch(made, style), fetch(made, style, **{"Accept-Encoding": "br;q=1, gzip;q=0.5"})
    assert packed[1]["content-encoding"] == "gzip" and packed[1]["vary"] == plain[1]["vary"] == "accept-encoding"
    assert gzip.decompress(packed[2]) == plain[2] and len(packed[2]) < len(plain[2]) / 2
    for refused in ("gzip;q=0", "gzip; q=0.0", "br", "identity"):
        assert "content-encoding" not in fetch(made, style, **{"Accept-Encoding": refused})[1]
    for absent in ("sample/readme.txt", "sample/../__init__.py", "sample/%2e%2e/__init__.py", "other/notes.js"):
        assert fetch(made, f"/static/{absent}")[0] == 404


def test_the_address_of_a_module_is_another_one_when_what_it_imports_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def address(inner: str) -> str:
        folder = tmp_path / inner
        folder.mkdir()
        (folder / "one.js").write_text('import "./two.js";')
        (folder / "two.js").write_text(f'export {{ x }} from "./{inner}.js";')
        for name in ("three", "four"):
            (folder / f"{name}.js").write_text(f'export const x = "{name}";')
        monkeypatch.setattr(assets, "_folder", lambda _app: folder)
        app: Any = SimpleNamespace()
        return assets.Assets({"some": app}).address("some/one.js")

    assert len({address("three"), address("four")}) == 2
    with pytest.raises(InvalidInput, match=r"one\.js imports some/two\.js imports some/one\.js"):
        address("one")
