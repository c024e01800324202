"""What a residue kept of an Entity State PDU, put back where it stood."""

from __future__ import annotations

from base64 import b64decode
from typing import NamedTuple

from aldis.apps.experiments.entity import Residue
from aldis.apps.experiments.gateways.dis.said import KEPT
from aldis.apps.experiments.gateways.dis.wire import MAX_PARAMETERS, PARAMETER_LENGTH, PROTOCOL

__all__ = ["NOTHING", "Restored", "restored"]

_PREFIX = "EntityState."
_BACK = frozenset(KEPT) - {f"{_PREFIX}orientation"}  # of a PDU without a place, which is never sent


class Restored(NamedTuple):
    """Bytes by their field, empty where there are none; `state` says whether all of the residue goes back."""

    pdu_status: bytes = b""
    force_id: bytes = b""
    velocity: bytes = b""
    parameters: bytes = b""
    acceleration: bytes = b""
    marking: bytes = b""
    variable_parameters: bytes = b""
    state: str = ""


NOTHING = Restored()


def restored(residue: Residue) -> Restored:
    """Those parts that are whole fields of an Entity State PDU; others stay behind."""
    found: dict[str, bytes] = {}
    whole = True
    for part in residue.parts:
        data = _bytes(part.data) if part.protocol == PROTOCOL and part.field in _BACK else b""
        if _right(part.field, data):
            found[part.field.removeprefix(_PREFIX).removeprefix("dead_reckoning.")] = data
        else:
            whole = False
    return Restored(**found, state="residue" if whole else "residue in part")


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def _right(field: str, data: bytes) -> bool:
    first, last = KEPT.get(field, (0, 0))
    if last is None:
        return 0 < len(data) <= MAX_PARAMETERS * PARAMETER_LENGTH and len(data) % PARAMETER_LENGTH == 0
    return 0 < len(data) == last - first
