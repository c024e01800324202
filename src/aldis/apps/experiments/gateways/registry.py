"""The protocols that are offered, by name; each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from aldis.apps.experiments.gateways.gateway import Offered
from aldis.kernel.errors import UnknownTerm

__all__ = ["PROTOCOLS", "offered", "recognise"]

_HERE = "aldis.apps.experiments.gateways"
_NAMES = {"dis": "dis", "mavlink": "mavlink", "cot": "cot", "zenoh": "zenoh", "geojson": "geojson", "nmea0183": "nmea", "csv": "csv"}
PROTOCOLS: Mapping[str, str] = {name: f"{_HERE}.{package}:OFFERED" for name, package in _NAMES.items()}


def offered(name: str) -> Offered:
    """How to have a protocol."""
    if name not in PROTOCOLS:
        raise UnknownTerm(f"no protocol {name!r} here", fix=f"There are: {', '.join(PROTOCOLS)}")
    module, _, attribute = PROTOCOLS[name].partition(":")
    found: Offered = getattr(import_module(module), attribute)
    return found


def recognise(data: bytes) -> Offered | None:
    """The protocol that bytes are the start of."""
    return next((one for one in map(offered, PROTOCOLS) if one.familiar(data)), None)
