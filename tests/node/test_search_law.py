"""The law of lists and searches: what somebody is told is the same whether or not what they may not see exists."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from models import INSTALLED, index
from nations import ARRANGEMENT, NATIONS, Coalition, to
from personnel import GUEST, hire, signed_in

from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.filters import ALL, Filters
from aldis.node.node import Node
from aldis.node.people import Person
from aldis.node.saved import Wanted

TEXTS = (
    "a dragged anchor cut the harbour cable",
    "the undersea cable was damaged by a trawler",
    "lunch in the canteen at noon, cable or no cable",
    "survey of the outer harbour",
    "the fibre-optic line off the coast is broken",
)
LABELS = (
    to("GBR"), to("GBR", "USA"), Label("AUS", "OFFICIAL"), Label("AUS", "SECRET"),
    Label("AUS", "SECRET", Releasability.to("GBR")), Label("AUS", "PROTECTED", Releasability.to("USA")),
)  # fmt: skip
SOME = 'portions = ["title", "body"]\ntransforms = [{ portion = "body", action = "delay", seconds = 60 }]\nonward'
AGREED = ARRANGEMENT.replace("pa-northern-watch", "pa-p").replace("NORTHERN-WATCH", "P").replace("onward", SOME)
FILTERS = (
    ALL,
    Filters(author="officer"),
    Filters(author="another"),
    Filters(kinds=("document",), originator="aus", project="P"),
    Filters(at_most=("AUS", "OFFICIAL")),
    Filters(created_from=1),
)
Entry = tuple[str, dict[str, tuple[str, Label]], Label, str, bool, str]
Who = Callable[[Node], Person | str]
VIEWERS: dict[str, Who] = {
    "alice": lambda node: signed_in(node, "alice", AUS="OFFICIAL"),
    "acme": lambda node: signed_in(node, "acme"),
    "george": lambda node: signed_in(node, "george"),
    "gbr": lambda _node: "gbr",
}


def entries(rng: Random, count: int = 24) -> list[Entry]:
    """Records of all levels and projects, each portion with words that others have too."""
    return [
        (
            f"doc-{n}",
            {name: (rng.choice(TEXTS), rng.choice(LABELS)) for name in ("title", "body", "annex")[: rng.randint(1, 3)]},
            rng.choice((*LABELS[:2], *LABELS)),
            rng.choice(("P", "P", "P", "QUIET")),
            rng.random() < 0.15,
            rng.choice(("officer", "officer", "another")),
        )
        for n in range(count)
    ]


@contextmanager
def world(template: tuple[Path, int], place: Path, wanted: list[Entry]) -> Iterator[Coalition]:
    """AUS with these records, its people and their saved searches; GBR is agreed with on some portions only."""
    folder, at = template
    shutil.copytree(folder, place)
    made = Coalition(place)
    made.clock.at = at
    for name in NATIONS:
        made.open(name)
    made.arrange(AGREED)
    aus = made["aus"]
    hire(aus, "alice", projects=["P"])
    hire(aus, "acme", roles=[GUEST], clearance={"AUS": "OFFICIAL"}, projects=["P"], kinds=["document"])
    hire(aus, "george", nationality="GBR", clearance={"AUS": "SECRET", "UK": "SECRET"})
    if INSTALLED:
        index(aus)
    for name in ("alice", "acme", "george"):
        person = VIEWERS[name](aus)
        aus.saved.add(person, "words", Wanted(text="cable"))
        aus.saved.add(person, "all", Wanted(filters=Filters(kinds=("document",))))
        if INSTALLED:
            aus.saved.add(person, "like", Wanted(text="broken cables", meaning=True))
    for n, (id_, portions, label, project, held, author) in sorted((int(one[0][4:]), one) for one in wanted):
        made.clock.at = at + 1_000_000 + n
        parts = [DraftPortion(name, mark, value) for name, (value, mark) in portions.items()]
        aus.records.put(Draft("document", id_, "aus", author, made.clock.now(), label, parts, project=project))
        if held:
            aus.desk.hold(id_, "inquiry")
    made.clock.at = at + 1_000_100
    if INSTALLED:
        index(aus)
    yield made
    made.close()


def told(row: Any) -> Any:
    record = row.record()
    header = record.header
    parts = {part.name: part.value for part in record.portions}
    return header.id, header.version, header.kind, header.project, header.author, header.created, parts


def pages(ask: Callable[..., Any]) -> Iterator[Any]:
    """All pages, down to the length of each cursor; an error as what it says."""
    cursor = ""
    while True:
        try:
            page = ask(cursor=cursor)
        except AldisError as error:
            yield type(error), str(error)
            return
        if hasattr(page, "rows"):
            found = [told(row) for row in page.rows]
        else:
            found = [(told(hit.row), hit.portion, hit.snippet, hit.closeness) for hit in page.hits]
        yield found, page.next is None, len(page.next or "")
        if page.next is None:
            return
        cursor = page.next


def everything(node: Node, viewer: Person | str) -> list[Any]:
    """All that somebody is told by lists, searches and notices."""
    records, answers = node.records, list[Any]()
    for filters in FILTERS:
        for limit in (1, 3):
            asked: dict[str, Any] = {"viewer": viewer, "limit": limit, "filters": filters}
            kinds: dict[str, Any] = {} if filters.kinds else {"kind": "document"}
            answers += pages(partial(records.page, **asked, **kinds))
            for text in ("cable", "harbour cable", "nothing"):
                answers += pages(partial(records.search, text, **asked))
            if INSTALLED:
                answers += pages(partial(records.alike, "cable damage", **asked))
    if isinstance(viewer, Person):
        for limit in (2, 50):
            for one in node.saved.news(viewer, limit=limit):
                hits = [(told(hit.row), hit.portion, hit.snippet, hit.closeness) for hit in one.hits]
                answers.append((one.name, hits, one.more, len(one.upto), str(one.problem)))
    return answers


def left(node: Node, viewer: Person | str, wanted: list[Entry]) -> list[Entry]:
    """What of these records somebody may see, portion by portion."""
    found = []
    for id_, portions, label, project, held, author in wanted:
        try:
            names = {part.name for part in node.records.get(id_, viewer=viewer).record().portions}
        except AldisError:
            continue
        found.append((id_, {name: portions[name] for name in portions if name in names}, label, project, held, author))
    return found


def obey(template: tuple[Path, int], folder: Path, who: str, seed: int) -> None:
    wanted = entries(Random(seed))
    with world(template, folder / "full", wanted) as full:
        viewer = VIEWERS[who](full["aus"])
        seen = left(full["aus"], viewer, wanted)
        answers = everything(full["aus"], viewer)
        more = everything(full["aus"], "")
    hidden = sum(len(one[1]) for one in wanted) - sum(len(one[1]) for one in seen)
    assert seen and hidden and len(str(more)) > len(str(answers))
    with world(template, folder / "bare", seen) as bare:
        assert everything(bare["aus"], VIEWERS[who](bare["aus"])) == answers


@pytest.mark.parametrize("who", VIEWERS)
def test_what_is_told_is_the_same_whether_or_not_the_withheld_exists(
    _paired: tuple[Path, int], tmp_path: Path, who: str
) -> None:
    obey(_paired, tmp_path, who, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
@pytest.mark.parametrize("who", VIEWERS)
def test_that_holds_in_many_worlds(_paired: tuple[Path, int], tmp_path: Path, who: str, seed: int) -> None:
    obey(_paired, tmp_path, who, seed)
