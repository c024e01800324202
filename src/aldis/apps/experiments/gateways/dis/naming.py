"""The model's names and types as the bytes of an Entity State PDU, each made once.

Sources: IEEE 1278.1-2012, 6.2.29 (marking), 6.2.30 (entity type); SISO-REF-010, UID 6 (force).
"""

from __future__ import annotations

from aldis.apps.experiments.entity import Identity, Type
from aldis.apps.experiments.gateways.dis.names import FORCE_OF, NO_TYPE, packed_type
from aldis.apps.experiments.gateways.dis.shapes import Shape, shape_of

__all__ = ["SCHEME", "marking", "type_bytes"]

SCHEME = "siso"
"""What a `Mapped` code is called that is seven numbers of SISO-REF-010."""

_TEXT = 11
_MAX_KEPT = 8192
_EXACT = frozenset(("other", "friend", "hostile", "neutral"))
_Named = tuple[bytes, tuple[str, str, str], Shape]
_types: dict[Type | None, _Named] = {}
_NO_TYPE = Type()
_names: dict[str | None, tuple[bytes, str]] = {}


def type_bytes(said: Type | None) -> _Named:
    """Force, no variable parameters, and the two types: 18 bytes; how each was said; and the shape of the group."""
    if said is not None and said.mapped is not None:  # a list has no hash
        return _type_bytes(said)
    found = _types.get(said)
    if found is None:
        if len(_types) >= _MAX_KEPT:
            _types.clear()
        found = _types[said] = _type_bytes(said)
    return found


def _type_bytes(group: Type | None) -> _Named:
    said = group or _NO_TYPE
    side = said.affiliation
    force = FORCE_OF[side] if side else 0
    how = "force" if side in _EXACT else "force near" if force else "force unknown"
    kind, said_as = packed_type(said.siso) if said.siso is not None else None, "type"
    if kind is None and said.mapped:
        likely = sorted((m for m in said.mapped if m.scheme == SCHEME), key=lambda m: -m.confidence)
        kind, said_as = next((code for m in likely if (code := packed_type(m.code))), None), "type mapped"
    other, also = None, ""
    if said.alternative_siso is not None:
        other = packed_type(said.alternative_siso)
        also = "alternative" if other else "alternative not text"
    states = (how, said_as if kind else "type unknown", also)
    return bytes((force, 0)) + (kind or NO_TYPE) + (other or NO_TYPE), states, shape_of(group)


def marking(said: Identity) -> tuple[bytes, str]:
    """Character set and 11 bytes of the name, or of the callsign where the name does not fit; and how it was said."""
    name = said.name
    found = _names.get(name)
    if found is None:
        if len(_names) >= _MAX_KEPT:
            _names.clear()
        found = _names[name] = _marking(name)
    if found[1] != "name" and _fits(said.callsign):
        return _marked(said.callsign), "callsign"
    return found


def _marking(name: str | None) -> tuple[bytes, str]:
    if _fits(name):
        return _marked(name), "name"
    if name and name.isascii() and name.isprintable():
        return _marked(name[:_TEXT]), "name cut"
    return bytes(12), "" if name is None else "name not text"


def _marked(text: str | None) -> bytes:
    return b"\x01" + (text or "").encode().ljust(_TEXT, b"\0")


def _fits(text: str | None) -> bool:
    return bool(text) and text is not None and len(text) <= _TEXT and text.isascii() and text.isprintable()
