"""Live values: the newest only, within a budget, to whom each may go, and never past what records are checked by."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from nations import ARRANGEMENT, NATIONS, PROJECT, Coalition, to

from aldis.app import Context, Live
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import AldisError, NotAuthentic, Stale
from aldis.kernel.frames import FRAME_LIMIT, Update, open_frame, seal_frame
from aldis.kernel.labels import Label
from aldis.kernel.records import Kind, Record

BOTH = to("GBR", "USA")
ONLY_GBR = to("GBR")
COARSE = '{ portion = "position", action = "coarsen", grid_m = 1000 }'
HERE = {"lat_deg": 59.912345, "lon_deg": 24.412345}


class Sea:
    """An app with one kind of record, and nothing to do."""

    name = "sea"
    kinds = (Kind("track", {"position": dict[str, float], "identity": str}),)

    def commands(self) -> Sequence[Any]:
        return ()

    def on_admitted(self, record: Record, ctx: Context) -> None:
        pass


@pytest.fixture
def sea(coalition: Coalition) -> Coalition:
    """The coalition with tracks."""
    coalition.apps["sea"] = Sea()
    for name in NATIONS:
        coalition.open(name)
    return coalition


def publish(
    sea: Coalition, portion: str, value: Any, label: Label = BOTH, *, name: str = "trk-1", header: Label = BOTH,
    project: str = PROJECT,
) -> None:  # fmt: skip
    update = Update(name, "track", portion, sea.clock.now(), value)
    sea["aus"].context.publish(header, label, project, update)


def frame(sea: Coalition, node: str = "gbr") -> bytes | None:
    return sea["aus"].live_out.frame(node, 1)


def values(sea: Coalition, data: bytes | None) -> list[tuple[str, str, Any]]:
    """Id, portion and value of each update in a frame to GBR or USA; none where there is no frame."""
    if data is None:
        return []
    manifest = msgspec.json.decode(msgspec.msgpack.decode(data)[1])
    found = open_frame(
        data, sea["aus"].core.signer.public,
        origin="aus", audience=manifest["audience"], after=(0, 0), at=sea.clock.now(),
    )  # fmt: skip
    return [(update.id, update.portion, update.value) for _, updates in found.groups for update in updates]


def heard(sea: Coalition, node: str = "gbr") -> list[Live]:
    """What a node's subscribers will hear, as a list that fills."""
    told: list[Live] = []
    sea[node].live_in._told = told.extend
    return told


# out


def test_only_the_newest_value_of_each_portion_waits(sea: Coalition) -> None:
    for n in range(5):
        publish(sea, "position", {"lat_deg": n})
        publish(sea, "identity", f"ship {n}")
        publish(sea, "position", {"lat_deg": -n}, name="trk-2")
    found = values(sea, frame(sea))
    assert sorted(found) == [
        ("trk-1", "identity", "ship 4"),
        ("trk-1", "position", {"lat_deg": 4}),
        ("trk-2", "position", {"lat_deg": -4}),
    ]
    assert frame(sea) is None


def test_every_frame_keeps_the_budget_and_nothing_waits_for_ever(sea: Coalition) -> None:
    settings = sea.folder / "aus" / "aldis.toml"
    settings.write_text(settings.read_text() + "live_bytes = 8192\n")
    sea.open("aus")
    sent: list[str] = []
    for n in range(500):
        publish(sea, "identity", "x" * (n % 90), name=f"trk-{n}")
    for _ in range(20):
        publish(sea, "identity", "newer", name="trk-499")
        data = frame(sea)
        assert data is None or len(data) <= 8192
        sent += [name for name, _, _ in values(sea, data)]
    assert set(sent) == {f"trk-{n}" for n in range(500)}
    assert sent[:400] == [f"trk-{n}" for n in range(400)]


@pytest.mark.parametrize("algorithm", ["ecdsa-p384-sha384", "ed25519+ml-dsa-65"])
def test_a_longer_signature_counts_in_the_budget(strangers: Coalition, algorithm: str) -> None:
    name = "usa-" + "x" * 28
    strangers.add(name, algorithm=algorithm, live_bytes=8192)
    strangers.apps["sea"] = Sea()
    for node in ("aus", name):
        strangers.open(node)
    strangers.pair("aus", name)
    strangers.settle("aus", name)
    text = ARRANGEMENT.replace('"GBR", ', "")
    strangers.nodes.pop("gbr").close()
    strangers.arrange(text)
    label = to("AUS", policy="US", classification="UNCLASSIFIED")
    for n in range(200):
        update = Update(f"trk-{n}", "track", "identity", strangers.clock.now(), "x" * 60)
        strangers[name].context.publish(label, label, PROJECT, update)
    data = strangers[name].live_out.frame("aus", 1)
    assert data is not None
    assert 7000 < len(data) <= 8192
    assert strangers["aus"].live_in.take(name, strangers["aus"].inbound.peers(), data) > 0


def test_a_value_that_no_frame_would_hold_is_dropped_and_stops_nobody(sea: Coalition) -> None:
    publish(sea, "identity", "x" * FRAME_LIMIT, name="trk-big")
    publish(sea, "identity", "a ship")
    found = values(sea, frame(sea)) + values(sea, frame(sea))
    assert found == [("trk-1", "identity", "a ship")]


def test_what_a_partner_may_not_have_is_not_in_its_frame(sea: Coalition) -> None:
    publish(sea, "position", HERE)
    publish(sea, "identity", "CANARY", ONLY_GBR)
    publish(sea, "identity", "CANARY", BOTH, name="trk-hushed", header=ONLY_GBR)
    publish(sea, "identity", "CANARY", BOTH, name="trk-other", project="ANOTHER")
    ours, theirs = frame(sea), frame(sea, "usa")
    assert ours is not None
    assert theirs is not None
    assert ours.count(b"CANARY") == 2
    assert values(sea, theirs) == [("trk-1", "position", HERE)]
    for trace in (b"CANARY", b"identity", b"trk-hushed", b"trk-other", b"ANOTHER"):
        assert trace not in theirs


def test_the_size_of_a_frame_tells_nothing_of_what_was_left_out(sea: Coalition) -> None:
    sizes = set()
    for hidden in ("x", "x" * 5000):
        publish(sea, "position", HERE)
        publish(sea, "identity", hidden, ONLY_GBR)
        frame(sea)
        data = frame(sea, "usa")
        assert data is not None
        sizes.add(len(data))
    assert len(sizes) == 1


def amended(sea: Coalition, transforms: str) -> None:
    text = ARRANGEMENT.replace('onward = ["USA"]', f"transforms = [{transforms}]")
    sea["aus"].register.amend(text, "officer")
    sea.settle()
    for node in NATIONS:
        sea[node].register.sign("pa-northern-watch", "officer")
    sea.settle()


def test_a_transform_is_made_before_the_value_leaves(sea: Coalition) -> None:
    amended(sea, f'{COARSE}, {{ portion = "identity", action = "pseudonymise" }}')
    publish(sea, "position", HERE)
    publish(sea, "identity", "CANARY")
    data = frame(sea)
    assert data is not None
    found = {portion: value for _, portion, value in values(sea, data)}
    assert found["position"]["grid_m"] == 1000
    assert 0.00001 < abs(found["position"]["lat_deg"] - HERE["lat_deg"]) < 0.01
    for trace in (b"CANARY", msgspec.msgpack.encode(HERE["lat_deg"])):
        assert trace not in data


def test_a_shape_that_a_transform_does_not_know_is_withheld(sea: Coalition) -> None:
    amended(sea, COARSE)
    publish(sea, "position", {"x": 1.0})
    assert frame(sea) is None


def test_what_must_be_delayed_is_not_live(sea: Coalition) -> None:
    amended(sea, '{ portion = "position", action = "delay", seconds = 3600 }')
    publish(sea, "position", HERE)
    publish(sea, "identity", "a ship")
    assert values(sea, frame(sea)) == [("trk-1", "identity", "a ship")]
    sea.clock.at += 3_600_001
    assert frame(sea) is None


def test_a_record_on_hold_has_no_live_values(sea: Coalition) -> None:
    sea.put("aus", "trk-1", {"identity": ("a ship", BOTH)}, kind="track")
    sea["aus"].desk.hold("trk-1", "it must not leave")
    publish(sea, "position", HERE)
    publish(sea, "position", HERE, name="trk-2")
    assert [name for name, _, _ in values(sea, frame(sea))] == ["trk-2"]


def test_nothing_waits_for_or_goes_to_a_suspended_partner(sea: Coalition) -> None:
    publish(sea, "identity", "before")
    sea["aus"].partners.set_status("gbr", PartnerStatus.SUSPENDED, "a reason")
    publish(sea, "identity", "during", name="trk-2")
    assert frame(sea) is None
    sea["aus"].partners.set_status("gbr", PartnerStatus.ACTIVE, "it is settled")
    publish(sea, "identity", "after", name="trk-3")
    assert [name for name, _, _ in values(sea, frame(sea))] == ["trk-3"]


# in


def test_a_frame_is_heard_once_and_in_order(sea: Coalition) -> None:
    told = heard(sea)
    publish(sea, "identity", "first")
    first = frame(sea)
    publish(sea, "identity", "second")
    second = frame(sea)
    assert first is not None
    assert second is not None
    assert sea["gbr"].answer("aus", "live", second) == b""
    for late in (first, second):
        with pytest.raises(Stale, match="came again or late"):
            sea["gbr"].answer("aus", "live", late)
    assert [(live.source, live.label, live.update.value) for live in told] == [("aus", BOTH, "second")]


def test_numbers_go_on_after_a_restart(sea: Coalition) -> None:
    told = heard(sea)
    for value in ("first", "second"):
        publish(sea, "identity", value)
        data = frame(sea)
        assert data is not None
        sea["gbr"].answer("aus", "live", data)
        sea.clock.at += 100
        sea.open("aus")
    assert [live.update.value for live in told] == ["first", "second"]


def test_a_frame_by_another_for_another_or_from_a_suspended_partner_is_refused(sea: Coalition) -> None:
    publish(sea, "identity", "a ship")
    data = frame(sea)
    assert data is not None
    for node, sender in (("usa", "aus"), ("gbr", "usa"), ("gbr", "nobody")):
        with pytest.raises(AldisError):
            sea[node].answer(sender, "live", data)
    sea["gbr"].partners.set_status("aus", PartnerStatus.SUSPENDED, "a reason")
    with pytest.raises(NotAuthentic, match="suspended"):
        sea["gbr"].answer("aus", "live", data)


def by_hand(sea: Coalition, groups: dict[Label, list[Update]]) -> bytes:
    """A frame of AUS's that its own rules would not have made."""
    return seal_frame(
        groups, origin="aus", audience="gbr", epoch=1, number=sea.clock.now(), created=sea.clock.now(),
        policy_epoch=bytes(32), signer=sea["aus"].core.signer,
    )  # fmt: skip


def test_a_value_that_may_not_be_held_here_is_dropped_alone_and_counted(sea: Coalition) -> None:
    told = heard(sea)
    now = sea.clock.now()
    good = Update("trk-1", "track", "identity", now, "a ship")
    data = by_hand(
        sea,
        {
            BOTH: [
                good,
                Update("trk-2", "drawing", "identity", now, "x"),
                Update("trk-3", "track", "voyage", now, "x"),
                Update("trk-4", "track", "identity", now, {"not": "text"}),
                Update("trk-5", "track", "position", now, {"lat_deg": "text"}),
            ],
            to("USA"): [msgspec.structs.replace(good, id="trk-6")],
            to("GBR", classification="TOP SECRET"): [msgspec.structs.replace(good, id="trk-7")],
            to("GBR", policy="XXX"): [msgspec.structs.replace(good, id="trk-8")],
        },
    )
    sea["gbr"].answer("aus", "live", data)
    assert [live.update for live in told] == [good]
    assert sea["gbr"].live_in.refused == 7


def test_a_subscriber_hears_its_kind_from_here_and_from_partners(sea: Coalition) -> None:
    async def hear() -> list[tuple[str, Any]]:
        stream = sea["gbr"].context.subscribe("track")
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        publish(sea, "identity", "from aus")
        data = frame(sea)
        assert data is not None
        sea["gbr"].answer("aus", "live", data)
        other = Update("d-1", "document", "title", sea.clock.now(), "not a track")
        own = Update("trk-9", "track", "identity", sea.clock.now(), "from here")
        for update in (other, own):
            sea["gbr"].context.publish(BOTH, BOTH, PROJECT, update)
        found = [await waiting, await anext(stream)]
        return [(live.source, live.update.value) for live in found]

    assert asyncio.run(hear()) == [("aus", "from aus"), ("", "from here")]


def test_labels_that_are_equal_go_in_one_group_whoever_made_them(sea: Coalition) -> None:
    for number in range(3):
        publish(sea, "position", HERE, to("GBR", "USA"), name=f"trk-{number}", header=to("GBR", "USA"))
    publish(sea, "position", HERE, ONLY_GBR, name="trk-9")
    for node, groups in (("gbr", 2), ("usa", 1)):
        data = frame(sea, node)
        assert data is not None
        assert len(msgspec.msgpack.decode(msgspec.msgpack.decode(data)[3])) == groups
        assert len(values(sea, data)) == 2 + groups


def test_each_partner_gets_its_own_of_a_value_that_goes_to_several(sea: Coalition) -> None:
    amended(sea, '{ portion = "identity", action = "pseudonymise" }')
    publish(sea, "position", HERE)
    publish(sea, "identity", "CANARY")
    gbr, usa = ({portion: value for _, portion, value in values(sea, frame(sea, node))} for node in ("gbr", "usa"))
    assert gbr["position"] == usa["position"] == HERE
    assert len({gbr["identity"], usa["identity"], "CANARY"}) == 3


def test_whoever_waits_for_values_is_woken_and_only_then(sea: Coalition) -> None:
    async def act() -> None:
        out = sea["aus"].live_out
        waiting = asyncio.create_task(out.waits("gbr"))
        await asyncio.sleep(0)
        assert not waiting.done()
        publish(sea, "position", HERE)
        await asyncio.wait_for(waiting, 5)
        await out.waits("gbr")
        assert frame(sea) is not None
        again = asyncio.create_task(out.waits("gbr"))
        await asyncio.sleep(0.01)
        assert not again.done()
        again.cancel()

    asyncio.run(act())
