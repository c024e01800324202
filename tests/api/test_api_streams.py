"""Server-sent events over real sockets: what one may see and nothing else, for as long as the session holds."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec
import pytest
from port_world import CANARY, HIGH, LOW, OPEN, PASSWORD, World, put, served

from aldis.kernel.frames import Update
from aldis.kernel.labels import Label


@contextmanager
def stream(world: World, path: str, who: str) -> Iterator[Queue[Any]]:
    """Events as they come, (name, data) each; None once the stream has ended."""
    events: Queue[Any] = Queue()
    headers = {"authorization": f"Bearer {world.token(who)}"}
    client = httpx2.Client(base_url=world.url, trust_env=False, verify=False, timeout=httpx2.Timeout(10))
    opened = threading.Event()
    wire: list[socket.socket] = []

    def read() -> None:
        try:
            with client.stream("GET", path, headers=headers) as answer:
                wire.append(answer.extensions["network_stream"].get_extra_info("socket"))
                assert answer.headers["content-type"] == "text/event-stream", answer.read()
                name = ""
                for line in answer.iter_lines():
                    opened.set()
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        events.put((name, msgspec.json.decode(line.removeprefix("data: "))))
                    assert not line.startswith("id:")
        except httpx2.TransportError:
            pass
        finally:
            events.put(None)
            opened.set()

    thread = threading.Thread(target=read)
    thread.start()
    opened.wait(10)
    time.sleep(0.1)
    try:
        yield events
    finally:
        with suppress(OSError):  # the server may have ended it
            wire[0].shutdown(socket.SHUT_RDWR)
        thread.join(15)
        client.close()


def publish(world: World, id_: str, header: Label, label: Label, project: str = "WATCH", kind: str = "track") -> None:
    """A live value of this node's own."""
    update = Update(id_, kind, "position", world.clock.at, {"note": id_})
    world.loop.call_soon_threadsafe(world.node.context.publish, header, label, project, update)


def names(events: Queue[Any], until: str) -> list[str]:
    """The ids of events up to a last one."""
    found = []
    while True:
        event = events.get(timeout=10)
        assert event is not None
        found.append(event[1]["id"])
        if event[1]["id"] == until:
            return found


def test_live_values_are_those_that_one_may_see_by_header_portion_and_project(world: World) -> None:
    cases = {
        "seen": (LOW, LOW, "WATCH"),
        f"{CANARY}-portion": (LOW, HIGH, "WATCH"),
        f"{CANARY}-header": (HIGH, LOW, "WATCH"),
        f"{CANARY}-project": (LOW, LOW, "BLACK"),
    }
    with (
        stream(world, "/api/v1/live?kind=track", "low") as low,
        stream(world, "/api/v1/live?kind=track", "officer") as high,
    ):
        for id_, (header, label, project) in cases.items():
            publish(world, id_, header, label, project)
        publish(world, "other-kind", LOW, LOW, kind="document")
        publish(world, "last", LOW, LOW)
        assert names(low, "last") == ["seen", "last"]
        assert names(high, "last") == ["seen", f"{CANARY}-portion", f"{CANARY}-header", "last"]


def test_a_guest_sees_no_live_values_of_a_kind_they_were_not_invited_to(world: World) -> None:
    answer = world.ask("GET", "/api/v1/live?kind=track", "guest")
    missing = world.ask("GET", "/api/v1/live?kind=nonesuch", "guest")
    assert (answer.status_code, missing.status_code) == (400, 400)
    assert answer.json()["detail"].replace("track", "") == missing.json()["detail"].replace("nonesuch", "")


def test_a_partners_values_are_shown_by_the_record_that_is_held_of_them(world: World) -> None:
    """The frame says no header and no project: without the record, nobody is shown the value."""
    node = world.node
    put(node, "known", label=LOW)
    with stream(world, "/api/v1/live?kind=document", "officer") as events:
        for id_ in (f"{CANARY}-unknown", "known"):
            update = Update(id_, "document", "title", world.clock.at, id_)
            world.loop.call_soon_threadsafe(node.context.told, _live("gbr", update))
        publish(world, "last", LOW, LOW, kind="document")
        assert names(events, "last") == ["last"]


def _live(source: str, update: Update) -> Any:
    from aldis.app import Live

    return Live(source, LOW, update)


def test_changes_tell_of_what_one_may_see_and_of_nothing_else(world: World) -> None:
    with stream(world, "/api/v1/changes", "low") as low, stream(world, "/api/v1/changes?kind=track", "officer") as none:
        put(world.node, f"{CANARY}-high", label=HIGH)
        put(world.node, f"{CANARY}-black", project="BLACK")
        put(world.node, "arrived")
        name, data = low.get(timeout=10)
        assert (name, data.keys(), data["id"]) == ("change", {"id", "digest"}, "arrived")
        assert low.empty()
        assert none.empty()


@pytest.mark.parametrize("how", ["suspended", "revoked", "level", "account", "signed out"])
def test_a_stream_ends_within_a_second_of_the_session(world: World, how: str) -> None:
    people, token = world.node.people, world.token("originator")
    with stream(world, "/api/v1/live?kind=track", "originator") as events:
        publish(world, "before", LOW, LOW)
        assert names(events, "before") == ["before"]
        began = time.monotonic()
        match how:
            case "suspended":
                people.suspend("originator", "gone")
            case "revoked":
                people.revoke("originator")
            case "level":
                people.sessions.change_level(token, {"AUS": "OFFICIAL"})
            case "signed out":
                people.sessions.sign_out(token)
            case "account":
                people.set(msgspec.structs.replace(people.get("originator"), projects=[]))
                time.sleep(1)
                publish(world, CANARY, LOW, LOW)
                people.revoke("originator")
                began = time.monotonic()
        assert events.get(timeout=5) is None
        assert time.monotonic() - began < 1.5


def test_a_stream_keeps_no_session_alive_and_a_person_has_only_so_many(world: World) -> None:
    with stream(world, "/api/v1/changes", "low") as events:
        world.clock.at += 31 * 60_000
        assert events.get(timeout=5) is None
    world.tokens.clear()
    held = [stream(world, "/api/v1/changes", "low") for _ in range(8)]
    for one in held:
        one.__enter__()
    assert world.ask("GET", "/api/v1/changes", "low").status_code == 429
    for one in held:
        one.__exit__(None, None, None)


def test_the_head_of_a_stream_can_be_asked_for(world: World) -> None:
    answer = world.ask("HEAD", "/api/v1/changes", "low")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    assert world.ask("GET", "/api/v1/changes").status_code == 401
    assert PASSWORD not in answer.text


def test_who_reads_no_more_is_cut_off_holds_little_and_keeps_nobody_back(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "aus")
    with served(tmp_path / "aus", limits=replace(OPEN, answer_s=0.7)) as world, socket.socket() as stuck:
        held, place = world.node.context._subscribers, urlsplit(world.url)
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect((place.hostname, place.port))
        head = f"GET /api/v1/live?kind=track HTTP/1.1\r\nhost: {place.netloc}\r\n"
        stuck.sendall(f"{head}authorization: Bearer {world.token('officer')}\r\n\r\n".encode())
        with stream(world, "/api/v1/live?kind=document", "low") as other:
            for number in range(9_000):
                publish(world, f"track-{number}-{'x' * 400}", LOW, LOW)
            publish(world, "before", LOW, LOW, kind="document")
            assert names(other, "before") == ["before"]
            waiting = [one.waiting for one in held if one.kind == "track"]
            assert all(one.maxlen is not None and 0 < len(one) <= one.maxlen <= 4096 for one in waiting)
            assert len(waiting) == 1
            until = time.monotonic() + 10
            while any(one.kind == "track" for one in held):
                assert time.monotonic() < until
                time.sleep(0.02)
            stuck.settimeout(10)
            got = 0
            with suppress(ConnectionResetError):
                while part := stuck.recv(65_536):
                    got += len(part)
            assert got < 8_000_000
            publish(world, "after", LOW, LOW, kind="document")
            assert names(other, "after") == ["after"]
            assert [one.kind for one in held] == ["document"]
