"""What a recording in a system's own protocol says, from its first byte to its last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aldis.apps.experiments.entity import Decoded
from aldis.apps.experiments.gateways.gateway import Tally
from aldis.apps.experiments.gateways.registry import offered, recognise
from aldis.apps.experiments.links.file import MAX_FILE
from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["play"]

_CHUNK = 64 * 1024
_FORMATS = "Give a recording of NMEA 0183 (AIS too), NMEA 2000, CoT, DIS, MAVLink, GeoJSON or CSV"


def play(path: Path, at_us: int, *, protocol: str = "", tally: Tally | None = None) -> Iterator[Decoded]:
    """Everything that is said, in its order; `at_us` dates what has no time of its own.

    `tally` counts what was carried and what was dropped. Without a protocol it is told from the first bytes.

    Raises:
        InvalidInput: the file cannot be read, or speaks no protocol known here.
        UnknownTerm: no protocol of that name.
        TooLarge: over `MAX_FILE` bytes.
    """
    try:
        with path.open("rb") as file:
            if path.stat().st_size > MAX_FILE:
                raise TooLarge(f"{path} is larger than {MAX_FILE} bytes", fix="Split it")
            head = file.read(_CHUNK)
            found = offered(protocol) if protocol else recognise(head)
            if found is None:
                shown = repr(head[:60].decode("ascii", "replace")) if head else "with nothing"
                raise InvalidInput(f"{path} speaks no protocol known here; it begins {shown}", fix=_FORMATS)
            gateway = found.open()
            while head:
                yield from gateway.feed(head, at_us)
                head = file.read(_CHUNK)
            gateway.close()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", fix=_FORMATS) from error
    if tally is not None:
        tally.seen += gateway.tally.seen
        tally.carried += gateway.tally.carried
        tally.dropped += gateway.tally.dropped
