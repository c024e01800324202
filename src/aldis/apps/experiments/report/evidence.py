"""The evidence of a report: each message that a number rests on has a place of its own to link to."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.apps.experiments.cases.findings import Evidence, Recorded
from aldis.apps.experiments.report.document import Block, Cell, Note, Row, Section, Span, Table, cell
from aldis.apps.experiments.report.wording import instant, shown

__all__ = ["Index", "recordings"]

_LINKS = 6
_SHORT = 12
RECORDINGS = "recordings"


class Index:
    """Numbers messages as they are named, and says where the recordings are that they lie in."""

    def __init__(self, files: Sequence[Recorded]) -> None:
        self._files = {one.head: (f"r-{number}", one) for number, one in reversed(list(enumerate(files, 1)))}
        self._known: dict[Evidence, str] = {}

    def _anchor(self, one: Evidence) -> str:
        return self._known.setdefault(one, f"e-{len(self._known) + 1}")

    def measured(self, text: str, evidence: Sequence[Evidence]) -> Cell:
        """A number that links to the first message it rests on; to all recordings where none is named."""
        return cell(Span(text, self._anchor(evidence[0]) if evidence else RECORDINGS))

    def links(self, evidence: Sequence[Evidence]) -> Cell:
        """Links to the messages; of very many, to the first."""
        if not evidence:
            return cell(Span("all recordings", RECORDINGS))
        spans = []
        for one in evidence:
            anchor = self._anchor(one)
            spans.append(Span(anchor.removeprefix("e-"), anchor))
        made = [part for span in spans[:_LINKS] for part in (span, Span(", "))][:-1]
        if len(spans) > _LINKS:
            made += [Span(" to "), spans[-1]]
        return tuple(made)

    def section(self) -> Section:
        """The table of every message that was named."""
        rows = [
            Row((cell(anchor.removeprefix("e-")), *self._row(one)), anchor)
            for one, anchor in sorted(self._known.items(), key=lambda pair: int(pair[1][2:]))
        ]
        blocks: list[Block] = [
            Note(
                cell(
                    "Each is one message: the recording by the head of its chain, the topic, the sequence number in "
                    "it, and when it was recorded. Any MCAP viewer finds it by topic and time."
                )
            )
        ]
        if rows:
            heads = tuple(cell(text) for text in ("No.", "Recording", "Head", "Topic", "Sequence", "Time"))
            blocks.append(Table("Messages that numbers rest on", heads, tuple(rows), (5, 25, 12, 22, 9, 27)))
        else:
            blocks.append(Note(cell("No single message is named: the numbers rest on the recordings as a whole.")))
        return Section("Evidence", "evidence", blocks)

    def _row(self, one: Evidence) -> Sequence[Cell]:
        anchor, file = self._files.get(one.recording, (RECORDINGS, None))
        name = shown(file.file, 60) if file else "not among the recordings"
        head = shown(one.recording, _SHORT).partition("…")[0]
        return (
            cell(Span(name, anchor)),
            cell(Span(head, style="code")),
            cell(Span(shown(one.topic), style="code")),
            cell(f"{one.sequence:,}"),
            cell(instant(one.at_us)),
        )


def recordings(files: Sequence[Recorded]) -> Section:
    """The recordings that were looked at, with the heads that name them."""
    blocks: list[Block] = []
    rows = []
    for number, one in enumerate(files, 1):
        what = cell(
            Span(shown(one.file), style="strong"),
            f" by {shown(one.node, 40)}, run {shown(one.run, 40)}, file {one.segment}",
        )
        state = Span(shown(one.state, 20), style="met" if one.state == "intact" else "partly")
        keys = cell(Span(shown(one.head), style="code"), " sealed with ", Span(shown(one.signer, 4000), style="code"))
        rows.append(Row((what, (state,), cell(f"{one.messages:,}"), cell(shown(one.marking)), keys), f"r-{number}"))
    if rows:
        heads = tuple(cell(text) for text in ("Recording", "State", "Messages", "Marking", "Head and key"))
        blocks.append(Table("What was looked at", heads, tuple(rows), (24, 10, 10, 20, 36)))
    else:
        blocks.append(Note(cell("There was no recording to look at.")))
    return Section("Recordings", RECORDINGS, blocks)
