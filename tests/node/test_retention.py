"""What is kept no longer is deleted or erased, each with its leaf; a hold stops it."""

from __future__ import annotations

import asyncio

import pytest
from nations import Coalition, to

from aldis.kernel.errors import InvalidInput
from aldis.kernel.ledger import decode_leaf
from aldis.node.service import Service

DAY = 86_400_000
CANARY = "xylophonecanary"
BOTH = to("GBR", "USA")


def rule(coalition: Coalition, node: str, **fields: object) -> None:
    path = coalition.folder / node / "aldis.toml"
    lines = "".join(f"{name} = {value!r}\n".replace("'", '"') for name, value in fields.items())
    path.write_text(f"{path.read_text()}\n[[retention]]\n{lines}")
    coalition.open(node)


def due(coalition: Coalition, node: str) -> list[tuple[str, int, str]]:
    return [(one.row.id, one.row.version, one.kept) for one in coalition[node].retention.due()]


def on_disk(coalition: Coalition, node: str) -> bytes:
    return b"".join(path.read_bytes() for path in (coalition.folder / node).glob("store.db*"))


def test_own_records_are_deleted_and_partners_hear_of_it(coalition: Coalition) -> None:
    coalition.put("aus", "old", {"body": (CANARY, BOTH)})
    coalition.settle()
    coalition.clock.at += 20 * DAY
    coalition.put("aus", "new", {"body": ("new", BOTH)})
    rule(coalition, "aus", kind="document", project="NORTHERN-WATCH", days=10, action="delete")
    assert due(coalition, "aus") == [("old", 1, "")]
    done = coalition["aus"].retention.run("operator")
    assert [one.row.id for one in done] == ["old"]
    assert due(coalition, "aus") == []
    coalition.settle()
    row = coalition["gbr"].core.store.records.get("old")
    assert row is not None and row.record().header.deleted
    [leaf] = coalition["aus"].core.store.ledger.leaves(0, 10_000, type_="erasure")
    assert "document of NORTHERN-WATCH: delete after 10 days" in decode_leaf(leaf.data).reasons[0]


def test_the_content_of_received_records_is_erased_from_the_file(coalition: Coalition) -> None:
    coalition.put("aus", "old", {"body": (CANARY, BOTH)})
    coalition.put("gbr", "own", {"body": (f"own {CANARY[:8]}", to("AUS", policy="UK"))})
    coalition.settle()
    rule(coalition, "gbr", classification="OFFICIAL", days=10, action="erase")
    coalition.clock.at += 11 * DAY
    assert due(coalition, "gbr") == [("old", 1, "")]
    assert len(list(coalition["gbr"].retention.due())) == 1
    coalition["gbr"].retention.run("operator")
    assert coalition.held("gbr", "old") == []
    assert coalition.held("gbr", "own") == ["body"]
    assert CANARY.encode() not in on_disk(coalition, "gbr")
    assert coalition["gbr"].records.search(CANARY).hits == []
    assert coalition["gbr"].core.store.check() == []
    assert due(coalition, "gbr") == []
    coalition["aus"].exchange.new_epoch("restored")
    coalition.settle()
    assert coalition.held("gbr", "old") == []


def test_a_hold_stops_it_and_policy_is_never_touched(coalition: Coalition) -> None:
    coalition.put("aus", "old", {"body": (CANARY, BOTH)})
    coalition.settle()
    coalition["gbr"].desk.hold("old", "an inquiry")
    rule(coalition, "gbr", days=1, action="erase")
    rule(coalition, "aus", days=1, action="delete")
    coalition.clock.at += 400 * DAY
    assert due(coalition, "gbr") == [("old", 1, "on hold: an inquiry")]
    assert coalition["gbr"].retention.run("operator") == []
    assert coalition.held("gbr", "old") == ["body"]
    assert due(coalition, "aus") == [("old", 1, "")]  # and no instrument, signature or notice
    coalition["gbr"].desk.lift("old", "the inquiry is over")
    assert [one.row.id for one in coalition["gbr"].retention.run("operator")] == ["old"]


def test_a_running_node_sees_to_it_by_itself(coalition: Coalition) -> None:
    coalition.put("aus", "old", {"body": (CANARY, BOTH)})
    coalition.settle()
    rule(coalition, "gbr", days=1, action="erase")
    coalition.clock.at += 2 * DAY
    node = coalition["gbr"]
    assert node.retention.wanted

    async def run() -> None:
        service = Service(node, tidy_s=0.05)
        task = asyncio.create_task(service._retain())
        for _ in range(200):
            await asyncio.sleep(0.02)
            if not node.retention.wanted:
                break
        task.cancel()

    asyncio.run(run())
    assert coalition.held("gbr", "old") == []
    assert not node.retention.wanted


@pytest.mark.parametrize("fields", [{"days": 0, "action": "erase"}, {"days": 5, "action": "burn"}, {"days": 5}])
def test_a_rule_that_cannot_be_is_refused(coalition: Coalition, fields: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        rule(coalition, "gbr", **fields)
