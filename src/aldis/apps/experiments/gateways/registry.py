"""Every protocol by name; a module is read when its protocol is asked for, so that one may lack its library."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.mapping import offered_from
from aldis.kernel.errors import Unavailable, UnknownTerm

__all__ = ["MAPPED", "PROTOCOLS", "offered", "recognise"]

_HERE = "aldis.apps.experiments.gateways"
PROTOCOLS: Mapping[str, str] = {
    "dis": f"{_HERE}.dis:OFFERED",
    "mavlink": f"{_HERE}.mavlink:OFFERED",
    "tak-mesh": f"{_HERE}.tak:MESH",
    "tak": f"{_HERE}.tak:OFFERED",
    "cot": f"{_HERE}.cot:OFFERED",
    "zenoh": f"{_HERE}.zenoh:OFFERED",
    "umaa": f"{_HERE}.umaa:OFFERED",
    "geojson": f"{_HERE}.geojson:OFFERED",
    "nmea0183": f"{_HERE}.nmea:OFFERED",
    "nmea2000": f"{_HERE}.nmea2000:OFFERED",
    "csv": f"{_HERE}.csv:OFFERED",
}
"""Where each protocol is: `module:name`; those that are told most surely from their first bytes come first."""
MAPPED = ".toml"
"""What the name of a mapping file ends in."""


def offered(name: str) -> Offered:
    """The protocol of that name, or of the mapping file at that path.

    Raises:
        UnknownTerm: there is none.
        Unavailable: it needs a library that is not installed.
        InvalidInput: the mapping file cannot be used; the message says where.
    """
    if name.endswith(MAPPED):
        return offered_from(Path(name))
    place = PROTOCOLS.get(name)
    if place is None:
        near = difflib.get_close_matches(name, PROTOCOLS, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UnknownTerm(
            f"no protocol is called {name!r}",
            fix=f"{hint}Name one of {', '.join(PROTOCOLS)}, or a mapping file (.toml)",
        )
    module, _, attribute = place.partition(":")
    found: Offered = getattr(import_module(module), attribute)
    return found


def recognise(data: bytes) -> Offered | None:
    """The protocol that some bytes are the start of; of none whose library is not installed."""
    for name in PROTOCOLS:
        with suppress(Unavailable):
            found = offered(name)
            if found.familiar(data):
                return found
    return None
