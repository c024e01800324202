"""The end of the demo: from the three nations' recordings to findings, and to a report that each of them signs.

Each nation comes to its findings by itself, with the keys that its own node knows, and signs only what it came to.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import msgspec

from aldis.apps.experiments.cases import find, read_case
from aldis.apps.experiments.cases.findings import Findings
from aldis.apps.experiments.recorder import key_text
from aldis.apps.experiments.report import ReportFindings, sign_report, verify_report, write_report
from aldis.interfaces.demo.nations import NATIONS, Nations
from aldis.interfaces.demo.shares import PROJECT
from aldis.kernel.errors import InvalidInput
from aldis.kernel.signatures import Key

__all__ = ["FOLDER", "Concluded", "check_out", "conclude"]

FOLDER = "aldis-demo-report"
_CASE = "raft-search.toml"
_PARTS = ("report", "recordings", "keys")


@dataclass(frozen=True, slots=True)
class Concluded:
    """What came of it: where it lies, what was found, and what anybody can say of the report who has the keys."""

    folder: Path
    findings: Findings
    verified: ReportFindings

    @property
    def report(self) -> Path:
        """The folder of the report, as it is seen from here."""
        here = Path.cwd()
        folder = self.folder.relative_to(here) if self.folder.is_relative_to(here) else self.folder
        return folder / "report"

    @property
    def check(self) -> str:
        """The command by which anybody verifies it, with the three keys that lie beside it."""
        keys = " ".join(f"--sealed-by {self.report.with_name('keys') / node}.json" for node in NATIONS)
        return f"aldis experiment verify {self.report} {keys}"


def check_out(folder: Path) -> None:
    """Return if a report may be written at `folder`: nothing is there, or what a demo left before.

    Raises:
        InvalidInput: something else is there.
    """
    if folder.exists() and not (folder.is_dir() and {path.name for path in folder.iterdir()} <= set(_PARTS)):
        raise InvalidInput(f"{folder} is there, and no report of a demo", fix="Name another folder with --out")


def conclude(nations: Nations, folder: Path) -> Concluded:
    """Findings, report, three signatures, and the look at all of it that anybody may take who has the keys."""
    check_out(folder)
    for part in _PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
    recordings = _copied(nations, folder / "recordings")
    with as_file(files("aldis.interfaces.demo") / "scenario" / _CASE) as path:
        case = read_case(path)
    parties = [party for party, _, _ in NATIONS.values()]
    first: Findings | None = None
    for node, (party, _, _) in NATIONS.items():
        with nations.open(node) as opened:
            keys = _keys(nations, node)
            own = find([case], recordings, keys, experiment=PROJECT, node=node, party=party)
            if first is None:
                first = own
                write_report(own, [case.data], folder / "report", parties=parties)
            sign_report(
                folder / "report", party, node, opened.core.signer, at_ms=opened.core.clock.now(), own=own, keys=keys,
                parties=opened.context.parties(),
            )  # fmt: skip
    assert first is not None
    with nations.open("aus") as opened:
        keys = _keys(nations, "aus")
        verified = verify_report(folder / "report", keys, parties=opened.context.parties())
        _keep(keys, folder / "keys")
    return Concluded(folder, first, verified)


def _keys(nations: Nations, node: str) -> Mapping[str, Key]:
    """The keys of all three, as one of them knows them."""
    with nations.open(node) as opened:
        return {name: opened.context.key_of(name) for name in NATIONS}


def _keep(keys: Mapping[str, Key], folder: Path) -> None:
    """The public keys, a file for each, as `--sealed-by` takes them."""
    folder.mkdir()
    for node, key in keys.items():
        algorithm, _, text = key_text(key).partition(":")
        (folder / f"{node}.json").write_bytes(msgspec.json.encode({"node": node, "algorithm": algorithm, "key": text}))


def _copied(nations: Nations, folder: Path) -> list[Path]:
    """The recordings of all, side by side, each named by its node."""
    folder.mkdir(parents=True)
    copies = []
    for node in NATIONS:
        for file in sorted((nations.home(node) / "recordings").glob("*.mcap")):
            copies.append(folder / f"{node}-{file.name}")
            shutil.copyfile(file, copies[-1])
    return copies
