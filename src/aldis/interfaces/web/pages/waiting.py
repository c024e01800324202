"""What waits for one person: cases to rule on, papers to sign, partners with a problem, news of what they look for.

Each is asked of the node as that person, at the level at which they work, and handed over with the labels of its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aldis.interfaces.cli.kinds import title
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.markings import Chip
from aldis.interfaces.web.pages.items import labels_of
from aldis.interfaces.web.visit import Visit
from aldis.kernel.authority import Act
from aldis.kernel.encoding import unb64
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.labels import Label
from aldis.node.cases import Filters
from aldis.node.exchange import problem_of
from aldis.node.partners import Known

__all__ = ["Wait", "waiting"]

_CASES = 5
_NEWS = 20


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing: what is to be done, about what, in more words, and where it is done (or, at the node, how).

    `marking` is that of `about` where a record is; `labels` are those of all of it; `late` where a day has passed.
    """

    todo: str
    about: str
    words: str
    path: str
    labels: Sequence[Label]
    marking: Chip | None = None
    command: str = ""
    late: bool = False


def waiting(visit: Visit, frame: Frame) -> list[Wait]:
    """All of it, what is most pressing first."""
    return [
        *_cases(visit, frame), *_recalls(visit), *_papers(visit, frame), *_partners(visit), *_set_aside(visit),
        *_news(visit),
    ]  # fmt: skip


def _cases(visit: Visit, frame: Frame) -> Iterator[Wait]:
    if not visit.may(Act.RULE):
        return
    page = visit.node.desk.cases(visit.who, Filters(mine=True), None, _CASES)
    for case in page.cases:
        yield Wait(
            todo="Rule on a release",
            about=title(visit.node, case.row.record()) or case.row.id,
            words=f"to {case.partner}: {case.why}",
            path=f"/desk/{case.number}",
            labels=labels_of(case.row),
            marking=frame.markings.record(labels_of(case.row)),
            late=case.overdue,
        )
    if page.next:
        yield Wait("Rule on releases", "More cases", "", Fields.address("/desk", mine="yes"), [visit.routine])


def _recalls(visit: Visit) -> Iterator[Wait]:
    """What partners ask to be deleted, where the officer sees some of it; the list of all is at the command line."""
    node = visit.node
    if not visit.may(Act.RECALL) or not node.sights.whole(visit.who):
        return
    for one in node.recalls.requests(visit.who):
        if one.state == "waits" and any(node.records.sees(visit.who, row) for row in node.recalls.covered(one)):
            yield Wait("Answer a recall", f"From {one.asker}", one.because, "", [visit.level],
                       command=f"aldis recall comply {one.id} --because TEXT")  # fmt: skip


def _papers(visit: Visit, frame: Frame) -> Iterator[Wait]:
    """Instruments that lack this party's signature, for whoever may sign them."""
    node = visit.node
    if not visit.resident or not visit.may(Act.SIGN):
        return
    for name in node.epochs.current().instruments.ids():
        if node.core.party not in node.register.status(name).missing:
            continue
        try:
            record = node.register.record(name, visit.who)
        except UnknownTerm:
            continue
        labels = [record.label, *(portion.label for portion in record.portions)]
        yield Wait(
            todo="Sign an instrument",
            about=title(node, record) or name,
            words=f"{node.core.party} has not signed it",
            path=f"/instruments/{quote(name, safe='')}",
            labels=labels,
            marking=frame.markings.record(labels),
        )


def _partners(visit: Visit) -> Iterator[Wait]:
    if not visit.resident:
        return
    for known in visit.node.partners.all():
        problem = _problem(visit, known) if known.active else ""
        if problem:
            path = f"/partners/{known.node}"
            yield Wait("See to a partner", known.node, problem, path, [visit.routine], late=True)


def _problem(visit: Visit, known: Known) -> str:
    node = visit.node
    refused = node.audit.refused(known.node, unb64(known.sheet.ledger_key))
    if refused:
        return str(refused.args[0])
    return (node.core.store.meta.get(problem_of(known.node)) or b"").decode().partition("\n")[0]


def _set_aside(visit: Visit) -> Iterator[Wait]:
    """That something was set aside, and from whom; what it is may be any record here, and is not said."""
    if not visit.may(Act.QUARANTINE) or not visit.node.sights.whole(visit.who):
        return
    for one in visit.node.core.store.quarantine.all(0, 1):
        yield Wait("Look through quarantine", f"From {one.source}", "", "", [visit.level],
                   command="aldis quarantine list")  # fmt: skip


def _news(visit: Visit) -> Iterator[Wait]:
    for one in visit.node.saved.news(visit.who, limit=_NEWS):
        if one.hits:
            labels = [visit.level, *(label for hit in one.hits for label in labels_of(hit.row))]
            yield Wait("Read what is new", f"In your search {one.name}", "", "/notices", labels)
