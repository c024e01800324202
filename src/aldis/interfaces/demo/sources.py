"""What the demo listens to: the Porkkala recording, a file or an address of one's own, or a generated stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aldis.apps.experiments.recording import default_cache, fetch_recording
from aldis.kernel.errors import Unavailable
from aldis.node.clock import SystemClock

__all__ = ["Source", "choose", "fetch"]

PLAY_S = 25
_GENERATED = (2014, 60, 600)
"""Seed, vessels, seconds of a generated stream."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where reports come from, how much faster than life, and for how long; `words` say what it is."""

    place: str
    pace: float
    seconds: float
    words: str


def choose(given: str | None, seconds: int | None, say: Callable[[str], None]) -> Source:
    """The source that was given, or the recording, or where that cannot be had a generated stream, saying so.

    Raises:
        InvalidInput: a file that is neither NMEA 0183 nor NMEA 2000.
        Unavailable: the decoder libraries are not installed.
    """
    if given is not None and given.startswith("udp://"):
        return Source(given, 1.0, float(seconds or 30), f"live reports sent to {given}")
    if given is not None:
        return _file(Path(given).resolve(), seconds, given)
    try:
        path = fetch(say)
    except Unavailable as error:
        say(f"{error}. Running on a generated stream of AIS sentences instead.")
        return _file(_generate(default_cache()), seconds, "a generated stream of AIS sentences")
    return _file(path, seconds, "the sea off Porkkala, Finland, 15 Aug 2014, as one vessel's instruments heard it")


def fetch(say: Callable[[str], None]) -> Path:
    """The Porkkala recording, from the cache or fetched into it.

    Raises:
        Unavailable: it can be had from neither.
    """
    return fetch_recording(default_cache(), say)


def _file(path: Path, seconds: int | None, words: str) -> Source:
    """A recording, played so that it ends in `seconds`."""
    from aldis.apps.experiments.playback import play  # noqa: PLC0415 - slow to import, and not every command needs it

    heard = (getattr(one.entity, "sensor", None) for one in play(path, SystemClock().now() * 1000))
    stamps = [sensor.received_ms for sensor in heard if sensor is not None]
    span = (max(stamps) - min(stamps)) / 1000 if stamps else 0.0
    length = float(seconds or min(PLAY_S, max(span, 1.0)))
    return Source(str(path), max(1.0, span / length), length, words)


def _generate(cache: Path) -> Path:
    from aldis.apps.experiments.gateways.nmea.synthetic import generate  # noqa: PLC0415 - optional extra

    seed, vessels, seconds = _GENERATED
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / "generated.nmea"
    path.write_bytes(b"".join(line + b"\r\n" for line in generate(seed, vessels, seconds, SystemClock().now())))
    return path
