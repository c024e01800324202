"""Findings as a document: what falls short first, then all of it, with every number linked to its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from aldis.apps.experiments.cases.findings import Findings
from aldis.apps.experiments.report.cells import details, exchange, matrix, reasons_of, said, test_cases, verdict
from aldis.apps.experiments.report.document import Block, Document, Items, Note, Row, Section, Span, Table, cell
from aldis.apps.experiments.report.evidence import Index, recordings
from aldis.apps.experiments.report.scores import scores
from aldis.apps.experiments.report.wording import ORDER, VERDICT_WORDS, instant, shown

__all__ = ["compose"]


def compose(findings: Findings, parties: Sequence[str], files: Mapping[str, str]) -> Document:
    """The document of `findings`, which `parties` are to sign; `files` has the path of each case by its digest."""
    index = Index(findings.recordings)
    paths = [files.get(one.case_digest, "") for one in findings.outcomes]
    sections = [
        _short(findings),
        _glance(findings, parties),
        matrix(findings.cells),
        test_cases(findings.outcomes, paths, index),
        details(findings.cells, index),
        scores(findings.scores),
    ]
    sections += [index.section(), recordings(findings.recordings), _offline(findings), _words()]
    title = f"Findings of {shown(findings.experiment, 100)}" if findings.experiment else "Findings of an experiment"
    return Document(title, findings.marking, sections)


def _glance(findings: Findings, parties: Sequence[str]) -> Section:
    lacking = sum(one.state != "intact" for one in findings.recordings)
    files = f"{len(findings.recordings):,}" + (f", of which {lacking:,} not intact" if lacking else ", all intact")
    facts = [
        ("Experiment", cell(shown(findings.experiment) or "not named")),
        ("From", cell(instant(findings.began_us))),
        ("To", cell(instant(findings.ended_us))),
        ("Found by", cell(_whose(findings))),
        ("To be signed by", cell(", ".join(shown(party, 40) for party in parties) or "nobody")),
        ("Test cases", cell(Span(_counted([one.verdict for one in findings.outcomes]), "cases"))),
        ("Cells of the matrix", cell(Span(_counted([one.verdict for one in findings.cells]), "matrix"))),
        ("Recordings", cell(Span(files if findings.recordings else "none", "recordings"))),
        ("SHA-256 of findings.json", cell(Span(findings.digest, style="code"))),
    ]
    rows = tuple(Row((cell(name), value)) for name, value in facts)
    return Section("At a glance", "glance", [Table("What this is", (), rows, (25, 75))])


def _whose(findings: Findings) -> str:
    if not findings.node:
        return "nobody's node"
    return f"{shown(findings.party, 40)}, node {shown(findings.node, 60)}"


def _counted(verdicts: Sequence[str]) -> str:
    counts = Counter(verdicts)
    return ", ".join(f"{counts[one]:,} {one}" for one in reversed(ORDER) if counts[one]) or "none"


def _short(findings: Findings) -> Section:
    """Everything that is less than a success, the worst first."""
    found: list[tuple[int, Row]] = []
    for place, one in enumerate(findings.outcomes, 1):
        if one.verdict != "success":
            reasons = [
                *one.reasons,
                *(reason for part in one.measures if part.met is not True for reason in part.reasons),
            ]
            name = Span(f"test case {shown(one.title or one.case, 100)}", f"case-{place}")
            row = Row((cell(name), cell(verdict(one.verdict)), cell(said(reasons) or VERDICT_WORDS[one.verdict])))
            found.append((ORDER.index(one.verdict), row))
    untested = sum(cross.verdict == "not tested" for cross in findings.cells)
    for place, cross in enumerate(findings.cells, 1):
        if cross.verdict not in ("success", "not tested"):
            why = said(reasons_of(cross.marks)) or VERDICT_WORDS[cross.verdict]
            row = Row((cell(Span(exchange(cross), f"cell-{place}")), cell(verdict(cross.verdict)), cell(why)))
            found.append((ORDER.index(cross.verdict), row))
    cases, cells = ([one.verdict for one in some] for some in (findings.outcomes, findings.cells))
    counts = cell(f"Test cases: {_counted(cases)}. Cells of the matrix: {_counted(cells)}.")
    blocks: list[Block] = [Note(counts)]
    lacking = [one for one in findings.recordings if one.state != "intact"]
    if lacking:
        names = ", ".join(f"{shown(one.file, 60)} ({shown(one.state, 20)})" for one in lacking)
        blocks.append(Note(cell("Not every recording is intact: ", Span(names, "recordings"), ".")))
    if found:
        rows = tuple(row for _, row in sorted(found, key=lambda pair: pair[0]))
        heads = tuple(cell(text) for text in ("What", "Verdict", "Why"))
        blocks.append(Table("Less than a success, the worst first", heads, rows, (38, 20, 42)))
    elif findings.outcomes or len(findings.cells) > untested:
        blocks.append(Note(cell("Nothing: every test case is a success, and every cell that was tested.")))
    else:
        blocks.append(Note(cell("Nothing was tested, so nothing is shown to work.")))
    if untested:
        blocks.append(
            Note(
                cell(
                    f"Cells in which nobody tried anything: {untested:,}. They stand in the ",
                    Span("matrix", "matrix"),
                    ".",
                )
            )
        )
    return Section("What falls short", "short", blocks)


def _offline(findings: Findings) -> Section:
    nodes = sorted(({one.node for one in findings.recordings} | {findings.node}) - {""})
    names = " ".join(f"--sealed-by {shown(node, 60)}" for node in nodes)
    steps = (
        cell(
            "Take the whole folder that this came in: ",
            Span("findings.json", style="code"), ", the cases as run, this report as page and as PDF, and ",
            Span("signatures.json", style="code"), ".",
        ),
        cell(
            "Without a network, at a node that is paired with those who signed: ",
            Span(f"aldis experiment verify FOLDER {names}", style="code"),
            ". Any byte that changed, any file added or taken away and any signature that is missing is named.",
        ),
        cell(
            "With the recordings at hand, verify those of each node too: ",
            Span("aldis experiment verify FILE... --sealed-by NODE", style="code"),
            ". Their heads are those of the list above.",
        ),
        cell(
            "Findings are a function of the test cases and the recordings alone. To find them anew and compare: ",
            Span("aldis experiment verify FOLDER --recording FILE...", style="code"), ".",
        ),
        cell(
            "Without this program: the signed manifest in ", Span("signatures.json", style="code"),
            " has the size and SHA-256 of each file, as ", Span("sha256sum", style="code"), " prints it.",
        ),
    )  # fmt: skip
    note = Note(cell("A number here counts only as far as the folder verifies; this page alone proves nothing."))
    return Section("How to verify this", "verify", [note, Items(steps, steps=True)])


def _words() -> Section:
    items = tuple(cell(verdict(one), f": {VERDICT_WORDS[one]}") for one in reversed(ORDER))
    note = Note(
        cell(
            "Numbers are shown to four digits, times are UTC. Characters that could mislead are shown as <U+202E>, in "
            "the PDF also those that its font lacks; long texts are cut. The whole of each stands in findings.json."
        )
    )
    return Section("Words", "words", [Items(items), note])
