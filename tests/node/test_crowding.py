"""A partner can give this node only so many combinations of label, kind and project to keep and to decide on."""

from __future__ import annotations

import pytest
from nations import PROJECT, Coalition, to

from aldis.kernel.errors import TooLarge
from aldis.kernel.labels import encode_label
from aldis.node.node import Node
from aldis.node.store import PARTNER_PROFILES

FAMILIAR = to("GBR")
ONE_MORE, ANOTHER = to("GBR", "USA"), to("GBR", "CAN")


def crowd(node: Node, originator: str, room: int) -> None:
    """Fill the store with that originator's combinations until it has room for so many more."""
    with node.core.store.transaction():
        for number in range(PARTNER_PROFILES - room - node.core.store.profiles.taken(originator)):
            node.core.store.profiles.intern(encode_label(FAMILIAR), "document", f"P-{number}", originator)


def test_what_is_one_combination_too_many_is_set_aside_and_the_familiar_goes_on(coalition: Coalition) -> None:
    coalition.put("aus", "before", {"title": ("T", FAMILIAR)})
    coalition.settle()
    gbr = coalition["gbr"]
    crowd(gbr, "aus", room=1)
    for name, label in (("familiar", FAMILIAR), ("last", ONE_MORE), ("again", ONE_MORE), ("too-many", ANOTHER)):
        coalition.put("aus", name, {"title": ("T", label)})
    coalition.put("usa", "other", {"title": ("T", to("GBR", policy="US", classification="UNCLASSIFIED"))})
    coalition.settle()
    assert {name for name in ("familiar", "last", "again", "other") if coalition.held("gbr", name)} == {
        "familiar", "last", "again", "other",
    }  # fmt: skip
    assert coalition.held("gbr", "too-many") is None
    [kept] = gbr.core.store.quarantine.all()
    assert (kept.code, kept.source) == ("too-large", "aus")
    assert "10,000 combinations of label, kind and project" in kept.text and "Ask aus" in kept.text
    assert gbr.core.store.profiles.taken("aus") == PARTNER_PROFILES
    with pytest.raises(TooLarge, match="Ask aus to mark its records more alike"):
        gbr.inbound.retry(kept.id)
    assert gbr.core.store.quarantine.count() == 1
    assert coalition["aus"].exchange.next_call("gbr") is None


def test_the_nodes_own_combinations_are_not_bounded(coalition: Coalition) -> None:
    crowd(coalition["aus"], "aus", room=0)
    coalition.put("aus", "mine", {"title": ("T", ANOTHER)}, project=PROJECT + "-2")
    assert coalition.held("aus", "mine") == ["title"]


def test_combinations_of_an_undone_transaction_do_not_count(coalition: Coalition) -> None:
    store = coalition["gbr"].core.store
    before = store.profiles.taken("aus")
    with pytest.raises(RuntimeError), store.transaction():
        store.profiles.intern(encode_label(FAMILIAR), "document", "undone", "aus")
        assert store.profiles.taken("aus") == before + 1
        raise RuntimeError
    assert store.profiles.taken("aus") == before
