"""The pages behind the one server for people: beside the API, with its log and its headers."""

from __future__ import annotations

import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from callers import COOKIE, Caller
from people_port import port
from web_scene import scene


def test_pages_and_api_stand_side_by_side(tmp_path: Path) -> None:
    with scene(tmp_path) as made, port(made):
        alice = Caller(made).sign_in("alice", "SECRET")
        page = alice.get("/records/survey")
        assert page.status == 200 and page.banners == ["SECRET//AGAO"] * 2
        assert page.headers["referrer-policy"] == "same-origin" and "nonce-" in page.headers["content-security-policy"]
        assert page.headers["x-request-id"]
        assert alice.get("/static/aldis.css").status == 200 and alice.get("/healthz").status == 200
        assert alice.get("/api/v1/records").status == 401


def test_a_stream_of_live_values_ends_when_the_node_stops(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        with port(made):
            alice = Caller(made).sign_in("alice")
            connection = HTTPConnection(urlsplit(made.url).netloc, timeout=10)
            connection.request("GET", "/live/events", headers={"Cookie": f"{COOKIE}={alice.token}"})
            answer = connection.getresponse()
            assert answer.readline().startswith(b"event: live")
            began = time.monotonic()
        assert time.monotonic() - began < 2.5, "before what goes on is cut off"
        assert answer.read().endswith(b"\n\n")
        connection.close()
