"""Hypothesis strategies for labels that their policies admit.

`labels("US")` draws from one policy, `label_any()` from all; with `marks=True` only what a marking can say.
"""

from functools import cache

from hypothesis import strategies as st

from aldis.kernel.labels import REFUSED, UNMARKED, Access, CategoryType, Label, Releasability
from aldis.kernel.policies import Policy, Rung, Value, builtin

AT = 1_735_689_600_000
"""1 January 2025, UTC, in ms."""

POLICIES = builtin()
NATIONS = ("AUS", "CAN", "DEU", "FRA", "GBR", "JPN", "KOR", "NZL", "USA")
UNIVERSE = frozenset(NATIONS) | POLICIES.members("NATO", AT)
OPEN_VALUES = {
    "SCI": ("SI-G ABCD", "SI-MMM AACD", "TK-BLFH", "HCS-P"),
    "SAP": ("BP", "BP-J12", "BP-J12 J54", "CD-YYY 456"),
    "CUI": ("SP-CTI", "EXPT", "PRVCY"),
}
_GROUPS = [frozenset(), *(POLICIES.expand([name], AT) for name in ("FVEY", "NATO", "AUKUS"))]
_NO_REFUSAL = ("CAN", "NATO", "NZL", "TLP")


def nations() -> st.SearchStrategy[frozenset[str]]:
    return _some(NATIONS, 4)


@cache
def _some(names: tuple[str, ...], most: int) -> st.SearchStrategy[frozenset[str]]:
    return st.lists(st.sampled_from(names), max_size=most).map(frozenset)


@cache
def _audiences(name: str, marks: bool) -> st.SearchStrategy[Releasability]:
    if name == "TLP" and marks:
        return st.just(UNMARKED)
    owner = {POLICIES.policy(name).owner}
    whole = st.builds(frozenset.union, nations(), st.sampled_from(_GROUPS))
    shown = st.just(frozenset()) if marks and name in ("AUS", "NATO", "UK") else nations()
    lists = st.builds(lambda parties, display: Releasability.to(*parties, display=display), whole, shown)
    if not marks:
        return st.sampled_from([UNMARKED, REFUSED]) | lists
    named = lists.filter(lambda said: said.parties - owner or said.display - owner)
    if name == "NATO":
        return named
    return st.sampled_from([UNMARKED, UNMARKED if name in _NO_REFUSAL else REFUSED]) | named


@cache
def _chosen(name: str) -> st.SearchStrategy[dict[str, frozenset[str]]]:
    """Values of some categories, with all that they imply and need."""
    policy = POLICIES.policy(name)
    pairs = [(tag, v) for tag, c in policy.categories.items() for v in (*c.values, *OPEN_VALUES.get(tag, ()))]
    if not pairs:
        return st.just({})
    return st.lists(st.sampled_from(pairs), max_size=4).map(lambda drawn: _completed(policy, drawn))


def _completed(policy: Policy, todo: list[tuple[str, str]]) -> dict[str, frozenset[str]]:
    chosen: dict[str, frozenset[str]] = {}
    todo = list(todo)
    while todo:
        tag, name = todo.pop()
        category = policy.category(tag)
        chosen[tag] = chosen.get(tag, frozenset()) | category.closed([name])
        todo += [
            need
            for held in chosen[tag]
            for need in category.value(held).needs
            if need[1] not in chosen.get(need[0], ())
        ]
    return chosen


_CONTROL = _some(("USML:XI(c)", "USML:XII(b)", "DSGL:ML11"), 2)


@st.composite
def _labels(draw: st.DrawFn, name: str, marks: bool) -> Label:
    policy = POLICIES.policy(name)
    chosen = draw(_chosen(name))
    values = {(tag, held): policy.category(tag).value(held) for tag, names in chosen.items() for held in names}
    firm = {key: v for key, v in values.items() if policy.category_type(key[0]) is not CategoryType.INFORMATIVE}
    said = REFUSED if any(value.refused for value in firm.values()) else draw(_audiences(name, marks))
    origins = draw(nations()) - {policy.owner}
    lowest = max([0, *(policy.rank(value.lowest) for value in firm.values() if value.lowest)])
    rung = draw(st.sampled_from([rung for rung in policy.ladder if rung.in_use(AT) and rung.rank >= lowest]))
    kept: dict[str, frozenset[str]] = {}
    for (tag, held), value in values.items():
        if (tag, held) in firm or _fits(policy, value, rung, said, origins):
            kept[tag] = kept.get(tag, frozenset()) | {held}
    return Label(name, rung.name, said, tuple(kept.items()), draw(_CONTROL), origins)


def _fits(policy: Policy, value: Value, rung: Rung, said: Releasability, origins: frozenset[str]) -> bool:
    return not (
        (value.lowest and rung.rank < policy.rank(value.lowest))
        or (value.highest and rung.rank > policy.rank(value.highest))
        or (said.access is Access.REFUSED and "refused" in value.not_with)
        or (said.display and "display" in value.not_with)
        or (value.needs_origins and not origins)
    )


@cache
def labels(name: str, marks: bool = False) -> st.SearchStrategy[Label]:
    """A label that policy `name` admits, of a rung in use at AT."""
    return _labels(name, marks)


@cache
def label_any(marks: bool = False) -> st.SearchStrategy[Label]:
    """A label of any policy."""
    return st.one_of(*(labels(name, marks) for name in POLICIES.names))


@cache
def same_policy(least: int, most: int = 0) -> st.SearchStrategy[list[Label]]:
    """From `least` to `most` labels of one policy; exactly `least` where `most` is not given."""
    return st.one_of(*(st.lists(labels(name), min_size=least, max_size=most or least) for name in POLICIES.names))
