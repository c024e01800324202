"""The report of a run as one file to take away: the folder that `aldis experiment report` makes, zipped, unsigned."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from aldis.apps.experiments.cases.case import Case
from aldis.apps.experiments.cases.findings import Findings
from aldis.apps.experiments.report.making import write_report
from aldis.kernel.errors import Unavailable

__all__ = ["zipped"]

_BEGINNING = (1980, 1, 1, 0, 0, 0)


def zipped(found: Findings, cases: Sequence[Case], name: str, parties: Mapping[str, str]) -> bytes:
    """A zip with the folder `name`; the same findings give the same bytes. `parties` are those of known nodes.

    Where the library for PDF is not installed, the report is the page and its data alone.

    Raises:
        TooLarge: a file of it is too large to be verified later.
    """
    signing = sorted({parties[one.node] for one in found.recordings if parties.get(one.node)})
    data = [case.data for case in cases]
    with TemporaryDirectory(prefix="aldis-") as scratch:
        folder = Path(scratch) / name
        try:
            write_report(found, data, folder, parties=signing)
        except Unavailable:
            write_report(found, data, folder, parties=signing, pdf=False)
        return _packed(folder)


def _packed(folder: Path) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", _BEGINNING)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, path.read_bytes())
    return made.getvalue()
