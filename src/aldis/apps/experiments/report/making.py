"""A report is made: the files of its folder from findings and test cases, the same each time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from aldis.apps.experiments.cases.findings import Findings
from aldis.apps.experiments.report.composing import compose
from aldis.apps.experiments.report.folder import SIGNATURES, read, write
from aldis.apps.experiments.report.manifest import MOST_SIZE, Listed, Manifest, Sheet
from aldis.apps.experiments.report.page import page
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, TooLarge

__all__ = ["FINDINGS", "PAGE", "PAPER", "rendered", "write_report"]

FINDINGS, PAGE, PAPER = "findings.json", "report.html", "report.pdf"
_MOST_NAME = 40


def write_report(
    findings: Findings, cases: Sequence[bytes], folder: Path, *, parties: Sequence[str] = (), pdf: bool = True
) -> None:
    """Make a folder with the findings, the report as page and PDF, and the cases as they were run; nobody signed yet.

    `parties` are to sign it, with that of the findings. Where `folder` has this very report, signed or not, it stays.

    Raises:
        InvalidInput: there is something else at `folder`.
        TooLarge: a file of it is too large to be verified later.
        Unavailable: the library that writes PDF is not installed.
    """
    files = _case_files(findings, cases) | {FINDINGS: findings.canonical}
    signing = sorted({findings.party, *parties} - {""})
    if not signing:
        raise InvalidInput("nobody is to sign this report", fix="Name the parties that are to with --signers AUS,GBR")
    files |= rendered(findings, files, signing, pdf=pdf)
    for path, data in files.items():
        if len(data) > MOST_SIZE:
            raise TooLarge(f"{path} has {len(data)} bytes; the limit is {MOST_SIZE}", fix="Judge fewer cases at once")
    listed = tuple(Listed(path, len(data), sha256(data).hex()) for path, data in sorted(files.items()))
    manifest = Manifest(
        experiment=findings.experiment, marking=findings.marking, findings=findings.digest, parties=tuple(signing),
        files=listed,
    )  # fmt: skip
    manifest.check()
    if not _is_there(folder, files, manifest):
        write(folder, files | {SIGNATURES: Sheet(manifest=manifest).canonical})


def rendered(
    findings: Findings, files: Mapping[str, bytes], parties: Sequence[str], *, pdf: bool = True
) -> Mapping[str, bytes]:
    """The page, and the PDF, that this program makes of findings beside the `files` of cases.

    Raises:
        Unavailable: the library that writes PDF is not installed.
    """
    cases = {sha256(data).hex(): path for path, data in sorted(files.items()) if path.startswith("cases/")}
    document = compose(findings, parties, cases)
    made = {PAGE: page(document)}
    if pdf:
        from aldis.apps.experiments.report.paper import paper  # noqa: PLC0415 - a library of the extra

        made[PAPER] = paper(document)
    return made


def _case_files(findings: Findings, cases: Sequence[bytes]) -> dict[str, bytes]:
    names = {one.case_digest: one.case for one in findings.outcomes}
    files = {}
    for number, data in enumerate(dict.fromkeys(cases), 1):
        words = re.sub(r"[^a-z0-9]+", "-", names.get(sha256(data).hex(), "case").lower()).strip("-")
        files[f"cases/{number:02}-{words[:_MOST_NAME].strip('-') or 'case'}.toml"] = data
    return files


def _is_there(folder: Path, files: Mapping[str, bytes], manifest: Manifest) -> bool:
    """Whether `folder` is this report already.

    Raises:
        InvalidInput: it is another.
    """
    if not (folder / SIGNATURES).exists():
        return False
    found, wrong = read(folder)
    try:
        same = not wrong and Sheet.read(found.pop(SIGNATURES)).manifest == manifest and found == files
    except InvalidInput:
        same = False
    if not same:
        raise InvalidInput(f"{folder} has another report", fix="Name another folder with --out")
    return True
