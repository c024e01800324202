"""Files of what was set aside: here when it is admitted after all, gone when it is dropped, and no word of it below."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attached import content, files, give, held, leaves, noise
from click.testing import CliRunner
from nations import ARRANGEMENT, Coalition, to

from aldis.apps.workspace import app as workspace
from aldis.interfaces.cli.main import cli
from aldis.kernel.attachments import Attachment, attachments_in, is_chunk
from aldis.kernel.errors import UnknownTerm
from aldis.kernel.messages import ContentReceipt, read_unverified
from aldis.node.checks import run_checks

MIB = 1024 * 1024
MINUTE = 61_000


@pytest.fixture
def levels(tmp_path: Path) -> Iterator[Coalition]:
    made = Coalition(tmp_path / "nodes")
    made.add("aus-low", ceiling="SECRET")
    made.add("aus-high", ceiling="TOP SECRET")
    made.pair("aus-low", "aus-high")
    made.settle()
    yield made
    made.close()


def without(coalition: Coalition, node: str) -> None:
    """Take the app away that knows the kind, so that its records are set aside."""
    coalition.open(node, apps={})


def admit(coalition: Coalition, node: str) -> None:
    """Bring the app back, and admit what was set aside."""
    coalition.open(node, apps={"workspace": workspace})
    for entry in coalition[node].core.store.quarantine.all():
        coalition[node].inbound.retry(entry.id)


def chunks(coalition: Coalition) -> list[tuple[int, str, int]]:
    """Of each piece of a file that went up: its size, and what the receipt says."""
    found = list[tuple[int, str, int]]()
    for sent in coalition.wire:
        if sent.audience == "aus-high" and is_chunk(sent.body):
            receipt = read_unverified(sent.answer, ContentReceipt)
            found.append((len(sent.body), receipt.state, receipt.held))
    return found


def test_the_file_of_what_was_set_aside_is_there_when_it_is_admitted(levels: Coalition) -> None:
    data = noise(3 * MIB)
    without(levels, "aus-high")
    give(levels, data, "up", to(), "aus-low")
    levels.settle()
    high = levels["aus-high"]
    assert high.core.store.quarantine.count() == 1
    with pytest.raises(UnknownTerm):
        content(levels, "aus-high", "up")
    before = len(levels.wire)
    admit(levels, "aus-high")
    assert content(levels, "aus-high", "up") == data
    assert levels["aus-high"].core.store.quarantine.count() == 0
    levels.settle()
    assert not [sent for sent in levels.wire[before:] if is_chunk(sent.body)]
    assert levels["aus-high"].attachments.tidy() == 0
    assert content(levels, "aus-high", "up") == data


def test_the_low_node_cannot_tell_whether_it_was_set_aside(tmp_path: Path) -> None:
    """The same file goes up, piece by piece, with the same receipts."""
    seen = []
    for aside in (False, True):
        made = Coalition(tmp_path / str(aside))
        made.add("aus-low", ceiling="SECRET")
        made.add("aus-high", ceiling="TOP SECRET")
        made.pair("aus-low", "aus-high")
        made.settle()
        if aside:
            without(made, "aus-high")
        give(made, noise(3 * MIB), "up", to(), "aus-low")
        made.settle()
        assert made["aus-high"].core.store.quarantine.count() == aside
        seen.append(chunks(made))
        made.close()
    assert seen[0] == seen[1]
    assert len(seen[0]) > 1
    assert seen[0][-1][1] == "whole"


def test_what_is_dropped_takes_its_file_along(levels: Coalition) -> None:
    data = noise(MIB)
    without(levels, "aus-high")
    give(levels, data, "up", to(), "aus-low")
    levels.settle()
    high = levels["aus-high"]
    assert files(levels, "aus-high") == [hashlib.sha256(data).hexdigest()]
    assert high.attachments.tidy() == 0
    [entry] = high.core.store.quarantine.all()
    high.inbound.drop(entry.id, "not wanted")
    assert high.attachments.tidy() == 1
    assert files(levels, "aus-high") == []
    assert high.core.store.attachments.incoming() == []
    assert high.core.store.attachments.contents() == []


def typed(coalition: Coalition, node: str, *words: str) -> str:
    """What a command says, on stdout and stderr."""
    env = {"ALDIS_HOME": str(coalition.folder / node), "COLUMNS": "200"}
    result = CliRunner(env=env).invoke(cli, words)
    assert result.exit_code == 0, result.output
    return result.output


def test_who_admits_is_told_which_files_are_not_there_and_what_to_do(coalition: Coalition, levels: Coalition) -> None:
    without(coalition, "gbr")
    give(coalition, noise(MIB))
    coalition.settle("aus", "gbr")
    said = typed(coalition, "gbr", "quarantine", "retry", "1")
    assert "plan.bin is not here yet: aus sends" in said
    without(levels, "aus-high")
    give(levels, noise(MIB), "up", to(), "aus-low")
    for _ in range(6):  # the record goes up, and its file does not
        levels.step("aus-low", "aus-high")
        if levels["aus-high"].core.store.quarantine.count():
            break
    said = typed(levels, "aus-high", "quarantine", "retry", "1")
    assert "plan.bin is not here yet" in said
    assert "the operator of aus-low to run `aldis attachments retry up --to aus-high`" in said
    levels.settle()
    assert "1 attachment to be sent again" in typed(levels, "aus-low", "attachments", "retry", "up", "--to", "aus-high")
    assert "not here yet" not in said.replace("plan.bin is not here yet", "")


def test_a_file_that_is_not_what_it_is_said_to_be_stays_refused(levels: Coalition) -> None:
    """A script under the name of a picture, known below as what it is, and above only to the operator."""
    without(levels, "aus-high")
    give(levels, b"#!/bin/sh\nrm -rf /\n" * 10, "up", to(), "aus-low", name="run.sh")
    levels.settle()
    store = levels["aus-high"].core.store.attachments
    [coming] = store.incoming()
    with levels["aus-high"].core.store.transaction():
        store.set_incoming(
            type(coming)(coming.source, coming.digest, coming.size, 0, "refused", 3, "another type", coming.at)
        )
    assert {state for _, state, _ in chunks(levels)} == {"whole"}
    [words] = levels["aus-high"].attachments.stuck()
    assert "was refused" in words


def test_a_partners_file_is_not_taken_before_its_record_is_and_then_comes_by_itself(coalition: Coalition) -> None:
    data = noise(MIB)
    without(coalition, "gbr")
    give(coalition, data)
    coalition.settle("aus", "gbr")
    assert files(coalition, "gbr") == []
    assert coalition["gbr"].core.store.attachments.incoming() == []
    admit(coalition, "gbr")
    assert [one.state for one in held(coalition, "gbr")] == ["waits"]
    coalition.clock.at += MINUTE
    coalition.settle("aus", "gbr")
    assert content(coalition, "gbr") == data


@pytest.mark.parametrize("below", [True, False])
def test_one_way_it_is_there_or_waits_in_the_folder(tmp_path: Path, below: bool, strangers: Coalition) -> None:
    """From the low node it is taken in with its bundle; from another party it lies in the folder until it may be."""
    if below:
        strangers.add("aus-high", ceiling="TOP SECRET")
        strangers.pair("aus", "aus-high")
        one, other, label = "aus", "aus-high", to()
    else:
        strangers.pair("aus", "gbr")
        strangers.settle()
        strangers.arrange(
            ARRANGEMENT.replace(', "USA"]', "]").replace('onward = ["USA"]', "").replace(', US = "SECRET"', "")
        )
        one, other, label = "aus", "gbr", to("GBR")
    data, spool = noise(MIB), tmp_path / "spool"
    without(strangers, other)
    strangers.put(one, "first", {"title": ("x", label)})
    give(strangers, data, "up", label, one, header=label)
    list(strangers[one].feeds.out(other, spool))
    taken = list(strangers[other].feeds.take(spool))
    assert any(arrival.outcome == "unread" for arrival in taken) != below
    left = [path.name for path in spool.iterdir()]
    assert [name.rpartition(".")[2] for name in left] == ([] if below else ["content"])
    admit(strangers, other)
    list(strangers[other].feeds.take(spool))
    assert content(strangers, other, "up") == data
    assert not list(spool.iterdir())


def test_what_was_told_whole_before_can_be_offered_again_by_hand(levels: Coalition) -> None:
    """A content that the high node has lost: `doctor` names the record, and the low node's operator sends it again."""
    data = noise(MIB)
    give(levels, data, "up", to(), "aus-low")
    levels.settle()
    high, low = levels["aus-high"], levels["aus-low"]
    [coming] = high.core.store.attachments.incoming()
    with high.core.store.meta._db.writing() as changing:
        changing.execute("UPDATE incoming SET state = 'wanted', held = 0")
        changing.execute("DELETE FROM content")
    high.attachments.folder.remove(coming.digest)
    assert [one.state for one in held(levels, "aus-high", "up")] == ["waits"]
    levels.clock.at += 2 * 60 * 60 * 1000
    causes = [check.cause for check in run_checks(high) if check.name == "attachments"]
    assert [cause for cause in causes if "for up waits at 0 of" in cause]
    levels.settle()
    assert [one.state for one in held(levels, "aus-high", "up")] == ["waits"]
    rows = [row.seq for row in low.core.store.records.versions("up")]
    assert low.core.store.attachments.retry(rows) == 0
    assert low.core.store.attachments.retry(rows, "gbr") == 0
    assert low.core.store.attachments.retry(rows, "aus-high") == 1
    levels.settle()
    assert content(levels, "aus-high", "up") == data
    assert len(leaves(levels, "aus-low", "release")) > 0


def named(name: str = "a.bin", **changes: Any) -> dict[str, Any]:
    return {"digest": "ab" * 32, "size": 3, "media_type": "text/plain", "name": name} | changes


def test_attachments_are_found_in_a_value_of_any_shape_and_nothing_else_is() -> None:
    one, two = named("one"), named("two")
    deep: Any = two
    for _ in range(50_000):
        deep = [deep]
    found = attachments_in({"files": [one], "deep": deep, "text": "ab" * 32, "no": named(size=-1), "more": named(x=1)})
    assert {attachment.name for attachment in found} == {"one", "two"}
    assert all(isinstance(attachment, Attachment) for attachment in found)
    assert len(attachments_in([named(f"n{number}") for number in range(1000)])) == 100
    others: tuple[Any, ...] = (None, 1, "text", [], {}, named(digest="x"), named(size=2**40), named(media_type="x"))
    for value in others:
        assert attachments_in(value) == []
