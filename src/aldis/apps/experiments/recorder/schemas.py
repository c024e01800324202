"""JSON Schemas of what is recorded, in the plain form that viewers of MCAP read.

Foxglove takes of a JSON Schema each property's one type, and refuses a channel with `$ref`, `anyOf` or an object whose
properties are not listed. So references are put in place, and a field of several types is left out of the list, which
forbids nothing: it is recorded all the same. `foxglove.LocationFix`: https://docs.foxglove.dev/docs/sdk/schemas.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from aldis.apps.experiments.entity import Area, Entity, Environment, Reason, Report, Task, Track

__all__ = ["ENTITIES", "LOCATION_FIX", "NATIVE", "egress_schema", "entity_schema", "plain"]

ENTITIES: Mapping[str, type[Entity]] = {
    "track": Track, "area": Area, "task": Task, "report": Report, "environment": Environment,
}  # fmt: skip
"""The entities, by the last part of their topics."""

_JSON = dict[str, Any]
_BYTES: _JSON = {"type": "string", "contentEncoding": "base64"}
_TEXT: _JSON = {"type": "string"}
_WHOLE: _JSON = {"type": "integer"}
_NUMBER: _JSON = {"type": "number"}
_FLAG: _JSON = {"type": "boolean"}


def plain(schema: _JSON) -> _JSON:
    """A JSON Schema as msgspec makes it, without references and choices."""
    return _plain(schema, schema.get("$defs", {})) or {"type": "object", "properties": {}}


def _plain(schema: _JSON, known: Mapping[str, _JSON]) -> _JSON | None:
    """One value's schema; None where it may be of several types."""
    if "$ref" in schema:
        return _plain(known[schema["$ref"].rpartition("/")[2]], known)
    if "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
        return _plain(choices[0], known) if len(choices) == 1 else None
    kind = schema.get("type") or ("string" if all(isinstance(v, str) for v in schema.get("enum", [0])) else None)
    if kind == "object":
        fields = {name: _plain(field, known) for name, field in schema.get("properties", {}).items()}
        listed = {name: field for name, field in fields.items() if field is not None}
        return {"type": "object", "properties": listed} | _only(schema, "title", "description", "required")
    if kind == "array":
        prefix = schema.get("prefixItems")
        items = _plain(prefix[0] if prefix else schema.get("items") or {}, known)
        return None if items is None else {"type": "array", "items": items} | _only(schema, "minItems", "maxItems")
    kept = _only(schema, "minimum", "maximum", "enum", "description", "contentEncoding")
    return None if kind is None else {"type": kind} | kept


def _only(schema: _JSON, *names: str) -> _JSON:
    return {name: schema[name] for name in names if name in schema}


def _object(**fields: _JSON) -> _JSON:
    return {"type": "object", "properties": fields}


def _named(name: str, schema: _JSON) -> tuple[str, bytes]:
    return name, msgspec.json.encode({"title": name} | schema)


@functools.cache
def entity_schema(kind: str) -> tuple[str, bytes]:
    """Name and text of the schema of what was decoded, of one kind: the entity, and what its ledger counts."""
    dropped = _object(**dict.fromkeys(get_args(Reason), _WHOLE))
    entity = plain(msgspec.json.schema(ENTITIES[kind]))
    body = _object(
        entity=entity,
        record=_TEXT,
        carried=_WHOLE,
        approximated=_WHOLE,
        dropped=dropped,
        protocol=_TEXT,
        frame=_TEXT,
    )
    return _named(f"aldis.{kind.title()}", body | {"required": ["entity", "carried", "approximated", "dropped"]})


@functools.cache
def egress_schema(kind: str) -> tuple[str, bytes]:
    """Name and text of the schema of what left for a partner, of one kind: the entity as it left, and its bytes."""
    body = _object(
        entity=plain(msgspec.json.schema(ENTITIES[kind])),
        record=_TEXT,
        protocol=_TEXT,
        messages={"type": "array", "items": _TEXT},
        frame=_TEXT,
    )
    return _named(f"aldis.Egress{kind.title()}", body | {"required": ["entity", "protocol", "messages"]})


NATIVE = _named(
    "aldis.Native",
    _object(protocol=_TEXT, peer=_TEXT, size=_WHOLE, data=_BYTES, begins=_FLAG, ended=_FLAG)
    | {"required": ["protocol", "peer", "size", "data"]},
)
"""Bytes as they came from a system."""

LOCATION_FIX = _named(
    "foxglove.LocationFix",
    _object(
        timestamp=_object(sec=_WHOLE | {"minimum": 0}, nsec=_WHOLE | {"minimum": 0, "maximum": 999_999_999}),
        frame_record=_TEXT,
        latitude=_NUMBER,
        longitude=_NUMBER,
        altitude=_NUMBER,
        position_covariance={"type": "array", "items": _NUMBER, "minItems": 9, "maxItems": 9},
        position_covariance_type={
            "title": "foxglove.PositionCovarianceType",
            "oneOf": [
                {"title": name, "const": code}
                for code, name in enumerate(("UNKNOWN", "APPROXIMATED", "DIAGONAL_KNOWN", "KNOWN"))
            ],
        },
    ),
)
"""Where a track is, for maps."""
