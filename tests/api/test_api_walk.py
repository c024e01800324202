"""Every route as every role, in two worlds that differ in what nobody asking may know of: the answers are the same.

The world with more has records of a project that nobody here is in, with versions, one of them on hold; and for those
who work lower, records above their level. They have words that are searched for, ids and digests that are asked for,
and a canary. No partner is paired here: what is asked of partners is answered as for none.
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from port_world import CANARY, HIGH, LOW, PEOPLE, START, World, open_node, put, served

from aldis.app import find_apps
from aldis.interfaces.api.operations import Operation
from aldis.interfaces.api.table import NODE, operations
from aldis.kernel.authority import Act, may
from aldis.node.node import Node
from aldis.node.saved import Wanted
from aldis.node.store import Upload

HIDDEN = f"{CANARY}-1"
DIGEST = "ab" * 32
UPLOAD = "cd" * 16
BYTES = {"Upload-Offset": "0", "Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class Row:
    """How a route is asked: its path, query or body, headers; what the answer's status is where it may be asked."""

    path: str
    status: int = 200
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def rows(world: World) -> dict[str, list[Row]]:
    """Each operation by name, with what it is asked; some are asked for what is hidden, or does not exist."""
    doc = world.node.records.get("doc-0")
    tag = {"If-Match": f'"{doc.digest.hex()}"'}
    body = {"marking": "OFFICIAL", "portions": [{"name": "title", "value": "Walked"}]}
    new = {**body, "kind": "document", "project": "WATCH"}
    because = {"because": "for the walk"}
    person = {"id": "walked", "name": "W", "nationality": "AUS", "clearance": {"AUS": "OFFICIAL"}}
    r = "/api/v1/records"
    return {
        "get_records": [
            Row(r),
            Row(r, query={"limit": "1"}),
            Row(r, query={"project": "BLACK"}),
            Row(r, query={"kind": "track"}),
            Row(r, query={"originator": "gbr"}),
            Row(r, query={"author": "originator", "kinds": "document"}),
            Row(r, query={"at_most": "OFFICIAL", "limit": "2"}),
            Row(r, query={"arrived_from": str(START), "created_until": str(START + 1)}),
        ],
        "get_search": [
            Row("/api/v1/search", query={"text": "patrol"}),
            Row("/api/v1/search", query={"text": CANARY}),
            Row("/api/v1/search", query={"text": "patrol", "limit": "1"}),
            Row("/api/v1/search", query={"text": "patrol", "author": "originator", "at_most": "OFFICIAL"}),
        ],
        "get_search_meaning": [Row("/api/v1/search/meaning", 400, query={"text": "patrol"})],
        "get_records_id": [
            Row(f"{r}/doc-0"),
            Row(f"{r}/{HIDDEN}", 404),
            Row(f"{r}/nothing", 404),
            Row(f"{r}/same"),
            Row(f"{r}/same", query={"originator": "aus"}),
            Row(f"{r}/same", 404, query={"originator": "gbr"}),
            Row(f"{r}/{HIDDEN}", 404, query={"originator": "aus"}),
        ],
        "get_records_id_versions": [Row(f"{r}/doc-0/versions"), Row(f"{r}/{HIDDEN}/versions", 404)],
        "get_records_id_portions_name": [
            Row(f"{r}/doc-0/portions/title"),
            Row(f"{r}/mixed/portions/title"),
            Row(f"{r}/{HIDDEN}/portions/title", 404),
        ],
        "get_records_id_explanation": [Row(f"{r}/doc-0/explanation"), Row(f"{r}/{HIDDEN}/explanation", 404)],
        "post_records": [
            Row(r, 201, body=new),
            Row(r, 400, body={**new, "sources": [DIGEST]}),
            Row(r, 403, body={**new, "project": "BLACK"}),
            Row(r, 400, body={**new, "id": HIDDEN}),
        ],
        "put_records_id": [
            Row(f"{r}/doc-0", 428, body=body),
            Row(f"{r}/{HIDDEN}", 404, body=body, headers=tag),
            Row(f"{r}/doc-0", body=body, headers=tag),
        ],
        "delete_records_id": [Row(f"{r}/{HIDDEN}", 404, headers=tag), Row(f"{r}/doc-0", 412, headers=tag)],
        "get_records_id_partners_partner": [
            Row(f"{r}/doc-1/partners/gbr", 404),
            Row(f"{r}/{HIDDEN}/partners/gbr", 404),
        ],
        "get_records_id_partners_partner_told": [Row(f"{r}/{HIDDEN}/partners/gbr/told", 404)],
        "post_records_id_partners_partner_offer": [
            Row(f"{r}/doc-1/partners/gbr/offer", 404, body={}),
            Row(f"{r}/{HIDDEN}/partners/gbr/offer", 404, body={}),
        ],
        "post_preview": [Row("/api/v1/preview", body={"instruments": [INSTRUMENT]})],
        "get_records_id_attachments": [
            Row(f"{r}/doc-1/attachments"),
            Row(f"{r}/{HIDDEN}/attachments", 404),
            Row(f"{r}/filed/attachments"),
        ],
        "get_records_id_attachments_portion_name": [
            Row(f"{r}/filed/attachments/files/plan.txt"),
            Row(f"{r}/filed/attachments/files/plan.txt", 206, headers={"Range": "bytes=3-5"}),
            Row(f"{r}/filed/attachments/files/none.txt", 404),
            Row(f"{r}/{HIDDEN}/attachments/files/plan.txt", 404),
            Row(f"{r}/{HIDDEN}-file/attachments/files/{HIDDEN}.txt", 404),
        ],
        "get_uploads": [Row("/api/v1/uploads")],
        "post_uploads": [Row("/api/v1/uploads", 201, body={"name": "walk.txt"})],
        "get_uploads_upload": [Row("/api/v1/uploads/none", 404), Row(f"/api/v1/uploads/{UPLOAD}", 404)],
        "put_uploads_upload": [
            Row("/api/v1/uploads/none", 404, body=b"x", headers=BYTES),
            Row(f"/api/v1/uploads/{UPLOAD}", 404, body=b"x", headers=BYTES),
        ],
        "delete_uploads_upload": [Row("/api/v1/uploads/none", 404), Row(f"/api/v1/uploads/{UPLOAD}", 404)],
        "post_uploads_upload_finish": [
            Row("/api/v1/uploads/none/finish", 404, body={}),
            Row(f"/api/v1/uploads/{UPLOAD}/finish", 404, body={}),
        ],
        "get_desk_cases": [
            Row("/api/v1/desk/cases"),
            Row("/api/v1/desk/cases", query={"project": "BLACK", "every": "true"}),
            Row("/api/v1/desk/cases", query={"mine": "true", "overdue": "true"}),
        ],
        "get_desk_cases_number": [Row("/api/v1/desk/cases/9", 404)],
        "post_desk_cases_number_approve": [
            Row("/api/v1/desk/cases/9/approve", 428, body=because),
            Row("/api/v1/desk/cases/9/approve", 404, body=because, headers=tag),
        ],
        "post_desk_cases_number_deny": [Row("/api/v1/desk/cases/9/deny", 404, body=because, headers=tag)],
        "post_desk_cases_number_defer": [
            Row("/api/v1/desk/cases/9/defer", 404, body={**because, "until": START * 2}, headers=tag)
        ],
        "post_desk_rulings": [
            Row(
                "/api/v1/desk/rulings",
                body={**because, "verdict": "denied", "cases": [{"number": 9, "token": "x"}]},
            )
        ],
        "post_records_id_hold": [
            Row(f"{r}/{HIDDEN}/hold", 404, body=because),
            Row(f"{r}/none/hold", 404, body=because),
            Row(f"{r}/doc-2/hold", 204, body=because),
        ],
        "post_records_id_lift": [
            Row(f"{r}/{HIDDEN}/lift", 404, body=because),
            Row(f"{r}/doc-2/lift", 204, body=because),
        ],
        "get_saved": [Row("/api/v1/saved")],
        "post_saved": [Row("/api/v1/saved", 201, body={"name": "walk", "text": "patrol"})],
        "get_saved_name": [Row("/api/v1/saved/walk"), Row(f"/api/v1/saved/{HIDDEN}", 404)],
        "delete_saved_name": [Row(f"/api/v1/saved/{HIDDEN}", 404)],
        "get_saved_name_records": [Row("/api/v1/saved/walk/records"), Row(f"/api/v1/saved/{HIDDEN}/records", 404)],
        "post_saved_name_read": [Row("/api/v1/saved/walk/read", 400, body={"upto": "x"})],
        "get_notices": [Row("/api/v1/notices")],
        "get_session": [Row("/api/v1/session")],
        "post_session_level": [Row("/api/v1/session/level", 403, body={"level": {"AUS": "TOP SECRET"}})],
        "delete_session": [Row("/api/v1/session", 204)],
        "post_sign_in": [Row("/api/v1/sign-in", 401, body={"person": "originator", "password": "guess"})],
        "post_enrol": [
            Row("/api/v1/enrol", 401, body={"person": "nobody", "code": "x", "password": "a long enough password"})
        ],
        "get_kinds": [Row("/api/v1/kinds")],
        "get_policies": [Row("/api/v1/policies")],
        "get_policies_name": [Row("/api/v1/policies/UK"), Row("/api/v1/policies/none", 404)],
        "post_markings": [Row("/api/v1/markings", body={"marking": "SECRET//REL AUS/GBR"})],
        "get_instruments": [Row("/api/v1/instruments")],
        "get_instruments_name": [Row("/api/v1/instruments/pa-none", 404)],
        "get_people": [Row("/api/v1/people")],
        "post_people": [Row("/api/v1/people", 201, body=person)],
        "get_people_person": [Row("/api/v1/people/guest"), Row("/api/v1/people/none", 404)],
        "put_people_person": [Row("/api/v1/people/bystander", body={"name": "By Stander"})],
        "post_people_person_suspend": [Row("/api/v1/people/bystander/suspend", body=because)],
        "post_people_person_resume": [Row("/api/v1/people/bystander/resume", body=because)],
        "post_people_person_code": [Row("/api/v1/people/bystander/code", body={})],
        "post_people_person_revoke": [Row("/api/v1/people/bystander/revoke", body={})],
        "get_partners": [Row("/api/v1/partners")],
        "post_partners_partner_suspend": [Row("/api/v1/partners/gbr/suspend", 404, body=because)],
        "post_partners_partner_resume": [Row("/api/v1/partners/gbr/resume", 404, body=because)],
        "get_quarantine": [Row("/api/v1/quarantine")],
        "post_quarantine_number_retry": [Row("/api/v1/quarantine/9/retry", 404, body={})],
        "post_quarantine_number_drop": [Row("/api/v1/quarantine/9/drop", 404, body=because)],
        "post_records_id_recall": [
            Row(f"{r}/doc-1/recall", 400, body=because),
            Row(f"{r}/{HIDDEN}/recall", 404, body=because),
        ],
        "get_records_id_recall": [Row(f"{r}/doc-1/recall"), Row(f"{r}/{HIDDEN}/recall", 404)],
        "get_recalls": [Row("/api/v1/recalls")],
        "post_recalls_number_comply": [Row("/api/v1/recalls/9/comply", 404, body=because)],
        "post_recalls_number_refuse": [Row("/api/v1/recalls/9/refuse", 404, body=because)],
        "get_retention_due": [Row("/api/v1/retention/due")],
        "get_ledger_leaves": [Row("/api/v1/ledger/leaves", query={"limit": "2"})],
        "get_ledger_leaves_index_proof": [Row("/api/v1/ledger/leaves/0/proof")],
        "get_ledger_checkpoint": [Row("/api/v1/ledger/checkpoint")],
        "get_live": [Row("/api/v1/live", query={"kind": "none"}, status=400)],
        "get_changes": [Row("/api/v1/changes", query={"none": ""}, status=400)],
    }


INSTRUMENT = """\
instrument = "arrangement"
id = "pa-walk"
title = "Walk"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2035-12-31

[[clause]]
id = "1"
kinds = ["document"]
projects = ["WATCH", "BLACK"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET", UK = "SECRET" }
"""
BY_OFFICE = {"auditor": {"get_ledger_leaves", "get_ledger_leaves_index_proof", "get_ledger_checkpoint"}}
"""What tells of all that is here to whoever holds the office: the ledger, at the node's ceiling."""
WALKERS = [*(name for name in PEOPLE if name != "suspended"), "suspended", "signed-out"]
TABLE = {one.name: one for one in operations({name: app for name, app in find_apps().items() if name == "experiments"})}


def attached(node: Node, name: str) -> list[Any]:
    """A file that the node holds, as a portion describes it."""
    made = node.attachments.uploads.whole(io.BytesIO(f"content of {name}".encode()), f"{name}.txt")
    return [msgspec.to_builtins(made)]


def hide(node: Node) -> None:
    """What nobody in the world may know of: another project, at either level, with a later version, on hold."""
    for number in range(1, 6):
        put(node, f"{CANARY}-{number}", f"patrol {CANARY}", LOW if number % 2 else HIGH, project="BLACK")
    put(node, "unlike", f"patrol {CANARY}", LOW, project="BLACK", body=(CANARY, HIGH))
    node.desk.hold(f"{CANARY}-1", f"because of {CANARY}")
    put(node, f"{HIDDEN}-file", f"patrol {CANARY}", LOW, project="BLACK", files=(attached(node, HIDDEN), LOW))
    node.core.store.attachments.add_upload(Upload(UPLOAD, "nobody", f"{HIDDEN}.txt", "text/plain", START))
    node.saved.add("", HIDDEN, Wanted(text=CANARY))
    node.core.store.quarantine.drop(1)


def hide_above(node: Node) -> None:
    """As `hide`, and what those who work at the lowest level may not know of."""
    hide(node)
    for number in range(6, 9):
        put(node, f"{CANARY}-{number}", f"patrol {CANARY}", HIGH)


@pytest.fixture(scope="module")
def base(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("walk") / "aus"
    shutil.copytree(folder, made)
    with open_node(made, seed=3) as node:
        put(node, "mixed", "Patrol of both", LOW, body=("the high part", HIGH))
        put(node, "same", "Patrol", LOW)
        put(node, "filed", "Patrol with a file", LOW, files=(attached(node, "plan"), LOW))
    return made


def walk(folder: Path, walker: str) -> dict[str, list[dict[str, Any]]]:
    """Every answer to a walker, as far as it may differ by what is hidden."""
    with served(folder, seed=4, at=START + 60_000) as world:
        found: dict[str, list[dict[str, Any]]] = {}
        asked = rows(world)
        for name, operation in TABLE.items():
            if name == "delete_session":
                continue
            found[name] = [answered(world, operation, row, walker) for row in asked[name]]
        found["delete_session"] = [answered(world, TABLE["delete_session"], asked["delete_session"][0], walker)]
    return found


def answered(world: World, operation: Operation, row: Row, walker: str) -> dict[str, Any]:
    """One answer; pages are followed to their end."""
    who = "" if walker in ("suspended", "signed-out") else walker
    headers = dict(row.headers)
    if walker == "suspended":
        headers["authorization"] = "Bearer " + "x" * 43
    body = {"content" if operation.raw else "json": row.body} if operation.has_body else {}
    answer = world.ask(operation.method, row.path, who, params=row.query, headers=headers, **body)
    pages = [plain(answer)]
    while answer.status_code == 200 and operation.paged and (cursor := answer.json()["next"]):
        answer = world.ask("GET", row.path, who, params={**row.query, "cursor": cursor})
        pages.append(plain(answer))
    return {"path": row.path, "expected": row.status, "status": pages[0]["status"], "pages": pages}


def plain(answer: httpx2.Response) -> dict[str, Any]:
    """An answer without what differs from one request to the next; a cursor stays by its length."""
    text = answer.text
    request = answer.headers["x-request-id"]
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
    if answer.headers.get("content-type") == "application/json" and '"next":"' in text:
        text = re.sub(r'"next":"([^"]+)"', lambda found: f'"next":"{len(found[1])}"', text)
    if "link" in headers:
        headers["link"] = re.sub(r"cursor=([\w-]+)", lambda found: f"cursor={len(found[1])}", headers["link"])
    return {"status": answer.status_code, "headers": headers, "body": text.replace(request, "ID"), "size": len(text)}


def may_ask(operation: Operation, walker: str) -> bool:
    """Whether a role of the walker's allows it."""
    acts = operation.act if isinstance(operation.act, tuple) else (operation.act,)
    return operation.act is None or any(may(PEOPLE[walker]["roles"], Act(act)) for act in acts if act)


def test_every_route_has_a_row() -> None:
    """A new route is walked, or this fails."""
    walked = set(rows_of_nothing())
    assert {one.name for one in NODE} == walked
    assert len({one.name for one in operations(find_apps())}) == len(operations(find_apps()))


def rows_of_nothing() -> Iterator[str]:
    class Stub:
        class node:  # noqa: N801
            class records:  # noqa: N801
                @staticmethod
                def get(_id: str) -> Any:
                    return type("Row", (), {"digest": b""})

    yield from rows(Stub())  # type: ignore[arg-type]


@pytest.mark.parametrize("walker", WALKERS)
def test_what_one_may_not_know_of_changes_no_answer(base: Path, tmp_path: Path, walker: str) -> None:
    hidden: Callable[[Node], None] = hide_above if walker in ("low", "guest", "foreign") else hide
    for name in ("without", "with"):
        shutil.copytree(base, tmp_path / name)
    with open_node(tmp_path / "with", seed=5) as node:
        hidden(node)
    without, more = (walk(tmp_path / name, walker) for name in ("without", "with"))
    office = BY_OFFICE.get(walker, set())
    for name, operation in TABLE.items():
        if name not in office:
            assert more[name] == without[name], name
            said = repr([page["body"] for one in more[name] for page in one["pages"]])
            assert CANARY not in said.replace(HIDDEN, "").replace(f"'{CANARY}'", ""), name
        for one in more[name]:
            if walker in ("suspended", "signed-out") and not operation.open_:
                assert one["status"] == 401, name
            elif walker not in ("suspended", "signed-out") and not may_ask(operation, walker):
                assert one["status"] == 403, name
            elif walker in ("originator", "officer", "security", "auditor", "administrator") or operation.open_:
                assert one["status"] == one["expected"], (name, one)
            else:
                assert one["status"] < 500, name
