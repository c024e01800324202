"""A piece of a content leaves before the one before it is answered, and only where nothing speaks against it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from attached import ALL, content, give, leaves, noise
from nations import Coalition

from aldis.kernel.attachments import open_chunk
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.messages import ContentReceipt, read_unverified, sign_message
from aldis.node.exchange import Call

MIB = 2**20


def answer(coalition: Coalition, call: Call) -> bytes:
    return coalition["gbr"].answer("aus", call.operation, call.body)


def two(coalition: Coalition) -> tuple[Call, Call]:
    """Two pieces for GBR, the second made before the first was answered."""
    exchange = coalition["aus"].exchange
    for _ in range(20):
        coalition.clock.at += 1
        first = exchange.next_call("gbr")
        assert first is not None
        exchange.ahead("gbr", first)
        second = exchange.following("gbr", first)
        if second is not None:
            return first, second
        exchange.answered("gbr", first, answer(coalition, first))
    raise AssertionError("no piece follows another")


def test_pieces_on_their_way_together_join_and_none_goes_twice(coalition: Coalition) -> None:
    data = noise(12 * MIB)
    give(coalition, data)
    exchange = coalition["aus"].exchange
    before, call = two(coalition)
    chunks = []
    following: Call | None = call
    while following is not None:
        chunks.append(open_chunk(before.body))
        exchange.answered("gbr", before, answer(coalition, before))
        exchange.ahead("gbr", following)
        before, following = following, exchange.following("gbr", following)
    chunks.append(open_chunk(before.body))
    exchange.answered("gbr", before, answer(coalition, before))
    assert len(chunks) >= 3
    assert b"".join(bytes(chunk.data) for chunk in chunks) == data[chunks[0].offset :]
    assert content(coalition, "gbr") == data


def test_where_the_receiver_lost_what_came_it_goes_on_from_what_it_has(coalition: Coalition) -> None:
    data = noise(12 * MIB)
    give(coalition, data)
    exchange = coalition["aus"].exchange
    first, second = two(coalition)
    said = answer(coalition, first)
    coalition.open("gbr")
    lost = answer(coalition, second)
    assert second.piece is not None
    assert read_unverified(lost, ContentReceipt).held < second.piece.offset
    exchange.answered("gbr", first, said)
    exchange.ahead("gbr", second)
    third = exchange.following("gbr", second)
    exchange.answered("gbr", second, lost)
    if third is not None:
        assert exchange.following("gbr", third) is None
        exchange.answered("gbr", third, answer(coalition, third))
    coalition.settle("aus", "gbr")
    assert content(coalition, "gbr") == data
    assert leaves(coalition, "gbr", "quarantine") == []


def hold(coalition: Coalition) -> None:
    coalition["aus"].desk.hold("doc", "an inquiry")


def suspend(coalition: Coalition) -> None:
    coalition["aus"].partners.set_status("gbr", PartnerStatus.SUSPENDED, "inquiry")


def supersede(coalition: Coalition) -> None:
    coalition["aus"].records.delete("doc", "officer")
    coalition.clock.at += 1_000


def write(coalition: Coalition) -> None:
    coalition.put("aus", "urgent", {"title": ("now", ALL)})
    coalition.clock.at += 250


@pytest.mark.parametrize("happens", [hold, suspend, supersede, write])
def test_nothing_follows_once_it_may_not_go_or_a_record_waits(
    coalition: Coalition, happens: Callable[[Coalition], None]
) -> None:
    give(coalition, noise(12 * MIB))
    first, second = two(coalition)
    exchange = coalition["aus"].exchange
    exchange.answered("gbr", first, answer(coalition, first))
    happens(coalition)
    exchange.ahead("gbr", second)
    assert exchange.following("gbr", second) is None
    exchange.answered("gbr", second, answer(coalition, second))
    if happens is write:
        assert coalition.step("aus", "gbr")
        assert coalition.held("gbr", "urgent") == ["title"]


def test_a_content_is_done_once_though_two_answers_say_so(coalition: Coalition) -> None:
    give(coalition, noise(12 * MIB))
    calls = two(coalition)
    for call in calls:
        honest = read_unverified(answer(coalition, call), ContentReceipt)
        whole = msgspec.structs.replace(honest, state="whole", held=12 * MIB)
        coalition["aus"].exchange.answered("gbr", call, sign_message(whole, coalition["gbr"].core.signer))
    assert [verdict for verdict, _ in leaves(coalition, "aus", "release")].count("done") == 1
