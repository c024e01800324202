"""What an originator transformed goes up as it is: the high node holds what the low one does, under the same words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nations import Coalition, to
from test_levels import ARRANGEMENT
from test_live import Sea

from aldis.kernel.bundles import Commitment, Item, Substitute, seal
from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import read_portion
from aldis.node.store import Row

COARSE = 'transforms = [{ portion = "position", action = "coarsen", grid_m = 1000 }]\n'
HERE = {"lat_deg": 59.912345, "lon_deg": 24.412345}
OURS = to("AUS", policy="UK", classification="SECRET")
SPECIAL = "Special Handling"
MARKED = Label("AUS", "PROTECTED", Releasability.to("AUS", "GBR"), ((SPECIAL, frozenset({"CABINET"})),))


def party(folder: Path, **high: Any) -> Coalition:
    made = Coalition(folder)
    made.apps["sea"] = Sea()
    made.add("aus-low", ceiling="SECRET", categories={SPECIAL: ["CABINET"]})
    made.add("gbr")
    made.add("aus-high", ceiling="TOP SECRET", **high)
    made.pair("aus-low", "gbr")
    made.pair("aus-low", "aus-high")
    agree(made, COARSE + f'categories = {{ "{SPECIAL}" = ["CABINET"] }}\n')
    return made


def agree(levels: Coalition, more: str) -> None:
    low = levels["aus-low"]
    known = low.core.store.records.get("pa-northern-watch") is not None
    (low.register.amend if known else low.register.draft)(ARRANGEMENT + more, "officer")
    levels.settle()
    for name in ("aus-low", "gbr"):
        levels[name].register.sign("pa-northern-watch", "officer")
    levels.settle()


@pytest.fixture
def levels(tmp_path: Path) -> Iterator[Coalition]:
    made = party(tmp_path)
    yield made
    made.close()


def track(levels: Coalition, name: str = "theirs", label: Label = OURS) -> None:
    portions = {"identity": ("a ship", OURS), "position": (HERE, label)}
    levels.put("gbr", name, portions, kind="track")


def row(levels: Coalition, node: str, name: str = "theirs") -> Row:
    found = levels[node].core.store.records.get(name, originator="gbr")
    assert found is not None
    return found


def stand_ins(levels: Coalition, node: str, name: str = "theirs") -> list[tuple[str, Any, str]]:
    parts = [(read_portion(data), words) for data, words in row(levels, node, name).substitutes]
    return [(part.name, part.value, words) for part, words in parts]


def test_the_high_node_holds_what_the_low_one_does_and_no_more(levels: Coalition) -> None:
    track(levels)
    levels.settle()
    assert levels.held("aus-high", "theirs") == ["identity"]
    [(name, value, words)] = stand_ins(levels, "aus-high")
    assert (name, words) == ("position", "coarsen 1000 m")
    assert value["grid_m"] == 1000
    assert stand_ins(levels, "aus-high") == stand_ins(levels, "aus-low")
    assert row(levels, "aus-high").substitutes == row(levels, "aus-low").substitutes
    assert str(HERE["lat_deg"]).encode() not in levels.seen_by("aus-high")
    assert levels["aus-high"].core.store.quarantine.count() == 0
    assert levels["aus-high"].context.get("theirs").header.originator == "gbr"


def test_what_stands_in_for_a_portion_goes_to_nobody_else(levels: Coalition) -> None:
    """A third nation of the low node's, which the grant does not name; and nothing of it comes down again."""
    levels.add("usa")
    levels.pair("aus-low", "usa")
    text = ARRANGEMENT.replace("GBR", "USA").replace("pa-northern-watch", "pa-two").replace("UK =", "US =")
    levels["aus-low"].register.draft(text, "officer")
    levels.settle()
    for name in ("aus-low", "usa"):
        levels[name].register.sign("pa-two", "officer")
    track(levels, label=Label("UK", "SECRET", Releasability.to("AUS", "USA")))
    levels.settle()
    assert stand_ins(levels, "aus-high")
    assert b"grid_m" not in levels.seen_by("usa")
    assert not [one for one in levels.wire if one.origin == "aus-high" and one.operation == "deliver"]


@pytest.mark.parametrize("accredited", [{}, {SPECIAL: ["CABINET"]}])
def test_a_caveat_stops_it_where_it_would_stop_the_portion(tmp_path: Path, accredited: dict[str, list[str]]) -> None:
    levels = party(tmp_path, categories=accredited)
    track(levels, label=MARKED)
    levels.settle()
    assert stand_ins(levels, "aus-low")
    assert bool(stand_ins(levels, "aus-high")) == bool(accredited)
    assert (b'"grid_m":' in levels.seen_by("aus-high")) == bool(accredited)
    levels.close()


def test_a_new_policy_epoch_neither_withdraws_nor_repeats_it(levels: Coalition) -> None:
    track(levels)
    levels.settle("aus-low", "gbr")
    low = levels["aus-low"]
    levels.put("aus-low", "another", {"title": ("x", to())})
    sealed = low.exchange.next_bundle("aus-high")
    assert sealed is not None
    assert sealed.data is not None and b"grid_m" in sealed.data
    before = low.epochs.current().digest
    low.partners.set_status("gbr", PartnerStatus.SUSPENDED, "changes the epoch")
    assert low.epochs.current().digest != before
    assert low.outbound.permitted("aus-high", sealed)
    levels.settle("aus-low", "aus-high")
    [words] = [words for _, _, words in stand_ins(levels, "aus-high")]
    assert words == "coarsen 1000 m"
    low.partners.set_status("gbr", PartnerStatus.ACTIVE, "changes it again")
    sent = len([one for one in levels.wire if one.audience == "aus-high" and b"theirs" in one.body])
    levels.settle()
    assert len([one for one in levels.wire if one.audience == "aus-high" and b"theirs" in one.body]) == sent


def test_what_comes_whole_later_is_held_beside_it(levels: Coalition) -> None:
    track(levels)
    levels.settle()
    agree(levels, "")
    levels["gbr"].exchange.new_epoch("send all anew")
    levels.settle()
    for node in ("aus-low", "aus-high"):
        assert levels.held(node, "theirs") == ["identity"] or levels.held(node, "theirs") == ["identity", "position"]
        assert len(stand_ins(levels, node)) == 1
    assert levels.held("aus-low", "theirs") == levels.held("aus-high", "theirs")


def test_what_no_kept_grant_proves_stays_and_stops_nothing(levels: Coalition) -> None:
    """GBR gave two portions, then one of them and a third, before aus-high was reached: the newest grant proves two."""
    agree(levels, 'portions = ["title", "body"]\n')
    british = {name: (f"{name} of GBR", OURS) for name in ("title", "body", "summary")}
    levels.put("gbr", "paper", british)
    levels.settle("gbr", "aus-low")
    assert levels.held("aus-low", "paper") == ["body", "title"]
    levels["aus-low"].register.amend(ARRANGEMENT + 'portions = ["title", "summary"]\n', "officer")
    levels.settle("gbr", "aus-low")
    for name in ("aus-low", "gbr"):
        levels[name].register.sign("pa-northern-watch", "officer")
    levels.settle("gbr", "aus-low")
    assert levels.held("aus-low", "paper") == ["body", "summary", "title"]
    levels.settle()
    assert levels.held("aus-high", "paper") == ["summary", "title"]


@pytest.mark.parametrize(
    ("old", "new", "why"), [('"grid_m":1000', '"grid_m":10', "did not grant"), ("1000 m", "10 m", "signed")]
)
def test_a_stand_in_that_its_originator_did_not_sign_is_set_aside(
    levels: Coalition, old: str, new: str, why: str
) -> None:
    """The low node alters the value, or the words for what was done to it, and signs for that itself."""
    track(levels)
    levels.settle("aus-low", "gbr")
    low, held = levels["aus-low"], row(levels, "aus-low")
    [(data, words)] = held.substitutes
    other = Substitute(data.replace(old.encode(), new.encode()), words.replace(old, new))
    assert (other.portion, other.transform) != (data, words)
    record = held.record()
    commitment = Commitment(
        record.digest, [part.digest for part in record.portions], [(sha256(other.portion), other.transform)]
    )
    grant = low.core.store.grants.of([held.seq])[held.seq]
    item = Item(msgspec.msgpack.encode(commitment), record.data, list(held.portions), [other], grant)
    stream = low.exchange.stream("aus-high")
    body, _ = seal([item], stream, policy_epoch=bytes(32), created=levels.clock.now(), signer=low.core.signer)
    levels["aus-high"].answer("aus-low", "deliver", body)
    assert levels.held("aus-high", "theirs") is None
    [entry] = levels["aus-high"].core.store.quarantine.all()
    assert why in entry.text
