"""Attachments over HTTP: brought in piece by piece and gone on with, read by range, and by nobody who may not."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from port_world import CANARY, HIGH, LOW, OPEN, World, put, served
from test_api_requests import problem

from aldis.client import Client
from aldis.interfaces.api.attachments import disposition, range_of
from aldis.interfaces.api.problems import HttpProblem
from aldis.kernel.errors import InvalidInput, Stale, TooLarge, Unavailable, UnknownTerm
from aldis.node.attachments import uploads

PLAN = bytes(range(256)) * 4000
"""Four pieces of a request and a bit."""
U = "/api/v1/uploads"


def begin(world: World, name: str = "plan.bin", who: str = "originator") -> str:
    made = world.ask("POST", U, who, json={"name": name})
    assert made.status_code == 201 and made.headers["location"] == f"{U}/{made.json()['upload']}"
    return str(made.json()["upload"])


def add(
    world: World, upload: str, offset: int, data: bytes, who: str = "originator", **headers: str
) -> httpx2.Response:
    given = {"Upload-Offset": str(offset), "Content-Type": "application/octet-stream"} | headers
    return world.ask("PUT", f"{U}/{upload}", who, content=data, headers=given)


def finish(world: World, upload: str, who: str = "originator", **body: str) -> Any:
    return world.ask("POST", f"{U}/{upload}/finish", who, json=body)


def attached(world: World, data: bytes = PLAN, name: str = "plan.bin", label: Any = LOW) -> tuple[str, str]:
    """The path of an attachment of a record of one's own, and its digest."""
    one = world.node.attachments.uploads.whole(io.BytesIO(data), name)
    put(world.node, "filed", "Filed", LOW, files=([msgspec.to_builtins(one)], label))
    return f"/api/v1/records/filed/attachments/files/{name}", one.digest


def test_a_file_comes_in_pieces_and_is_read_back_from_a_record(world: World) -> None:
    upload = begin(world)
    half = len(PLAN) // 2
    assert add(world, upload, 0, PLAN[:half]).json() == {"held": half}
    refused = add(world, upload, 0, PLAN[:half])
    problem(refused, "conflict")
    assert refused.headers["upload-offset"] == str(half)
    problem(add(world, upload, half + 1, PLAN[half:]), "conflict")
    assert world.ask("GET", f"{U}/{upload}", "originator").json()["held"] == half
    assert add(world, upload, half, PLAN[half:]).headers["upload-offset"] == str(len(PLAN))
    problem(finish(world, upload, digest="0" * 64), "stale")
    described = finish(world, upload, digest=hashlib.sha256(PLAN).hexdigest()).json()
    assert finish(world, upload).json() == described
    problem(add(world, upload, len(PLAN), b"more"), "conflict")
    problem(world.ask("DELETE", f"{U}/{upload}", "originator"), "invalid-input")
    body = {
        "kind": "document", "project": "WATCH", "marking": "OFFICIAL",
        "portions": [{"name": "title", "value": "T"}, {"name": "files", "value": [described]}],
    }  # fmt: skip
    made = world.ask("POST", "/api/v1/records", "originator", json=body)
    assert made.status_code == 201, made.text
    path = f"/api/v1/records/{made.json()['id']}/attachments"
    [one] = world.ask("GET", path, "officer").json()["attachments"]
    assert (one["portion"], one["digest"], one["state"], one["held"]) == (
        "files",
        described["digest"],
        "whole",
        len(PLAN),
    )
    assert world.ask("GET", f"{path}/files/plan.bin", "officer").content == PLAN


def test_nobody_names_content_by_its_digest_alone(world: World) -> None:
    _, digest = attached(world, label=HIGH)
    value = [{"digest": digest, "size": len(PLAN), "media_type": "application/octet-stream", "name": "mine.bin"}]
    body = {
        "kind": "document", "project": "WATCH", "marking": "OFFICIAL",
        "portions": [{"name": "title", "value": "T"}, {"name": "files", "value": value}],
    }  # fmt: skip
    refused = world.ask("POST", "/api/v1/records", "low", json=body)
    value[0]["digest"] = "0" * 64
    absent = world.ask("POST", "/api/v1/records", "low", json=body)
    assert refused.status_code == absent.status_code == 400
    assert refused.json()["detail"] == absent.json()["detail"]


def test_an_upload_is_its_persons_alone(world: World) -> None:
    world.node.people.set(
        msgspec.structs.replace(world.node.people.get("bystander"), roles=world.node.people.get("low").roles)
    )
    upload = begin(world, f"{CANARY}.bin")
    add(world, upload, 0, b"x")
    none = "ef" * 16
    for method, path, more in (
        ("GET", "", {}), ("DELETE", "", {}), ("POST", "/finish", {"json": {}}),
        ("PUT", "", {"content": b"y", "headers": {"Upload-Offset": "1", "Content-Type": "application/octet-stream"}}),
    ):  # fmt: skip
        said = [world.ask(method, f"{U}/{one}{path}", "bystander", **more) for one in (upload, none)]
        assert {(one.status_code, one.json()["detail"]) for one in said} == {(404, "no such upload")}
    assert world.ask("GET", U, "bystander").json() == {"uploads": []}
    assert [one["name"] for one in world.ask("GET", U, "originator").json()["uploads"]] == [f"{CANARY}.bin"]
    problem(world.ask("POST", U, "officer", json={"name": "x"}), "refused")


def test_what_cannot_be_an_upload_is_refused_before_it_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = begin(world)
    problem(add(world, upload, 0, b"x", **{"Upload-Offset": "first"}), "invalid-input")
    problem(add(world, upload, 0, b"x", **{"Content-Type": "text/plain"}), "unsupported-media-type")
    problem(world.ask("POST", U, "originator", json={"name": "../etc/passwd"}), "invalid-input")
    host, _, port = world.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as link:
        head = (
            f"PUT {U}/{upload} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {world.token('originator')}\r\n"
            f"upload-offset: 0\r\ncontent-type: application/octet-stream\r\ncontent-length: {2**31}\r\n\r\n"
        )
        link.sendall(head.encode())
        assert b" 413 " in link.recv(65536).split(b"\r\n")[0]
    for _ in range(7):
        begin(world)
    problem(world.ask("POST", U, "originator", json={"name": "ninth"}), "too-large")
    monkeypatch.setattr(uploads, "DAY_UPLOADS", 1)
    with pytest.raises(TooLarge, match="in a day"):
        world.node.attachments.uploads.drop(upload, "originator")
        world.node.attachments.uploads.begin("more", person="originator")


def test_what_came_before_a_cut_stays(world: World) -> None:
    upload = begin(world)
    host, _, port = world.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as link:
        head = (
            f"PUT {U}/{upload} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {world.token('originator')}\r\n"
            f"upload-offset: 0\r\ncontent-type: application/octet-stream\r\ncontent-length: {len(PLAN)}\r\n\r\n"
        )
        link.sendall(head.encode() + PLAN[:300_000])
    for _ in range(100):
        if (held := world.node.attachments.uploads.held(upload, "originator")) == 300_000:
            break
        threading.Event().wait(0.05)
    assert held == 300_000
    assert add(world, upload, held, PLAN[held:]).json() == {"held": len(PLAN)}
    assert finish(world, upload).json()["digest"] == hashlib.sha256(PLAN).hexdigest()


def test_nothing_is_added_while_an_upload_is_finished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store, upload = world.node.attachments.uploads, begin(world)
    store.append(upload, 0, b"once", "originator")
    inner = store._folder.digest_of

    def meanwhile(handle: int, size: int) -> Any:
        for act in (
            lambda: store.append(upload, 4, b"tail", "originator"), lambda: store.drop(upload, "originator"),
            lambda: store.finish(upload, "originator"),
        ):  # fmt: skip
            with pytest.raises(Stale):
                act()
        return inner(handle, size)

    monkeypatch.setattr(store._folder, "digest_of", meanwhile)
    assert store.finish(upload, "originator").digest == hashlib.sha256(b"once").hexdigest()


def test_an_attachment_is_read_by_range_and_never_shown_by_a_browser(world: World) -> None:
    path, digest = attached(world, b"<script>0123456789</script>", "a “page”.html")
    whole = world.ask("GET", path, "originator")
    assert whole.headers["etag"] == f'"{digest}"' and whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-disposition"] == (
        "attachment; filename=\"a _page_.html\"; filename*=UTF-8''a%20%E2%80%9Cpage%E2%80%9D.html"
    )
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-security-policy"].startswith("sandbox; default-src 'none'")

    def ask(method: str = "GET", **headers: str) -> httpx2.Response:
        return world.ask(method, path, "originator", headers={one.replace("_", "-"): headers[one] for one in headers})

    part = ask(range="bytes=8-11")
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"0123", "bytes 8-11/27")
    assert ask(range="bytes=-9").content == b"</script>"
    assert ask(range="bytes=20-99").content == b"script>"
    assert ask(range="bytes=8-11", if_range=f'"{digest}"').status_code == 206
    assert ask(range="bytes=8-11", if_range='"other"').status_code == 200
    for odd in ("bytes=3-1", "lines=1-2", "bytes=0-1,3-4", "bytes=-", "bytes=a-b"):
        assert ask(range=odd).status_code == 200, odd
    over = ask(range="bytes=27-")
    problem(over, "range-not-satisfiable")
    assert over.headers["content-range"] == "bytes */27"
    assert ask(if_none_match=f'"{digest}"').status_code == 304
    head = ask("HEAD", range="bytes=8-11")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "27")
    assert world.ask("GET", path.replace("a “page”.html", digest), "originator").content == whole.content


def test_the_range_of_a_content(world: World) -> None:
    assert range_of("bytes=0-", 5) == (0, 5)
    assert range_of("bytes=-9", 5) == (0, 5)
    for text, size in (("bytes=-0", 5), ("bytes=5-", 5), ("bytes=0-", 0)):
        with pytest.raises(HttpProblem):
            range_of(text, size)
    assert "\r" not in disposition('a"\r\nb;c.txt') and '"a___b_c.txt"' in disposition('a"\r\nb;c.txt')


def test_an_attachment_that_one_may_not_see_is_not_there(world: World) -> None:
    path, _ = attached(world, CANARY.encode(), f"{CANARY}.bin", HIGH)
    assert world.ask("GET", path, "originator").content == CANARY.encode()
    assert world.ask("GET", "/api/v1/records/filed/attachments", "low").json() == {"attachments": []}
    seen = world.ask("GET", path, "low", headers={"Range": "bytes=99-"})
    none = world.ask("GET", path.replace("/files/", "/nothing/"), "low", headers={"Range": "bytes=99-"})
    for one in (seen, none):
        problem(one, "not-found")
    same = [one.text.replace(one.headers["x-request-id"], "").replace("'nothing'", "'files'") for one in (seen, none)]
    assert same[0] == same[1] and len(seen.headers) == len(none.headers)


def test_a_download_ends_where_one_may_no_longer_read(folder: Path, tmp_path: Path, world: World) -> None:
    path, _ = attached(world, b"\0" * 64_000_000)
    headers = {"authorization": f"Bearer {world.token('originator')}"}
    assert world.client is not None
    got = 0
    with pytest.raises(httpx2.TransportError), world.client.stream("GET", path, headers=headers) as answer:
        for piece in answer.iter_raw(65536):
            if not got:
                world.node.people.revoke("originator")
                threading.Event().wait(1.5)
            got += len(piece)
    assert 0 < got < 64_000_000


def test_a_person_has_so_many_transfers_at_once(folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "aus")
    with served(tmp_path / "aus", limits=replace(OPEN, transfers_per_person=0)) as world:
        path, _ = attached(world)
        problem(world.ask("GET", path, "originator"), "too-many-requests")
        problem(add(world, begin(world), 0, b"x"), "too-many-requests")


def test_an_upload_that_stalls_is_ended_and_keeps_what_came(folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "aus")
    with served(tmp_path / "aus", limits=replace(OPEN, idle_s=0.3)) as world:
        upload = begin(world)
        host, _, port = world.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as link:
            head = (
                f"PUT {U}/{upload} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {world.token('originator')}\r\n"
                "upload-offset: 0\r\ncontent-type: application/octet-stream\r\ncontent-length: 10\r\n\r\nfive."
            )
            link.sendall(head.encode())
            assert b" 408 " in link.recv(65536).split(b"\r\n")[0]
        assert world.node.attachments.uploads.held(upload, "originator") == 5


def test_the_client_goes_on_where_it_was_cut_off(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aldis.client.files._PAUSE_S", 0)
    monkeypatch.setattr("aldis.client.files._PIECE", 300_000)
    (tmp_path / "plan.bin").write_bytes(PLAN)
    with Client(world.url, world.token("originator"), verify=False) as client:
        send, cuts = client._http.put, [2]

        def cut(*args: Any, **rest: Any) -> Any:
            answer = send(*args, **rest)
            if cuts[0]:
                cuts[0] -= 1
                raise httpx2.ReadError("cut after it arrived")
            return answer

        monkeypatch.setattr(client._http, "put", cut)
        described = client.upload(tmp_path / "plan.bin")
        assert described["digest"] == hashlib.sha256(PLAN).hexdigest()
        portions: list[dict[str, Any]] = [{"name": "title", "value": "T"}, {"name": "files", "value": [described]}]
        made = client.put("document", portions, marking="OFFICIAL", project="WATCH")
        stream, asked = client._http.stream, list[dict[str, str]]()

        def short(*args: Any, **rest: Any) -> Any:
            asked.append(rest["headers"])
            return _Short(stream(*args, **rest), len(asked) == 1)

        monkeypatch.setattr(client._http, "stream", short)
        client.download(made.id, "files", "plan.bin", tmp_path / "back.bin")
        assert (tmp_path / "back.bin").read_bytes() == PLAN
        assert "range" not in asked[0] and asked[1]["range"].startswith("bytes=")
        with pytest.raises(InvalidInput):
            client.download(made.id, "files", "plan.bin", tmp_path / "back.bin")
        with pytest.raises(UnknownTerm):
            client.download(made.id, "files", "none.bin", tmp_path / "none.bin")
        monkeypatch.setattr(client._http, "put", lambda *_args, **_rest: _fail())
        with pytest.raises(Unavailable):
            client.upload(tmp_path / "plan.bin")


def _fail() -> None:
    raise httpx2.ReadError("never")


class _Short:
    """An answer of which the first piece comes."""

    def __init__(self, inner: Any, cut: bool) -> None:
        self._inner, self._cut = inner, cut

    def __enter__(self) -> Any:
        answer = self._inner.__enter__()
        if self._cut:
            pieces = answer.iter_raw

            def first(size: int) -> Any:
                yield next(pieces(size))
                raise httpx2.ReadError("cut")

            answer.iter_raw = first
        return answer

    def __exit__(self, *exc_info: Any) -> Any:
        return self._inner.__exit__(*exc_info)
