"""Requests over real sockets: sessions, conditions, keys, limits, and what no client should send."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from port_world import HIGH, PASSWORD, World, make_node, put, served

from aldis.interfaces.api.limits import Limits
from aldis.interfaces.api.problems import PROBLEMS, TYPE, Problem
from aldis.kernel.errors import InvalidInput
from aldis.node.config import Config, check

NEW = {"kind": "document", "project": "WATCH", "marking": "OFFICIAL", "portions": [{"name": "title", "value": "New"}]}


def problem(answer: httpx2.Response, code: str) -> Problem:
    """The problem that an answer must be."""
    found = msgspec.json.decode(answer.content, type=Problem)
    assert found.type == TYPE + code, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == found.status == PROBLEMS[code].status
    assert found.instance == answer.headers["x-request-id"]
    return found


def raw(world: World, data: bytes, *, wait: float = 5) -> bytes:
    """What the server says to these bytes until it closes."""
    host, _, port = world.url.removeprefix("http://").rpartition(":")
    said = b""
    with socket.create_connection((host, int(port)), timeout=wait) as link:
        link.sendall(data)
        try:
            while some := link.recv(65536):
                said += some
        except (TimeoutError, ConnectionResetError):
            pass
    return said


def test_a_session_begins_says_who_changes_level_and_ends(world: World) -> None:
    body = {"person": "originator", "password": PASSWORD, "level": {"AUS": "PROTECTED"}}
    token = world.ask("POST", "/api/v1/sign-in", json=body).json()["token"]
    world.tokens["originator"] = token
    me = world.ask("GET", "/api/v1/session", "originator").json()
    assert (me["person"], me["level"], me["acts"]) == (
        "originator", {"AUS": "PROTECTED"}, ["put", "revise", "delete", "offer"],
    )  # fmt: skip
    put(world.node, "above", label=HIGH)
    assert world.ask("GET", "/api/v1/records/above", "originator").status_code == 404
    changed = world.ask("POST", "/api/v1/session/level", "originator", json={"level": {"AUS": "SECRET"}}).json()
    problem(world.ask("GET", "/api/v1/session", "originator"), "not-signed-in")
    world.tokens["originator"] = changed["token"]
    assert world.ask("GET", "/api/v1/records/above", "originator").status_code == 200
    problem(world.ask("POST", "/api/v1/session/level", "originator", json={"level": {"AUS": "TOP SECRET"}}), "refused")
    assert world.ask("DELETE", "/api/v1/session", "originator").status_code == 204
    problem(world.ask("GET", "/api/v1/session", "originator"), "not-signed-in")


def test_whoever_cannot_sign_in_is_told_the_same_whatever_the_cause(world: World) -> None:
    answers = [
        world.ask("POST", "/api/v1/sign-in", json={"person": who, "password": password})
        for who, password in (("nobody", PASSWORD), ("originator", "wrong"), ("suspended", PASSWORD))
    ]
    assert len({(a.status_code, a.json()["detail"], a.json()["fix"]) for a in answers}) == 1
    assert answers[0].headers["www-authenticate"].startswith("Bearer")
    problem(answers[0], "not-signed-in")


def test_a_person_enrols_with_the_code_that_an_administrator_was_given(world: World) -> None:
    person = {"id": "new", "name": "New", "nationality": "AUS", "clearance": {"AUS": "OFFICIAL"}}
    added = world.ask("POST", "/api/v1/people", "administrator", json=person)
    assert (added.status_code, added.headers["location"]) == (201, "/api/v1/people/new")
    body = {"person": "new", "code": added.json()["code"], "password": "a long enough password"}
    assert world.ask("POST", "/api/v1/enrol", json=body).status_code == 204
    problem(world.ask("POST", "/api/v1/enrol", json=body), "not-signed-in")
    assert world.ask("GET", "/api/v1/people/new", "administrator").json()["enrolled"]


def test_a_revision_needs_the_version_that_was_seen(world: World) -> None:
    seen = world.ask("GET", "/api/v1/records/doc-1", "originator")
    path, new = "/api/v1/records/doc-1", {"marking": "OFFICIAL", "portions": [{"name": "title", "value": "Mended"}]}
    problem(world.ask("PUT", path, "originator", json=new), "precondition-required")
    tag = {"If-Match": seen.headers["etag"]}
    revised = world.ask("PUT", path, "originator", json=new, headers=tag)
    assert revised.json()["version"] == 2
    assert revised.headers["etag"] == f'"{revised.json()["digest"]}"'
    problem(world.ask("PUT", path, "originator", json=new, headers=tag), "precondition-failed")
    problem(world.ask("DELETE", path, "originator", headers=tag), "precondition-failed")
    again = world.ask("GET", path, "originator", headers={"If-None-Match": revised.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    versions = world.ask("GET", path + "/versions", "originator").json()["records"]
    assert [one["header"]["version"] for one in versions] == [1, 2]


def test_of_revisions_at_once_one_wins_and_the_others_hear_of_it(world: World) -> None:
    tag = {"If-Match": world.ask("GET", "/api/v1/records/doc-1", "originator").headers["etag"]}
    answers: list[int] = []

    def revise(number: int) -> None:
        new = {"marking": "OFFICIAL", "portions": [{"name": "title", "value": str(number)}]}
        answers.append(world.ask("PUT", "/api/v1/records/doc-1", "originator", json=new, headers=tag).status_code)

    threads = [threading.Thread(target=revise, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 412, 412, 412, 412, 412]


def test_a_request_with_a_key_is_done_once(world: World) -> None:
    def ask(key: str, **changes: object) -> httpx2.Response:
        return world.ask("POST", "/api/v1/records", "originator", json=NEW | changes, headers={"Idempotency-Key": key})

    first, second = ask("one"), ask("one")
    assert (first.status_code, first.content) == (201, second.content)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["etag"] == first.headers["etag"]
    problem(ask("one", marking="PROTECTED"), "key-reused")
    assert ask("two").json()["id"] != first.json()["id"]
    problem(ask("x" * 129), "invalid-input")
    world.clock.at += 25 * 3_600_000
    world.tokens.clear()
    assert ask("one").json()["id"] != first.json()["id"]


def test_a_key_that_was_cut_off_says_so_and_another_level_may_not_use_it(world: World) -> None:
    digest = bytes(32)
    world.node.core.store.answers.begin("originator", "cut", digest, world.clock.at, 0)
    headers = {"Idempotency-Key": "cut"}
    problem(world.ask("POST", "/api/v1/records", "originator", json=NEW, headers=headers), "key-reused")
    headers = {"Idempotency-Key": "level"}
    assert world.ask("POST", "/api/v1/records", "originator", json=NEW, headers=headers).status_code == 201
    world.tokens["originator"] = world.node.people.sign_in("originator", PASSWORD, {"AUS": "OFFICIAL"})
    problem(world.ask("POST", "/api/v1/records", "originator", json=NEW, headers=headers), "key-reused")


def test_one_key_at_the_same_time_is_done_once(world: World) -> None:
    answers: list[httpx2.Response] = []
    world.token("originator")

    def ask() -> None:
        answers.append(
            world.ask("POST", "/api/v1/records", "originator", json=NEW, headers={"Idempotency-Key": "same"})
        )

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    listed = world.ask("GET", "/api/v1/records", "originator").json()["records"]
    assert len(listed) == 4


def test_no_secret_is_kept_for_a_key(world: World) -> None:
    person = {"id": "new", "name": "New", "nationality": "AUS", "clearance": {"AUS": "OFFICIAL"}}
    answer = world.ask("POST", "/api/v1/people", "administrator", json=person, headers={"Idempotency-Key": "k"})
    problem(answer, "invalid-input")
    assert world.ask("GET", "/api/v1/people/new", "administrator").status_code == 404


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/records?limit=0", "invalid-input"),
        ("/api/v1/records?limit=201", "invalid-input"),
        ("/api/v1/records?limit=9&limit=9", "invalid-input"),
        ("/api/v1/records?unknown=1", "invalid-input"),
        ("/api/v1/records?cursor=bad", "invalid-input"),
        ("/api/v1/records?kind=%ff", "invalid-input"),
        ("/api/v1/search?text=" + "x" * 5000, "invalid-input"),
        ("/api/v1/search?text=", "invalid-input"),
        ("/api/v1/search", "invalid-input"),
        ("/api/v1/records?kind=" + "x" * 9000, "too-large"),
        ("/api/v1/records/doc-1?version=0", "invalid-input"),
        ("/api/v1/records/doc-1?version=99", "not-found"),
        ("/api/v1/records/doc-1%2F..%2Fdoc-2", "not-found"),
        ("/api/v1/records/", "not-found"),
        ("/api/v2/records", "not-found"),
    ],
)
def test_a_bad_request_says_what_is_wrong(world: World, path: str, code: str) -> None:
    problem(world.ask("GET", path, "originator"), code)


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{", "application/json", "invalid-input"),
        (b"[" * 100_000, "application/json", "invalid-input"),
        (b'{"marking": "\\ud800"}', "application/json", "invalid-input"),
        (b'{"marking": "SECRET", "more": 1}', "application/json", "invalid-input"),
        (b'{"marking": 7}', "application/json", "invalid-input"),
        (b'{"marking": "NO SUCH THING"}', "application/json", "unknown-term"),
        (b'{"marking": "SECRET"}', "text/plain", "unsupported-media-type"),
        (b"x" * 300_000, "application/json", "too-large"),
    ],
)
def test_a_bad_body_says_what_is_wrong(world: World, body: bytes, kind: str, code: str) -> None:
    problem(world.ask("POST", "/api/v1/markings", "originator", content=body, headers={"content-type": kind}), code)


def test_a_value_that_is_nested_too_deep_is_refused(world: World) -> None:
    value: object = "x"
    for _ in range(60):
        value = [value]
    new = {**NEW, "portions": [{"name": "body", "value": value}]}
    assert world.ask("POST", "/api/v1/records", "originator", json=new).status_code in (400, 413)


def test_methods_that_a_path_lacks_are_named_and_no_other_origin_is_let_in(world: World) -> None:
    lacking = world.ask("PUT", "/api/v1/records", "originator")
    problem(lacking, "method-not-allowed")
    assert lacking.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    options = world.ask("OPTIONS", "/api/v1/records", headers={"Origin": "https://elsewhere.example"})
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    assert not [name for name in options.headers if name.startswith("access-control")]
    head, get = (world.ask(method, "/api/v1/records/doc-1", "originator") for method in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_every_answer_carries_the_headers_that_keep_it_where_it_belongs(world: World) -> None:
    for answer in (
        world.ask("GET", "/api/v1/records", "originator"),
        world.ask("GET", "/api/v1/records"),
        world.ask("GET", "/nowhere"),
        world.ask("GET", "/healthz"),
        world.ask("OPTIONS", "/api/v1/records"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers


def test_the_body_of_a_stranger_is_not_read(world: World) -> None:
    """The answer comes though nothing of the body was sent, and the connection is closed."""
    head = b"POST /api/v1/records HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    said = raw(world, head + b"Content-Length: 9000000\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in said.lower()


@pytest.mark.parametrize(
    "head",
    [
        b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n{}",
        b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n{}",
        b"GET /api/v1/session HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\nGET",
        b"GET /api/v1/session HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nLong: " + b"x" * 40_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_closed(world: World, head: bytes) -> None:
    said = raw(world, head + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", wait=2)
    assert b'"alive"' not in said
    assert said == b"" or said.split(b" ")[1] in (b"400", b"401", b"431", b"501")


def test_both_a_length_and_chunks_are_one_request_or_none(world: World) -> None:
    """RFC 9112 section 6.3: nothing of the body is taken for a second request."""
    body = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    said = raw(world, head % len(body) + b"Transfer-Encoding: chunked\r\n\r\n" + body, wait=1)
    assert b"HTTP/1.1 200" not in said.split(b"\r\n")[0]


def test_a_head_that_does_not_end_is_cut_off(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "aus")
    with served(tmp_path / "aus", limits=Limits(head_s=0.4, body_s=0.4)) as world:
        began = time.monotonic()
        assert raw(world, b"GET /healthz HTTP/1.1\r\nHost: x\r\nSlow: ", wait=10) == b""
        assert raw(world, b"", wait=10) == b""
        assert time.monotonic() - began < 5
        head = (
            b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"
        )
        assert raw(world, head, wait=10).startswith(b"HTTP/1.1 408 ")
        assert raw(world, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2, wait=1).count(b'"alive"') == 2


def test_an_address_with_too_many_connections_is_cut_off(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "aus")
    with served(tmp_path / "aus", limits=Limits(connections_per_address=3)) as world:
        host, _, port = world.url.removeprefix("http://").rpartition(":")
        held = [socket.create_connection((host, int(port)), timeout=5) for _ in range(3)]
        time.sleep(0.2)
        assert raw(world, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", wait=3) == b""
        for link in held:
            link.close()
        time.sleep(0.2)
        assert world.ask("GET", "/healthz").status_code == 200


def test_a_caller_who_asks_too_fast_is_told_when_to_come_again(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "aus")
    limits = Limits(person_rate=0.1, person_burst=3, stranger_rate=0.1, stranger_burst=4)
    with served(tmp_path / "aus", limits=limits) as world:
        for _ in range(3):
            assert world.ask("GET", "/api/v1/session", "originator").status_code == 200
        late = world.ask("GET", "/api/v1/session", "originator")
        problem(late, "too-many-requests")
        assert 1 <= int(late.headers["retry-after"]) <= 10
        assert world.ask("GET", "/api/v1/session", "officer").status_code == 200
        for _ in range(4):
            problem(world.ask("GET", "/api/v1/session", headers={"authorization": "Bearer guess"}), "not-signed-in")
        problem(world.ask("GET", "/api/v1/session", headers={"authorization": "Bearer guess"}), "too-many-requests")
        problem(world.ask("POST", "/api/v1/sign-in", json={"person": "a", "password": "b"}), "too-many-requests")


def test_a_suspended_person_and_a_revoked_session_are_out_at_the_next_request(world: World) -> None:
    assert world.ask("GET", "/api/v1/session", "low").status_code == 200
    world.ask("POST", "/api/v1/people/low/revoke", "administrator", json={})
    problem(world.ask("GET", "/api/v1/session", "low"), "not-signed-in")
    assert world.ask("GET", "/api/v1/session", "originator").status_code == 200
    because = {"because": "left the team"}
    assert world.ask("POST", "/api/v1/people/originator/suspend", "administrator", json=because).status_code == 200
    problem(world.ask("GET", "/api/v1/session", "originator"), "not-signed-in")


def test_health_tells_strangers_hardly_anything_and_metrics_nothing(world: World) -> None:
    assert world.ask("GET", "/healthz").json() == {"alive": True}
    assert world.ask("GET", "/readyz").json() == {"ready": True}
    problem(world.ask("GET", "/metrics"), "not-signed-in")
    problem(world.ask("GET", "/metrics", "originator"), "not-signed-in")
    for headers, who in (({}, "administrator"), ({"authorization": f"Bearer {_metrics_token(world)}"}, "")):
        answer = world.ask("GET", "/metrics", who, headers=headers)
        assert answer.status_code == 200
        assert "aldis_records 3.0" in answer.text
        assert 'aldis_http_requests_total{method="GET",route="/healthz",status="200"}' in answer.text
        assert "doc-1" not in answer.text
    world.ask("GET", "/api/v1/records/some-record", "originator")
    assert "some-record" not in world.ask("GET", "/metrics", "administrator").text
    problem(world.ask("POST", "/metrics", "administrator", json={}), "method-not-allowed")


def _metrics_token(world: World) -> str:
    path = world.node.core.home.path / "metrics.token"
    assert path.stat().st_mode & 0o077 == 0
    return path.read_text().strip()


def test_what_others_reach_needs_a_certificate(tmp_path: Path) -> None:
    base: dict[str, Any] = {"node": "aus", "party": "AUS", "policy": "AUS", "ceiling": "SECRET"}
    for wrong in ({"http": "0.0.0.0:80"}, {"http": "localhost:80"}, {"http": "127.0.0.1:1", "http_key": "k"}):
        with pytest.raises(InvalidInput):
            check(Config(**base | wrong))
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate, *names], check=True, capture_output=True)
    make_node(tmp_path / "aus", http_certificate=certificate, http_key=key)
    with served(tmp_path / "aus") as world:
        assert world.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=certificate)
        with httpx2.Client(base_url=world.url, verify=context, trust_env=False) as client:
            answer = client.get("/healthz")
            assert answer.headers["strict-transport-security"]
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with (
            httpx2.Client(base_url=world.url, verify=context, trust_env=False) as old,
            pytest.raises(httpx2.ConnectError),
        ):
            old.get("/healthz")


def test_the_ledger_is_for_who_works_at_the_ceiling(world: World) -> None:
    assert world.ask("GET", "/api/v1/ledger/leaves", "auditor").status_code == 200
    world.tokens["auditor"] = world.node.people.sign_in("auditor", PASSWORD, {"AUS": "PROTECTED"})
    for path in ("leaves", "leaves/0/proof", "checkpoint"):
        problem(world.ask("GET", f"/api/v1/ledger/{path}", "auditor"), "refused")


def test_a_list_is_the_same_however_often_and_by_whomever_it_was_asked_for(world: World) -> None:
    """What was shown is kept, but not for who sees other portions of it, nor once it has changed."""
    put(world.node, "both", "Low part", body=("the high part", HIGH))

    def listed(who: str) -> list[dict[str, Any]]:
        return list(world.ask("GET", "/api/v1/records", who).json()["records"])

    for who in ("originator", "low", "originator", "low", "guest"):
        records = listed(who)
        whole = who == "originator"
        assert len(records) == 4
        assert ("the high part" in repr(records)) is whole
        assert ("SECRET" in str(records[0]["banner"])) is whole
        each = [world.ask("GET", f"/api/v1/records/{one['header']['id']}", who).json() for one in records]
        assert each == records
    held = world.node.core.store.records.get("both")
    assert held is not None
    with world.node.core.store.transaction():
        world.node.core.store.erasure.erase([held.seq], "for the test", world.clock.at)
    assert "the high part" not in repr(listed("originator"))
    assert "Low part" not in repr(listed("low"))
