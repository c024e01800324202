"""Live values between levels: up by themselves, in the name of who published them; down never."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nations import PROJECT, Coalition, to
from personnel import hire, signed_in
from test_levels import ARRANGEMENT
from test_live import Sea

from aldis.app import Live
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import NotAuthentic
from aldis.kernel.frames import Update, seal_frame
from aldis.kernel.labels import Label, Releasability

SPECIAL = "Special Handling"
OURS = to("AUS", policy="UK", classification="SECRET")
MARKED = Label("AUS", "PROTECTED", Releasability.to("AUS", "GBR"), ((SPECIAL, frozenset({"CABINET"})),))
HERE = {"lat_deg": 59.912345, "lon_deg": 24.412345}


class Levels(Coalition):
    """Nodes with tracks; `told` is what each node's subscribers heard."""

    told: dict[str, list[Live]]

    def track(self, node: str, name: str, label: Label = OURS, header: Label | None = None) -> None:
        """A track of a node's, taken to all who may have it."""
        self.put(node, name, {"identity": ("a ship", label)}, kind="track", label=header or label)
        self.settle()

    def publish(self, node: str, name: str, value: Any, label: Label = OURS, **fields: Any) -> None:
        portion, header = fields.get("portion", "identity"), fields.get("header", label)
        update = Update(name, "track", portion, fields.get("at", self.clock.now()), value)
        self[node].context.publish(header, label, PROJECT, update)

    def flow(self) -> list[tuple[str, str]]:
        """Let every live frame go that there is until none is left; from whom to whom each went."""
        went = list[tuple[str, str]]()
        for _ in range(20):
            self.clock.at += 1
            before = len(went)
            for origin, node in self.nodes.items():
                for known in node.partners.all():
                    frame = node.live_out.frame(known.node, 1)
                    if frame is not None and known.node in self.nodes:
                        self[known.node].answer(origin, "live", frame)
                        went.append((origin, known.node))
            if len(went) == before:
                return went
        raise AssertionError("live values go round for ever")

    def values(self, node: str) -> list[tuple[str, str, Any]]:
        return [(live.source, live.update.id, live.update.value) for live in self.told[node]]

    def agree(self, one: str, other: str, party: str, policy: str) -> None:
        """Pair a node of AUS's with another nation's, and let an arrangement stand."""
        self.pair(one, other)
        name = f"pa-{one}-{other}"
        text = ARRANGEMENT.replace("GBR", party).replace("pa-northern-watch", name).replace("UK =", f"{policy} =")
        text += f'categories = {{ "{SPECIAL}" = ["CABINET"] }}\n'
        self[one].register.draft(text, "officer")
        self.settle()
        for node in (one, other):
            self[node].register.sign(name, "officer")
        self.settle()

    def listen(self) -> None:
        self.told = {name: [] for name in self.nodes}
        for name, node in self.nodes.items():
            node.live_in._told = self.told[name].extend


def party(folder: Path, **high: Any) -> Levels:
    made = Levels(folder)
    made.apps["sea"] = Sea()
    made.add("aus-low", ceiling="SECRET", categories={SPECIAL: ["CABINET"]})
    made.add("gbr", categories={SPECIAL: ["CABINET"]})
    made.add("aus-high", ceiling="TOP SECRET", **high)
    made.pair("aus-low", "aus-high")
    made.agree("aus-low", "gbr", "GBR", "UK")
    made.listen()
    return made


@pytest.fixture
def levels(tmp_path: Path) -> Iterator[Levels]:
    """aus-low below aus-high, which has no caveats; gbr knows aus-low alone."""
    made = party(tmp_path)
    yield made
    made.close()


# up


def test_what_is_live_below_is_live_above(levels: Levels) -> None:
    levels.track("gbr", "theirs")
    levels.track("aus-low", "ours", to())
    levels.publish("gbr", "theirs", "from gbr")
    levels.publish("aus-low", "ours", "from below", to())
    assert sorted(levels.flow()) == [("aus-low", "aus-high"), ("aus-low", "aus-high"), ("gbr", "aus-low")]
    assert levels.values("aus-low") == [("gbr", "theirs", "from gbr")]
    assert sorted(levels.values("aus-high")) == [("aus-low", "ours", "from below"), ("gbr", "theirs", "from gbr")]
    assert [live.label for live in levels.told["aus-high"] if live.source == "gbr"] == [OURS]
    high = levels["aus-high"]
    hire(high, "alice", clearance={"AUS": "SECRET"})
    hire(high, "bob", clearance={"AUS": "PROTECTED"})
    seen = {
        who: {live.update.id for live in levels.told["aus-high"] if high.records.may_watch(live, signed_in(high, who))}
        for who in ("alice", "bob")
    }
    assert seen == {"alice": {"ours", "theirs"}, "bob": {"ours"}}


def test_only_the_newest_goes_up_and_within_the_budget(levels: Levels) -> None:
    levels.track("gbr", "theirs")
    for value in ("first", "second"):
        levels.publish("gbr", "theirs", value)
        frame = levels["gbr"].live_out.frame("aus-low", 1)
        assert frame is not None
        levels["aus-low"].answer("gbr", "live", frame)
        levels.clock.at += 1
    levels.flow()
    assert levels.values("aus-high") == [("gbr", "theirs", "second")]
    for number in range(200):
        levels.put("gbr", f"t{number}", {"identity": ("a ship", OURS)}, kind="track")
    levels.settle()
    settings = levels.folder / "aus-low" / "aldis.toml"
    settings.write_text("live_bytes = 8192\n" + settings.read_text())
    levels.open("aus-low")
    for number in range(200):
        levels.publish("gbr", f"t{number}", "x" * 80)
    frame = levels["gbr"].live_out.frame("aus-low", 1)
    assert frame is not None
    levels["aus-low"].answer("gbr", "live", frame)
    sizes = []
    while (up := levels["aus-low"].live_out.frame("aus-high", 1)) is not None:
        levels.clock.at += 1
        levels["aus-high"].answer("aus-low", "live", up)
        sizes.append(len(up))
    assert len(sizes) > 1
    assert max(sizes) <= 8192
    assert {name for _, name, _ in levels.values("aus-high")} == {"theirs", *(f"t{number}" for number in range(200))}


def test_a_value_waits_below_until_its_record_says_who_may_know_of_it(levels: Levels) -> None:
    levels.publish("gbr", "unknown", "CANARY")
    levels.flow()
    assert levels.values("aus-low") == [("gbr", "unknown", "CANARY")]
    assert levels.values("aus-high") == []
    levels.track("gbr", "unknown")
    levels.clock.at += 1001
    levels.publish("gbr", "unknown", "known now")
    levels.flow()
    assert levels.values("aus-high") == [("gbr", "unknown", "known now")]


@pytest.mark.parametrize("accredited", [{}, {SPECIAL: ["CABINET"]}])
def test_what_a_caveat_covers_goes_up_only_to_who_has_it(tmp_path: Path, accredited: dict[str, list[str]]) -> None:
    """In the header as in the portion, of the low node's own tracks and of a partner's."""
    levels = party(tmp_path, categories=accredited)
    plain = Label("AUS", "PROTECTED", Releasability.to("AUS", "GBR"))
    sent = []
    for node in ("aus-low", "gbr"):
        for name, header, label in (("plain", plain, plain), ("hushed", MARKED, plain), ("part", plain, MARKED)):
            track = f"{node}-{name}"
            levels.put(node, track, {"identity": ("x", label), "position": (HERE, plain)}, kind="track", label=header)
            levels.settle()
            levels.publish(node, track, f"CANARY {track}", label, header=header)
            levels.publish(node, track, HERE, plain, header=header, portion="position")
            sent += [(node, track, f"CANARY {track}"), (node, track, HERE)]
    frame = levels["gbr"].live_out.frame("aus-low", 1)
    assert frame is not None
    levels["aus-low"].answer("gbr", "live", frame)
    assert sorted(levels.values("aus-low"), key=repr) == sorted(sent[6:], key=repr)
    frame = levels["aus-low"].live_out.frame("aus-high", 1)
    assert frame is not None
    levels["aus-high"].answer("aus-low", "live", frame)
    covered = ("hushed", "CANARY gbr-part", "CANARY aus-low-part")
    expected = [one for one in sent if accredited or not any(word in f"{one[1]} {one[2]}" for word in covered)]
    assert sorted(levels.values("aus-high"), key=repr) == sorted(expected, key=repr)
    for trace in (b"hushed", b"CABINET", b"CANARY gbr-part", b"CANARY aus-low-part"):
        assert (trace in frame) == bool(accredited)
    levels.close()


def test_a_hold_and_a_suspension_stop_it(levels: Levels) -> None:
    levels.track("gbr", "theirs")
    levels["aus-low"].desk.hold("theirs", "it must not leave")
    levels.publish("gbr", "theirs", "CANARY")
    assert levels.flow() == [("gbr", "aus-low")]
    levels["aus-low"].desk.lift("theirs", "it may")
    levels["aus-low"].partners.set_status("aus-high", PartnerStatus.SUSPENDED, "a reason")
    levels.publish("gbr", "theirs", "CANARY")
    assert levels.flow() == [("gbr", "aus-low")]
    assert levels.values("aus-high") == []


def test_it_goes_on_from_level_to_level_and_by_two_ways_is_heard_once(tmp_path: Path) -> None:
    levels = Levels(tmp_path)
    levels.apps["sea"] = Sea()
    for name, ceiling in (
        ("gbr", "SECRET"), ("aus-one", "SECRET"), ("aus-two", "SECRET"), ("aus-mid", "TOP SECRET"),
        ("aus-top", "TOP SECRET"),
    ):  # fmt: skip
        levels.add(name, ceiling=ceiling)
    for one, other in (("one", "two"), ("one", "mid"), ("two", "mid"), ("mid", "top")):
        levels.pair(f"aus-{one}", f"aus-{other}")
    for name in ("aus-one", "aus-two"):
        levels.agree(name, "gbr", "GBR", "UK")
    levels.listen()
    levels.track("gbr", "theirs")
    assert levels.held("aus-top", "theirs") == ["identity"]
    levels.publish("gbr", "theirs", "a ship")
    levels.flow()
    for name in ("aus-one", "aus-two", "aus-mid", "aus-top"):
        assert levels.values(name) == [("gbr", "theirs", "a ship")], name
    levels.close()


def test_nothing_live_waits_for_a_partner_that_is_fed_by_files(levels: Levels) -> None:
    levels.shut("aus-low")
    settings = levels.folder / "aus-low" / "aldis.toml"
    settings.write_text('feeds = ["aus-high"]\n' + settings.read_text())
    levels.open("aus-low")
    levels.track("gbr", "theirs")
    levels.publish("gbr", "theirs", "x")
    levels.publish("aus-low", "ours", "x", to())
    levels.flow()
    assert "aus-high" not in levels["aus-low"].live_out._queues
    assert levels.values("aus-high") == []


# down


def test_no_live_value_comes_down_whatever_was_ruled(levels: Levels) -> None:
    """Its own, of a record that a ruling brought down; another nation's that it has itself; and what came up."""
    levels.add("usa")
    levels.agree("aus-high", "usa", "USA", "US")
    levels.listen()
    shared = to("GBR", "USA")
    levels.track("aus-high", "trk-down", shared)
    levels["aus-high"].desk.offer("trk-down", "aus-low")
    [asked] = levels["aus-high"].desk.cases().cases
    levels["aus-high"].desk.rule(asked.number, "approved", "needed below", "officer")
    levels.settle()
    assert levels.held("aus-low", "trk-down") == ["identity"]
    levels.track("usa", "american", to("AUS", policy="US", classification="UNCLASSIFIED"))
    levels.track("gbr", "theirs")
    for node, name, label in (
        ("aus-high", "trk-down", shared),
        ("aus-high", "trk-high", shared),
        ("usa", "american", to("AUS", policy="US", classification="UNCLASSIFIED")),
        ("gbr", "theirs", OURS),
    ):
        levels.publish(node, name, f"CANARY {name}", label)
    assert ("aus-high", "usa") in levels.flow()
    assert {name for _, name, _ in levels.values("aus-high")} == {"american", "theirs"}
    assert {name for _, name, _ in levels.values("aus-low")} == {"theirs"}
    for _ in range(3):
        levels.clock.at += 1
        assert levels["aus-high"].live_out.frame("aus-low", 1) is None
    cases = levels["aus-high"].desk.cases().cases
    assert cases == []


# in another's name


def sealed(levels: Levels, sender: str, node: str, **passed: list[Update]) -> bytes:
    """A frame with a value of the sender's own and, by node, values in the name of others."""
    own = Update("own", "track", "identity", levels.clock.now(), "of its own")
    return seal_frame(
        {OURS: [own]}, origin=sender, audience=node, epoch=1, number=levels.clock.now(), created=levels.clock.now(),
        policy_epoch=bytes(32), signer=levels[sender].core.signer,
        passed={(name.replace("_", "-"), OURS): updates for name, updates in passed.items()},
    )  # fmt: skip


def forged(levels: Levels, at: int = 0) -> list[Update]:
    return [Update("trk-1", "track", "identity", at or levels.clock.now(), "FORGED")]


def test_no_other_party_speaks_in_anothers_name(levels: Levels) -> None:
    """Nothing of such a frame is believed, and a good one with the same number still is."""
    for name in ("usa", "aus_high", "aus_low", "gbr"):
        if name != "gbr":
            with pytest.raises(NotAuthentic, match="in the name of"):
                levels["aus-low"].answer("gbr", "live", sealed(levels, "gbr", "aus-low", **{name: forged(levels)}))
    assert levels.values("aus-low") == []
    levels["aus-low"].answer("gbr", "live", sealed(levels, "gbr", "aus-low"))
    assert levels.values("aus-low") == [("gbr", "own", "of its own")]


def test_a_node_below_speaks_for_those_alone_whose_key_it_vouches_for(levels: Levels) -> None:
    levels.add("usa")
    levels.agree("aus-high", "usa", "USA", "US")
    levels.listen()
    body = sealed(
        levels, "aus-low", "aus-high",
        usa=forged(levels), aus_high=forged(levels), nobody=forged(levels), gbr=forged(levels),
    )  # fmt: skip
    levels["aus-high"].answer("aus-low", "live", body)
    assert levels.values("aus-high") == [("aus-low", "own", "of its own"), ("gbr", "trk-1", "FORGED")]
    levels["aus-low"].partners.distrust("gbr", 100, "stolen")
    levels.settle()
    levels["aus-high"].answer("aus-low", "live", sealed(levels, "aus-low", "aus-high", gbr=forged(levels)))
    assert [source for source, _, _ in levels.values("aus-high")] == ["aus-low", "gbr", "aus-low"]


def test_what_is_passed_on_is_held_to_the_rules_of_what_is_said_directly(levels: Levels) -> None:
    wrong = [
        msgspec.structs.replace(forged(levels)[0], kind="drawing"),
        msgspec.structs.replace(forged(levels)[0], portion="voyage"),
        msgspec.structs.replace(forged(levels)[0], value={"not": "text"}),
        *forged(levels, at=levels.clock.now() + 31_000),
    ]
    for number, one in enumerate(wrong):
        levels.clock.at += 1
        named = [msgspec.structs.replace(one, id=f"trk-{number}")]
        levels["aus-high"].answer("aus-low", "live", sealed(levels, "aus-low", "aus-high", gbr=named))
    assert {name for _, name, _ in levels.values("aus-high")} == {"own"}
    assert levels["aus-high"].live_in.refused == len(wrong)


def test_an_older_value_that_comes_by_another_way_is_no_news(levels: Levels) -> None:
    now = levels.clock.now()
    for at in (now, now - 5, now, now + 5):
        levels.clock.at += 1
        levels["aus-high"].answer("aus-low", "live", sealed(levels, "aus-low", "aus-high", gbr=forged(levels, at=at)))
    assert [live.update.at for live in levels.told["aus-high"] if live.source == "gbr"] == [now, now + 5]


def test_a_live_frame_is_newer_than_the_day_its_key_was_stolen(levels: Levels) -> None:
    levels.track("gbr", "theirs")
    levels["aus-low"].partners.distrust("gbr", 1_000_000, "stolen")
    levels.publish("gbr", "theirs", "FORGED")
    with pytest.raises(NotAuthentic, match="distrusted"):
        levels.flow()
    assert levels.values("aus-low") == []
