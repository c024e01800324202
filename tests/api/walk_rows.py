"""How each operation of the API is asked on a walk: what is in sight, what is hidden, and what there is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from port_world import CANARY, PASSWORD, START
from walk_world import DAY, INSTRUMENT, NOW, UPLOAD, Known

from aldis.interfaces.api.operations import Operation
from aldis.node.node import Node

DIGEST = "ab" * 32
BYTES = {"upload-offset": "0", "content-type": "application/octet-stream"}
SORTS = ("released", "held", "theirs", "refused", "mixed", "recalled", "filed", "asked-0", "taken-back", "aside")
MARK = "OFFICIAL//REL AUS/GBR"
DRAFT = INSTRUMENT.replace("pa-watch", "pa-walk").replace("review = true\ndecide_within_days = 3\n", "")
WHY = {"because": "for the walk"}
V = "/api/v1"
R, S, D, W = f"{V}/records", f"{V}/saved", f"{V}/desk/cases", f"{V}/workspace/projects"


@dataclass(frozen=True)
class Row:
    """How an operation is asked; `status` is the answer's for whoever of this node's own may do that."""

    path: str
    status: int = 200
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def rows(table: Mapping[str, Operation], node: Node, seen: Known, hidden: Known, stem: str) -> dict[str, list[Row]]:
    """The rows of each operation by its name; ids of what is hidden begin with `stem`."""
    found = {
        **_sessions(), **_reading(), **_writing(node), **_files(stem), **_saved(), **_releases(),
        **_desk(node, seen, hidden), **_terms(), **_offices(seen, hidden), **_projects(seen, hidden),
        **_orders(seen, hidden, stem),
    }  # fmt: skip
    for place, (name, operation) in enumerate(table.items()):
        if operation.path.startswith(f"{R}/{{id}}"):
            found[name] += [_hidden(operation, found[name][-1], stem, SORTS[(place + n) % len(SORTS)]) for n in (0, 5)]
    return found


def _hidden(operation: Operation, like: Row, stem: str, sort: str) -> Row:
    """A row of an operation on a record, asked of a hidden one."""
    parts = like.path.split("/")
    parts[operation.path.split("/").index("{id}")] = f"{stem}-{sort}"
    headers = {**like.headers, **({"If-Match": f'"{DIGEST}"'} if operation.if_match else {})}
    return replace(like, path="/".join(parts), status=404, headers=headers)


def _sessions() -> dict[str, list[Row]]:
    return {
        "post_sign_in": [Row(f"{V}/sign-in", 401, body={"person": "nobody", "password": "x"})],
        "post_enrol": [Row(f"{V}/enrol", 401, body={"person": "nobody", "code": "x", "password": PASSWORD})],
        "get_session": [Row(f"{V}/session")],
        "post_session_level": [Row(f"{V}/session/level", 403, body={"level": {"AUS": "TOP SECRET"}})],
        "delete_session": [Row(f"{V}/session", 204)],
    }


def _reading() -> dict[str, list[Row]]:
    search = f"{V}/search"
    return {
        "get_records": [
            Row(R),
            Row(R, query={"limit": "3"}),
            Row(R, query={"project": "BLACK"}),
            Row(R, query={"kind": "decision", "limit": "2"}),
            Row(R, query={"originator": "gbr"}),
            Row(R, query={"originator": "usa"}),
            Row(R, query={"author": "originator", "kinds": "document"}),
            Row(R, query={"at_most": "OFFICIAL", "limit": "5"}),
            Row(R, query={"arrived_from": str(START), "created_until": str(START + 1)}),
        ],
        "get_search": [
            Row(search, query={"text": "patrol"}),
            Row(search, query={"text": CANARY}),
            Row(search, query={"text": "patrol", "limit": "4"}),
            Row(search, query={"text": "patrol", "author": "originator", "at_most": "OFFICIAL"}),
        ],
        "get_search_meaning": [Row(f"{search}/meaning", 400, query={"text": "patrol"})],
        "get_records_id": [
            Row(f"{R}/doc-0"),
            Row(f"{R}/nothing", 404),
            Row(f"{R}/seen-theirs"),
            Row(f"{R}/seen-theirs", query={"originator": "gbr"}),
            Row(f"{R}/seen-mixed", 404, query={"originator": "gbr"}),
            Row(f"{R}/late"),
        ],
        "get_records_id_versions": [Row(f"{R}/doc-0/versions"), Row(f"{R}/lowered/versions")],
        "get_records_id_portions_name": [Row(f"{R}/doc-0/portions/title"), Row(f"{R}/seen-mixed/portions/title")],
        "get_records_id_explanation": [Row(f"{R}/seen-theirs/explanation"), Row(f"{R}/doc-0/explanation")],
    }


def _writing(node: Node) -> dict[str, list[Row]]:
    tag = {"If-Match": f'"{node.records.get("doc-0").digest.hex()}"'}
    body = {"marking": "OFFICIAL", "portions": [{"name": "title", "value": "Walked"}]}
    new = {**body, "kind": "document", "project": "WATCH"}
    return {
        "post_records": [
            Row(R, 201, body=new),
            Row(R, 400, body={**new, "sources": [DIGEST]}),
            Row(R, 400, body={**new, "sources": [f"{CANARY}-released"]}),
            Row(R, 403, body={**new, "project": "BLACK"}),
            Row(R, 400, body={**new, "id": f"{CANARY}-released"}),
        ],
        "put_records_id": [Row(f"{R}/doc-0", 428, body=body), Row(f"{R}/doc-0", body=body, headers=tag)],
        "delete_records_id": [Row(f"{R}/doc-0", 412, headers=tag)],
    }


def _files(stem: str) -> dict[str, list[Row]]:
    one, other, uploads = f"{R}/seen-filed/attachments/files", f"{R}/{stem}-filed/attachments/files", f"{V}/uploads"
    return {
        "get_records_id_attachments": [Row(f"{R}/doc-1/attachments"), Row(f"{R}/seen-filed/attachments")],
        "get_records_id_attachments_portion_name": [
            Row(f"{other}/{stem}.txt", 404),
            Row(f"{one}/none.txt", 404),
            Row(f"{one}/seen.txt", 206, headers={"Range": "bytes=3-5"}),
            Row(f"{one}/seen.txt"),
        ],
        "get_uploads": [Row(uploads)],
        "post_uploads": [Row(uploads, 201, body={"name": "walk.txt"})],
        "get_uploads_upload": [Row(f"{uploads}/none", 404), Row(f"{uploads}/{UPLOAD}", 404)],
        "put_uploads_upload": [
            Row(f"{uploads}/none", 404, body=b"x", headers=BYTES),
            Row(f"{uploads}/{UPLOAD}", 404, body=b"x", headers=BYTES),
        ],
        "delete_uploads_upload": [Row(f"{uploads}/none", 404), Row(f"{uploads}/{UPLOAD}", 404)],
        "post_uploads_upload_finish": [
            Row(f"{uploads}/none/finish", 404, body={}),
            Row(f"{uploads}/{UPLOAD}/finish", 404, body={}),
        ],
    }


def _saved() -> dict[str, list[Row]]:
    hidden = f"{S}/{CANARY}-saved"
    return {
        "get_saved": [Row(S)],
        "post_saved": [Row(S, 201, body={"name": "walk", "text": "patrol"})],
        "get_saved_name": [Row(f"{S}/walk"), Row(hidden, 404)],
        "delete_saved_name": [Row(hidden, 404)],
        "get_saved_name_records": [Row(f"{S}/walk/records"), Row(f"{hidden}/records", 404)],
        "post_saved_name_read": [
            Row(f"{S}/walk/read", 400, body={"upto": "x"}),
            Row(f"{hidden}/read", 404, body={"upto": "x"}),
        ],
        "get_notices": [Row(f"{V}/notices"), Row(f"{V}/notices", query={"limit": "1"})],
    }


def _releases() -> dict[str, list[Row]]:
    return {
        "get_records_id_partners_partner": [
            Row(f"{R}/doc-1/partners/none", 404),
            Row(f"{R}/seen-mixed/partners/gbr"),
            Row(f"{R}/seen-held/partners/gbr"),
            Row(f"{R}/seen-refused/partners/usa"),
        ],
        "get_records_id_partners_partner_told": [
            Row(f"{R}/seen-refused/partners/gbr/told"),
            Row(f"{R}/seen-mixed/partners/usa/told"),
            Row(f"{R}/lowered/partners/usa/told"),
        ],
        "post_records_id_partners_partner_offer": [
            Row(f"{R}/late-asked/partners/gbr/offer", body={}),
            Row(f"{R}/doc-1/partners/usa/offer", body={}),
        ],
        "post_preview": [
            Row(f"{V}/preview", 400, body={"instruments": []}),
            Row(f"{V}/preview", body={"instruments": [DRAFT]}),
        ],
    }


def _desk(node: Node, seen: Known, hidden: Known) -> dict[str, list[Row]]:
    token = {number: node.desk.case(number).case.token for number in seen.cases}
    tags = {number: {"If-Match": f'"{one}"'} for number, one in token.items()}
    first, second, third, fourth = seen.cases
    one, other, loose = hidden.cases[0], hidden.cases[1], {"If-Match": f'"{DIGEST[:20]}"'}
    named = [
        {"number": fourth, "token": token[fourth]}, {"number": other, "token": "x"}, {"number": 9, "token": "x"},
    ]  # fmt: skip
    later = {**WHY, "until": START + 40 * 86_400_000}
    return {
        "get_desk_cases": [
            Row(D),
            Row(D, query={"limit": "2"}),
            Row(D, query={"every": "true", "limit": "3"}),
            Row(D, query={"project": "BLACK", "every": "true"}),
            Row(D, query={"mine": "true", "overdue": "true"}),
            Row(D, query={"partner": "usa"}),
            Row(D, query={"like": str(first)}),
            Row(D, 400, query={"like": str(one)}),
        ],
        "get_desk_cases_number": [
            *(Row(f"{D}/{number}", 404) for number in (9, one, hidden.ruled)),
            *(Row(f"{D}/{number}") for number in (first, seen.ruled)),
        ],
        "post_desk_cases_number_approve": [
            Row(f"{D}/{first}/approve", 428, body=WHY),
            Row(f"{D}/{first}/approve", 412, body=WHY, headers=loose),
            Row(f"{D}/{one}/approve", 404, body=WHY, headers=loose),
            Row(f"{D}/{first}/approve", body=WHY, headers=tags[first]),
        ],
        "post_desk_cases_number_deny": [
            Row(f"{D}/{one}/deny", 404, body=WHY, headers=loose),
            Row(f"{D}/{second}/deny", body=WHY, headers=tags[second]),
        ],
        "post_desk_cases_number_defer": [
            Row(f"{D}/{one}/defer", 404, body=later, headers=loose),
            Row(f"{D}/{third}/defer", body=later, headers=tags[third]),
        ],
        "post_desk_rulings": [Row(f"{V}/desk/rulings", body={**WHY, "verdict": "denied", "cases": named})],
        "post_records_id_hold": [Row(f"{R}/none/hold", 404, body=WHY), Row(f"{R}/doc-2/hold", 204, body=WHY)],
        "post_records_id_lift": [Row(f"{R}/doc-1/lift", 400, body=WHY), Row(f"{R}/doc-2/lift", 204, body=WHY)],
    }


def _terms() -> dict[str, list[Row]]:
    return {
        "get_live": [Row(f"{V}/live", 400, query={"kind": "none"})],
        "get_changes": [Row(f"{V}/changes", 400, query={"none": ""})],
        "get_kinds": [Row(f"{V}/kinds")],
        "get_policies": [Row(f"{V}/policies")],
        "get_policies_name": [Row(f"{V}/policies/UK"), Row(f"{V}/policies/none", 404)],
        "post_markings": [Row(f"{V}/markings", body={"marking": "SECRET//REL AUS/GBR"})],
        "get_instruments": [Row(f"{V}/instruments")],
        "get_instruments_name": [
            Row(f"{V}/instruments/pa-watch"),
            Row(f"{V}/instruments/pa-none", 404),
            Row(f"{V}/instruments/{CANARY}-pact", 404),
        ],
    }


def _offices(seen: Known, hidden: Known) -> dict[str, list[Row]]:
    people, partners, aside, recalls = f"{V}/people", f"{V}/partners", f"{V}/quarantine", f"{V}/recalls"
    person = {"id": "walked", "name": "W", "nationality": "AUS", "clearance": {"AUS": "OFFICIAL"}}
    ledger = f"{V}/ledger"
    return {
        "get_people": [Row(people)],
        "post_people": [Row(people, 201, body=person)],
        "get_people_person": [Row(f"{people}/guest"), Row(f"{people}/none", 404)],
        "put_people_person": [Row(f"{people}/bystander", body={"name": "By Stander"})],
        "post_people_person_suspend": [Row(f"{people}/bystander/suspend", body=WHY)],
        "post_people_person_resume": [Row(f"{people}/bystander/resume", body=WHY)],
        "post_people_person_code": [Row(f"{people}/bystander/code", body={})],
        "post_people_person_revoke": [Row(f"{people}/bystander/revoke", body={})],
        "get_partners": [Row(partners)],
        "post_partners_partner_suspend": [
            Row(f"{partners}/none/suspend", 404, body=WHY),
            Row(f"{partners}/usa/suspend", body=WHY),
        ],
        "post_partners_partner_resume": [Row(f"{partners}/usa/resume", body=WHY)],
        "get_quarantine": [Row(aside)],
        "post_quarantine_number_retry": [
            Row(f"{aside}/99/retry", 404, body={}),
            Row(f"{aside}/{seen.aside}/retry", body={}),
            Row(f"{aside}/{hidden.aside}/retry", 404, body={}),
        ],
        "post_quarantine_number_drop": [
            Row(f"{aside}/{seen.aside}/drop", 404, body=WHY),
            Row(f"{aside}/{hidden.aside}/drop", 404, body=WHY),
        ],
        "post_records_id_recall": [
            Row(f"{R}/seen-refused/recall", 400, body=WHY),
            Row(f"{R}/seen-theirs/recall", 404, body=WHY),
            Row(f"{R}/doc-1/recall", body=WHY),
            Row(f"{R}/lowered/recall", body=WHY),
        ],
        "get_records_id_recall": [
            Row(f"{R}/seen-recalled/recall"),
            Row(f"{R}/seen-mixed/recall"),
            Row(f"{R}/late/recall"),
            Row(f"{R}/lowered/recall"),
        ],
        "get_recalls": [Row(recalls)],
        "post_recalls_number_comply": [
            Row(f"{recalls}/99/comply", 404, body=WHY),
            Row(f"{recalls}/{seen.recall}/comply", body=WHY),
            Row(f"{recalls}/{hidden.recall}/comply", 404, body=WHY),
        ],
        "post_recalls_number_refuse": [
            Row(f"{recalls}/{seen.recall}/refuse", 400, body=WHY),
            Row(f"{recalls}/{hidden.recall}/refuse", 404, body=WHY),
        ],
        "get_retention_due": [Row(f"{V}/retention/due")],
        "get_experiments_picture": [Row(f"{V}/experiments/picture", query={"limit": "1"})],
        "get_ledger_leaves": [Row(f"{ledger}/leaves", query={"limit": "2"})],
        "get_ledger_leaves_index_proof": [Row(f"{ledger}/leaves/0/proof")],
        "get_ledger_checkpoint": [Row(f"{ledger}/checkpoint")],
    }


def _projects(seen: Known, hidden: Known) -> dict[str, list[Row]]:
    name, black, none = f"{W}/WATCH", f"{W}/BLACK", f"{W}/NONE"
    item, gone, at = f"{name}/items/aus/{seen.task}", f"{name}/items/aus/{hidden.task}", "workspace_projects_name"
    there = f"{black}/items/aus/{hidden.task}"
    start = {"template": "bilateral", "partners": ["GBR"], "title": "Reef", "marking": MARK}
    task = {"kind": "task", "portions": {"title": "Walked"}, "markings": {"": MARK}}
    word, text = {"state": "done", "markings": {"": MARK}}, {"text": "Walked", "markings": {"": MARK}}
    new, part = {"files": {"todo.csv": "title\nOne\n"}, "marking": MARK}, {"portions": {"title": "Walked on"}}
    return {
        "get_workspace_projects": [Row(W)],
        "post_workspace_projects": [
            Row(W, body={**start, "name": "REEF"}),
            Row(W, body={**start, "name": "BLACK"}),
            Row(W, 403, body={**start, "name": "BLACK", "write": True}),
            Row(W, 400, body={**start, "name": "WATCH"}),
        ],
        f"get_{at}": [Row(name), Row(black, 404), Row(none, 404)],
        f"get_{at}_board": [
            Row(f"{name}/board"),
            Row(f"{name}/board", query={"kind": "task", "state": "blocked"}),
            Row(f"{black}/board", 404),
        ],
        f"post_{at}_items": [Row(f"{name}/items", body=task), Row(f"{black}/items", 403, body=task)],
        f"get_{at}_items_node_id": [
            Row(item), Row(gone, 404), Row(there, 404), Row(f"{name}/items/aus/none", 404),
        ],
        f"put_{at}_items_node_id": [
            Row(gone, 404, body=part), Row(there, 404, body=part), Row(item, body=part),
        ],
        f"post_{at}_items_node_id_word": [
            Row(f"{gone}/word", 404, body=word), Row(f"{there}/word", 404, body=word), Row(f"{item}/word", body=word),
        ],
        f"post_{at}_items_node_id_replies": [
            Row(f"{gone}/replies", 404, body=text), Row(f"{there}/replies", 404, body=text),
            Row(f"{item}/replies", body=text),
        ],
        f"post_{at}_topics": [
            Row(f"{name}/topics", body={**text, "title": "Walk"}),
            Row(f"{black}/topics", 404, body={**text, "title": "Walk"}),
        ],
        f"get_{at}_activity": [
            *(Row(f"{name}/activity", query={"which": which}) for which in ("all", "new", "mine")),
            Row(f"{black}/activity", 404),
        ],
        f"post_{at}_read": [Row(f"{name}/read", body={}), Row(f"{black}/read", 404, body={})],
        f"get_{at}_calendar": [Row(f"{name}/calendar"), Row(f"{black}/calendar", 404)],
        f"post_{at}_extension": [
            Row(f"{name}/extension", body={"party": "USA"}), Row(f"{black}/extension", 404, body={"party": "USA"}),
        ],
        f"get_{at}_export": [Row(f"{name}/export"), Row(f"{black}/export", 404)],
        f"post_{at}_import": [
            Row(f"{name}/import", body=new), Row(f"{black}/import", body=new),
            Row(f"{black}/import", 403, body={**new, "write": True}),
        ],
    }  # fmt: skip


def _orders(seen: Known, hidden: Known, stem: str) -> dict[str, list[Row]]:
    tasks, leases, tracks = (f"{V}/experiments/{name}" for name in ("tasks", "leases", "tracks"))
    task, no = {"verb": "hold", "marking": MARK}, {"reason": "walked"}
    lent = {"holder": "gbr", "until_ms": NOW + DAY, "marking": MARK}
    return {
        "get_experiments_tasks": [Row(tasks)],
        "post_experiments_tasks": [
            Row(tasks, 400, body={**task, "track": f"{stem}-track"}), Row(tasks, 400, body={**task, "track": "none"}),
            Row(tasks, body={**task, "track": "seen-track"}),
        ],
        "post_experiments_tasks_id_acceptance": [
            Row(f"{tasks}/{hidden.wanted}/acceptance", 404, body={}),
            Row(f"{tasks}/{seen.wanted}/acceptance", body={"marking": MARK}),
        ],
        "post_experiments_tasks_id_refusal": [
            Row(f"{tasks}/{hidden.wanted}/refusal", 404, body=no), Row(f"{tasks}/{seen.wanted}/refusal", 400, body=no),
        ],
        "post_experiments_tasks_id_cancellation": [
            Row(f"{tasks}/{hidden.asked}/cancellation", 404, body={}),
            Row(f"{tasks}/{seen.asked}/cancellation", body={}),
        ],
        "get_experiments_leases": [Row(leases)],
        "get_experiments_participants": [
            Row(f"{V}/experiments/participants", query={"project": name}) for name in ("WATCH", "BLACK", "none")
        ],
        "post_experiments_leases": [
            Row(leases, 400, body={**lent, "track": f"{stem}-track"}),
            Row(leases, body={**lent, "track": "seen-track"}),
        ],
        "post_experiments_tracks_track_return": [
            Row(f"{tracks}/{stem}-track/return", 404, body=no), Row(f"{tracks}/seen-track/return", body=no),
        ],
    }  # fmt: skip
