"""What a container's policy says in Aldis's terms: a label, what it is of, and the nodes it is for.

An OpenTDF policy is JSON: attributes, here under one authority of ours, and `dissem`, here names of nodes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from aldis.kernel.encoding import DIGEST_SIZE, b64, unb64
from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Label, decode_label, encode_label

__all__ = ["TdfPolicy"]

_AUTHORITY = "https://aldis.invalid/attr/"
_NAMES = ("label", "kind", "originator", "project", "record")


class _Attribute(msgspec.Struct, frozen=True):
    attribute: str
    displayName: str | None = None  # noqa: N815


class _Body(msgspec.Struct, frozen=True):
    dataAttributes: list[_Attribute] | None = None  # noqa: N815
    dissem: list[str] | None = None


class _Object(msgspec.Struct, frozen=True):
    uuid: str
    body: _Body


@dataclass(frozen=True, slots=True)
class TdfPolicy:
    """What a key-access server decides by; `originator` is a party, `nodes` those it is for.

    `record` is the digest of the record whose portions are inside, b"" where it is none.
    """

    label: Label
    kind: str
    originator: str
    nodes: tuple[str, ...]
    project: str = ""
    record: bytes = b""

    def to_bytes(self, random: Callable[[int], bytes]) -> bytes:
        """The policy as JSON, under a new identifier."""
        texts = (self.kind.encode(), self.originator.encode(), self.project.encode())
        values = (encode_label(self.label), *texts, self.record)
        attributes: list[dict[str, Any]] = [
            {"attribute": f"{_AUTHORITY}{name}/value/{b64(value)}"}
            for name, value in zip(_NAMES, values, strict=True)
            if value
        ]
        name = str(uuid.UUID(bytes=random(16), version=4))
        return msgspec.json.encode({"uuid": name, "body": {"dataAttributes": attributes, "dissem": list(self.nodes)}})

    @classmethod
    def from_bytes(cls, data: bytes) -> TdfPolicy:
        """The policy that JSON states.

        Raises:
            InvalidInput: none, or one of another system: an attribute is not understood, or the label is missing.
        """
        try:
            body = msgspec.json.decode(data, type=_Object).body
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise InvalidInput(f"not a TDF policy: {error}") from error
        found: dict[str, bytes] = {}
        for one in body.dataAttributes or ():
            name, _, value = one.attribute.removeprefix(_AUTHORITY).partition("/value/")
            if not one.attribute.startswith(_AUTHORITY) or name not in _NAMES or name in found:
                raise InvalidInput(
                    f"the policy asks for {one.attribute[:120]!r}, which no rule here decides",
                    fix="Its own key-access server can open it",
                )
            found[name] = unb64(value)
        if missing := [name for name in _NAMES[:3] if name not in found]:
            raise InvalidInput(
                f"the policy has no {missing[0]}, so nothing here can decide by it",
                fix="Its own key-access server can open it",
            )
        kind, originator, project = (_text(found.get(name, b"")) for name in _NAMES[1:4])
        record = found.get("record", b"")
        if record and len(record) != DIGEST_SIZE:
            raise InvalidInput(f"the policy names a record by {len(record)} bytes, not {DIGEST_SIZE}")
        return cls(decode_label(found["label"]), kind, originator, tuple(body.dissem or ()), project, record)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("an attribute of the policy is not UTF-8") from error
