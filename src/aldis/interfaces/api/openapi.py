"""The OpenAPI 3.1 document, made from the table of operations and their structs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from aldis.interfaces.api.gateway import respond
from aldis.interfaces.api.operations import Operation
from aldis.interfaces.api.problems import PROBLEMS, HttpProblem, Problem
from aldis.interfaces.api.visits import visit_of
from aldis.kernel.attachments import ATTACHMENT_LIMIT

__all__ = ["Document", "document", "write"]

_BYTES = "application/octet-stream"
_TEXT = {"type": "string"}
_OFFSET = {"type": "integer", "minimum": 0, "maximum": ATTACHMENT_LIMIT}
_REF = "#/components/schemas/{name}"
_DESCRIPTION = (
    "What people and their programs do at a node. Every answer is for the person who is signed in, at their level:"
    " what they may not know of is answered as what does not exist. Problems are RFC 9457."
)


def document(table: Sequence[Operation]) -> bytes:
    """The document as JSON, the same bytes for the same table."""
    wanted = dict.fromkeys(_types(table))
    schemas, components = msgspec.json.schema_components(list(wanted), ref_template=_REF)
    of = dict(zip(wanted, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in table:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, of)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Aldis",
                "version": "1",
                "description": _DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "security": [{"session": []}],
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
                "responses": {
                    "Problem": {
                        "description": "A problem (RFC 9457)",
                        "content": {"application/problem+json": {"schema": of[Problem]}},
                    }
                },
            },
        },
        order="sorted",
    )


def write(table: Sequence[Operation]) -> bytes:
    """The document as it is kept in spec/openapi.json."""
    return msgspec.json.format(document(table), indent=2) + b"\n"


class Document:
    """Serves the document to whoever asks: it says nothing of what the node holds."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        visit_of(scope).template = "/api/v1/openapi.json"
        if scope["method"] not in ("GET", "HEAD"):
            raise HttpProblem("method-not-allowed", "read it with GET", headers={"allow": "GET, HEAD"})
        await respond(send, 200, self._data, {}, json=True)


def _types(table: Iterable[Operation]) -> Iterable[Any]:
    yield Problem
    for one in table:
        yield from (field.type for field in msgspec.structs.fields(one.asks))
        if one.answers is not None:
            yield one.answers
        if one.has_body and one.fields:
            yield one.body_type


def _operation(one: Operation, of: dict[Any, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "tags": [one.path.split("/")[3]],
        "parameters": _parameters(one, of),
        "responses": _responses(one, of),
    }
    if one.open_:
        made["security"] = []
    if one.raw:
        made["requestBody"] = {"required": True, "content": {_BYTES: {"schema": {}}}}
    if one.has_body and one.fields:
        needed = any(field.required for field in one.fields)
        made["requestBody"] = {"required": needed, "content": {"application/json": {"schema": of[one.body_type]}}}
    return made


def _parameters(one: Operation, of: dict[Any, Any]) -> list[dict[str, Any]]:
    made = []
    for field in msgspec.structs.fields(one.asks):
        if field.encode_name in one.path_names:
            schema = dict(of[field.type])
            made.append({"name": field.encode_name, "in": "path", "required": True, "schema": schema})
        elif not one.has_body:
            schema = dict(of[field.type])
            if not field.required and field.default not in (msgspec.NODEFAULT, None):
                schema["default"] = field.default
            made.append({"name": field.encode_name, "in": "query", "required": field.required, "schema": schema})
    if one.if_match:
        made.append(_header("If-Match", "The `ETag` of the version that you saw", required=True))
    if one.etag:
        made.append(_header("If-None-Match", "The `ETag` of what you hold"))
    if one.raw:
        made.append(_header("Upload-Offset", "Where in the file these bytes begin", required=True, of=_OFFSET))
    if one.file:
        made.append(_header("Range", "Which bytes, such as `bytes=1000-`"))
        made.append(_header("If-Range", "The `ETag` of what you hold of it"))
    if one.method == "POST" and not one.secret:
        made.append(_header("Idempotency-Key", "A random key: the request is done once, however often it is sent"))
    return made


def _header(name: str, what: str, *, required: bool = False, of: Mapping[str, Any] = _TEXT) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": what, "schema": dict(of)}


def _responses(one: Operation, of: dict[Any, Any]) -> dict[str, Any]:
    kind = "text/event-stream" if one.streams else "application/json"
    good: dict[str, Any] = {"description": one.summary}
    if one.file:
        good["content"] = {_BYTES: {"schema": {}}}
    elif one.answers is not None:
        good["content"] = {kind: {"schema": {"type": "string"} if one.streams else of[one.answers]}}
    status = one.status if one.answers is not None or one.file else 204
    made = {str(status): good}
    if one.file:
        made["206"] = {**good, "description": "The bytes asked for with `Range`"}
    if one.etag:
        made["304"] = {"description": "Not modified"}
    for code in _statuses(one):
        made[str(code)] = {"$ref": "#/components/responses/Problem"}
    return made


def _statuses(one: Operation) -> list[int]:
    """The statuses of the problems that an operation may answer with."""
    never = set() if one.has_body else {408, 413, 415} - {413}
    never |= set() if one.if_match else {412, 428}
    never |= set() if one.method == "POST" or one.raw else {409}
    never |= set() if one.file else {416}
    return sorted({told.status for told in PROBLEMS.values()} - never)
