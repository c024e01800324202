"""A party signs a report, once its own node has looked at all that it can, and says which of that it saw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aldis.apps.experiments.cases.findings import Findings
from aldis.apps.experiments.recorder import key_text
from aldis.apps.experiments.report.folder import SIGNATURES, held, read, replace
from aldis.apps.experiments.report.manifest import Said, Sheet, Signed, Statement
from aldis.apps.experiments.report.verifying import Keys, ReportFindings, compare, verify_report
from aldis.kernel.errors import InvalidInput, VerificationFailed
from aldis.kernel.signatures import Signer

__all__ = ["join_signatures", "sign_report"]


def sign_report(
    folder: Path, party: str, node: str, signer: Signer, *, at_ms: int, own: Findings | None = None,
    as_received: bool = False, keys: Keys = None, parties: Mapping[str, str] | None = None,
) -> Statement:  # fmt: skip
    """Add the signature of a party to a report that verifies; what it says is part of what is signed.

    `own` are findings that its node made itself: the same, they are `made` where it is the node of the report and
    `recomputed` elsewhere; others that come to no other verdict are `agreed`. With neither it signs `as_received`.
    `keys` and `parties` are those of the nodes that it knows, to look at the signatures that are there.

    Raises:
        VerificationFailed: the report is not what was signed, or its own findings disagree with it.
        InvalidInput: the party is not to sign it, has signed it, or did not say how.
    """
    with held(folder):
        found = verify_report(folder, keys, parties=parties)
        if found.verdict in ("altered", "foreign") or found.findings is None:
            raise VerificationFailed(f"{folder}: {'; '.join(found.wrong)}", fix="Ask who sent it for another copy")
        said = _said(found, found.findings, node, own, as_received=as_received)
        statement = Statement(
            party=party, node=node, key=key_text(signer.public), at_ms=at_ms, said=said,
            recordings=() if said == "received" or own is None else tuple(one.head for one in own.recordings),
        )  # fmt: skip
        sheet = Sheet.read(read(folder)[0].get(SIGNATURES, b""))
        if sheet.manifest != found.manifest:
            raise VerificationFailed(f"{folder} changed while it was looked at", fix="Try again")
        replace(folder, SIGNATURES, sheet.with_(Signed.of(sheet.manifest, statement, signer)).canonical)
    return statement


def join_signatures(folder: Path, other: Path) -> tuple[str, ...]:
    """Take over the signatures of another copy of the same report; the parties whose it took.

    Raises:
        VerificationFailed: one of them is not what was signed, or they are not of the same report.
    """
    with held(folder):
        for one in (folder, other):
            found = verify_report(one, render=False)
            if found.verdict == "altered":
                raise VerificationFailed(f"{one}: {'; '.join(found.wrong)}", fix="Ask who sent it for another copy")
        here, there = (Sheet.read(read(one)[0].get(SIGNATURES, b"")) for one in (folder, other))
        if here.manifest != there.manifest:
            raise VerificationFailed(f"{other} is another report than {folder}", fix="Name a copy of the same report")
        known = {one.statement.party for one in here.signatures}
        new = [one for one in there.signatures if one.statement.party not in known]
        for signed in new:
            signed.check(here.manifest)
            here = here.with_(signed)
        if new:
            replace(folder, SIGNATURES, here.canonical)
    return tuple(one.statement.party for one in new)


def _said(found: ReportFindings, findings: Findings, node: str, own: Findings | None, *, as_received: bool) -> Said:
    if as_received:
        return "received"
    if found.otherwise:
        raise VerificationFailed(
            f"this program makes another {' and '.join(found.otherwise)} of these findings",
            fix="Compare them, or sign what you got with --as-received",
        )
    if own is None:
        raise InvalidInput(
            "nothing of this report was compared with recordings of this node",
            fix="Give them with --recording FILE, or sign what you got with --as-received",
        )
    compared = compare(findings, own)
    if compared.same:
        return "made" if findings.node == node else "recomputed"
    if compared.differs:
        raise VerificationFailed(
            f"findings from the recordings here are not those of the report: {'; '.join(compared.differs[:10])}",
            fix="Look into it with the nation that made it; --as-received signs what you got and says no more",
        )
    return "agreed"
