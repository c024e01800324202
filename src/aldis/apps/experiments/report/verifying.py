"""Whether a report is what its parties signed, found from its folder and public keys alone.

1 The folder holds files and nothing else. 2 `signatures.json` is written as it is signed. 3 The files are those of the
manifest, byte for byte. 4 The findings are written as they are digested, and are those of the manifest. 5 The cases
that were judged are among the files. 6 Every signature holds. 7 Those who signed have the keys that are expected of
them, and sign for their own party. 8 Every party that is to sign has signed. 9 Page and PDF are what this program makes
of the findings: a note, for another version of the program may write another page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from aldis.apps.experiments.cases.findings import Findings
from aldis.apps.experiments.report.folder import SIGNATURES, read
from aldis.apps.experiments.report.making import FINDINGS, PAPER, rendered
from aldis.apps.experiments.report.manifest import Manifest, Said, Sheet, Signed
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import AldisError, Unavailable
from aldis.kernel.signatures import Key

__all__ = ["Compared", "Keys", "ReportFindings", "Signature", "compare", "verify_report"]

Keys = Mapping[str, Key] | Sequence[Key] | Key | None
"""The keys that are expected: of nodes by name, or some that whoever signed is to have."""

_JUDGED = ("success", "limited success", "interoperability issue")


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed, and what they said; `vouched` where it is the key that was expected of that node."""

    party: str
    node: str
    key: str
    at_ms: int
    said: Said
    recordings: tuple[str, ...]
    vouched: bool


class ReportFindings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of a report.

    `intact`: every byte is as it was signed, by every party that is to. `incomplete`: a party has not signed.
    `altered`: it is not what was signed, for the reasons `wrong`. `foreign`: signed with another key than the one
    expected. `vouched` says that every signature is by a key that was expected. `otherwise` are files that this program
    makes otherwise of the findings, `unchecked` those that it could not make.
    """

    verdict: Literal["intact", "incomplete", "altered", "foreign"]
    vouched: bool = False
    wrong: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    signatures: tuple[Signature, ...] = ()
    otherwise: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    findings: Findings | None = None
    manifest: Manifest | None = None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """`same`: the same findings from the same recordings. Else `differs` says, in words, where they do not agree."""

    same: bool = False
    differs: tuple[str, ...] = ()


def verify_report(
    folder: Path, keys: Keys = None, *, parties: Mapping[str, str] | None = None, render: bool = True
) -> ReportFindings:
    """What can be said of the report in `folder`, where keys are expected: of nodes by name, or whoever has them.

    `parties` are the parties of nodes, as far as they are known. Without `render`, step 9 is left out.

    Raises:
        InvalidInput: it is no folder of a report.
        OSError: it cannot be read.
    """
    files, wrong = read(folder)  # 1
    try:
        sheet = Sheet.read(files.pop(SIGNATURES, b""))  # 2
    except AldisError as error:
        return ReportFindings(verdict="altered", wrong=(*wrong, str(error)))
    wrong += _unlisted(files, sheet.manifest)  # 3
    findings = _findings(files, sheet.manifest, wrong)  # 4, 5
    signatures, foreign = _signatures(sheet, _Expected(keys, parties or {}), wrong)  # 6, 7
    missing = tuple(sorted(set(sheet.manifest.parties) - {one.party for one in signatures}))  # 8
    otherwise, unchecked = tuple[str, ...](), tuple[str, ...]()
    if render and findings is not None and not wrong:
        otherwise, unchecked = _otherwise(findings, files, sheet.manifest)  # 9
    return ReportFindings(
        verdict="altered" if wrong else "foreign" if foreign else "incomplete" if missing else "intact",
        vouched=bool(signatures) and not wrong and all(one.vouched for one in signatures),
        wrong=(*wrong, *foreign),
        missing=missing,
        signatures=signatures,
        otherwise=otherwise,
        unchecked=unchecked,
        findings=None if wrong else findings,
        manifest=sheet.manifest,
    )


def compare(theirs: Findings, own: Findings) -> Compared:
    """The findings of a report beside those that one's own node made of the same cases.

    What only one of them could judge is no disagreement; that both judged nothing is, for there is nothing to agree on.
    """
    heads, there = ([(one.head, one.state) for one in some.recordings] for some in (own, theirs))
    if heads == there:
        who = {"experiment": theirs.experiment, "node": theirs.node, "party": theirs.party}
        mine = msgspec.structs.replace(own, recordings=theirs.recordings, **who)
        if mine.canonical == theirs.canonical:
            return Compared(same=True)
    found, both = list[str](), 0
    cells = {(one.source, one.target, one.message): one.verdict for one in own.cells}
    outcomes = {one.case_digest: one.verdict for one in own.outcomes}
    pairs = [
        (f"{one.source} to {one.target}, {one.message}", one.verdict, cells.get((one.source, one.target, one.message)))
        for one in theirs.cells
    ]
    pairs += [(f"test case {one.case}", one.verdict, outcomes.get(one.case_digest)) for one in theirs.outcomes]
    for what, said, here in pairs:
        if said in _JUDGED and here in _JUDGED:
            both += 1
            if said != here:
                found.append(f"{what}: {said!r} in the report, {here!r} here")
    if heads == there and not found:
        found.append("the same recordings come to other findings here")
    elif not both:
        found.append("nothing of the report was judged from the recordings here")
    return Compared(differs=tuple(found))


def _unlisted(files: Mapping[str, bytes], manifest: Manifest) -> list[str]:
    listed = {one.path: one for one in manifest.files}
    wrong = [f"{path!r} is not among what was signed" for path in sorted(set(files) - set(listed))]
    wrong += [f"{path!r} was signed and is not here" for path in sorted(set(listed) - set(files))]
    wrong += [
        f"{path!r} is not what was signed"
        for path, one in listed.items()
        if path in files and (len(files[path]), sha256(files[path]).hex()) != (one.size, one.sha256)
    ]
    return wrong


def _findings(files: Mapping[str, bytes], manifest: Manifest, wrong: list[str]) -> Findings | None:
    data = files.get(FINDINGS, b"")
    try:
        findings = msgspec.json.decode(data, type=Findings)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        wrong.append(f"{FINDINGS!r} cannot be read: {error}")
        return None
    said = (findings.experiment, findings.marking, findings.digest)
    if findings.canonical != data or said != (manifest.experiment, manifest.marking, manifest.findings):
        wrong.append(f"{FINDINGS!r} is not what the manifest says of it")
    if findings.party and findings.party not in manifest.parties:
        wrong.append(f"{findings.party!r} made the findings, and is not among the parties that are to sign")
    cases = {sha256(data).hex() for path, data in files.items() if path.startswith("cases/")}
    lacking = [one.case for one in findings.outcomes if one.case_digest not in cases]
    wrong += [f"the file of the test case {case!r} is not here" for case in lacking]
    return findings


class _Expected:
    """The keys that are expected to have signed."""

    def __init__(self, keys: Keys, parties: Mapping[str, str]) -> None:
        self.named: dict[str, Key] = {}
        self.any: list[Key] = []
        self._parties = parties
        if isinstance(keys, Mapping):
            self.named.update(keys)
        elif keys is not None:
            self.any += [keys] if isinstance(keys, Key) else keys

    def wrong(self, one: Signed, key: Key) -> str:
        """Why a signature is by somebody else than it says; "" where nothing speaks against it."""
        said = one.statement
        if said.node in self.named and self.named[said.node] != key:
            return f"{said.node!r} did not sign this: it was signed with another key than the one expected"
        if self._parties.get(said.node, said.party) != said.party:
            return f"{said.node!r} signed for {said.party!r}, and is a node of {self._parties[said.node]!r}"
        return ""


def _signatures(sheet: Sheet, expected: _Expected, wrong: list[str]) -> tuple[tuple[Signature, ...], list[str]]:
    made, foreign, used = list[Signature](), list[str](), set[Key]()
    for one in sheet.signatures:
        said = one.statement
        try:
            key = one.check(sheet.manifest)
        except AldisError:
            wrong.append(f"the signature of {said.party!r} does not hold")
            continue
        used.add(key)
        other = expected.wrong(one, key)
        foreign += [other] if other else []
        vouched = not other and (expected.named.get(said.node) == key or key in expected.any)
        made.append(
            Signature(
                party=said.party, node=said.node, key=said.key, at_ms=said.at_ms, said=said.said,
                recordings=said.recordings, vouched=vouched,
            )
        )  # fmt: skip
    nobody = [key for key in expected.any if key not in used]
    foreign += ["nobody signed it with a key that was expected"] if nobody and made else []
    return tuple(made), foreign


def _otherwise(
    findings: Findings, files: Mapping[str, bytes], manifest: Manifest
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What this program makes otherwise of the findings, and what it cannot make."""
    unchecked: tuple[str, ...] = ()
    try:
        made = rendered(findings, files, manifest.parties, pdf=PAPER in files)
    except Unavailable:
        made, unchecked = rendered(findings, files, manifest.parties, pdf=False), (PAPER,)
    return tuple(path for path, data in sorted(made.items()) if files.get(path) != data), unchecked
