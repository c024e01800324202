"""What was revised or deleted before it left never leaves; what left is followed by its revision or deletion."""

from __future__ import annotations

from pathlib import Path

import pytest
from nations import PROJECT, Coalition, to

from aldis.kernel.errors import Unavailable
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.store import Row

BOTH = to("GBR", "USA")


def revise(coalition: Coalition, name: str, text: str) -> None:
    node = coalition["aus"]
    draft = Draft(
        kind="document", id=name, originator="aus", author="officer", project=PROJECT, created=node.core.clock.now(),
        label=BOTH, portions=[DraftPortion("title", BOTH, text)],
    )  # fmt: skip
    node.records.revise(name, draft)


def delete(coalition: Coalition, name: str) -> None:
    coalition["aus"].records.delete(name, "officer")


def put(coalition: Coalition, name: str) -> None:
    coalition.put("aus", name, {"title": ("CANARY", BOTH)})


def versions(coalition: Coalition, name: str) -> list[Row]:
    return coalition["gbr"].core.store.records.versions(name)


def lose_the_next_bundle(coalition: Coalition) -> None:
    """A bundle is sealed and goes out, and nobody knows whether it arrived."""
    while (made := coalition["aus"].exchange.next_call("gbr")) is not None and made.operation == "greet":
        coalition.step("aus", "gbr")
    assert made is not None
    coalition["aus"].exchange.failed("gbr", Unavailable("the line went dead"))


@pytest.mark.parametrize("sealed", [False, True])
def test_a_version_revised_before_it_left_never_leaves(coalition: Coalition, sealed: bool) -> None:
    put(coalition, "doc-1")
    if sealed:
        lose_the_next_bundle(coalition)
    revise(coalition, "doc-1", "a better plan")
    coalition.settle()
    assert [(row.version, row.record().portions[0].value) for row in versions(coalition, "doc-1")] == [
        (2, "a better plan")
    ]
    assert b"CANARY" not in coalition.seen_by("gbr")


@pytest.mark.parametrize("sealed", [False, True])
def test_what_was_deleted_before_it_left_is_never_heard_of(coalition: Coalition, sealed: bool) -> None:
    put(coalition, "doc-1")
    if sealed:
        lose_the_next_bundle(coalition)
    delete(coalition, "doc-1")
    put(coalition, "doc-2")
    coalition.settle()
    assert [len(versions(coalition, name)) for name in ("doc-1", "doc-2")] == [0, 1]
    assert b"doc-1" not in coalition.seen_by("gbr")


def test_a_deletion_follows_what_arrived_though_its_receipt_was_lost(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    put(coalition, "doc-2")
    while (made := coalition["aus"].exchange.next_call("gbr")) is not None and made.operation == "greet":
        coalition.step("aus", "gbr")
    assert made is not None
    delete(coalition, "doc-1")
    assert coalition["aus"].exchange.next_bundle("gbr") != made.sealed
    coalition["gbr"].answer("aus", made.operation, made.body)  # it was only late
    coalition["aus"].exchange.failed("gbr", Unavailable("its receipt was lost"))
    coalition.settle()
    assert [row.record().header.deleted for row in versions(coalition, "doc-1")] == [False, True]
    assert len(versions(coalition, "doc-2")) == 1


def test_a_partner_paired_later_gets_what_stands(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    put(coalition, "doc-2")
    coalition.settle("aus", "gbr")
    revise(coalition, "doc-1", "a better plan")
    delete(coalition, "doc-2")
    coalition.settle()
    assert [row.version for row in versions(coalition, "doc-1")] == [1, 2]
    assert [row.record().header.deleted for row in versions(coalition, "doc-2")] == [False, True]
    late = coalition["usa"].core.store.records
    assert [row.version for row in late.versions("doc-1")] == [2]
    assert late.versions("doc-2") == []
    assert b"CANARY" not in coalition.seen_by("usa")


def test_after_a_new_epoch_only_what_stands_goes_again(coalition: Coalition) -> None:
    coalition.back_up("gbr")
    put(coalition, "doc-1")
    put(coalition, "doc-2")
    coalition.settle()
    revise(coalition, "doc-1", "a better plan")
    delete(coalition, "doc-2")
    coalition.settle()
    coalition.restore("gbr")
    coalition["aus"].exchange.new_epoch("gbr restored its backup")
    coalition["gbr"].exchange.new_epoch("restored from the backup")
    coalition["aus"].partners.accept_ledger("gbr", "compared after the restore")
    coalition.settle()
    assert [row.version for row in versions(coalition, "doc-1")] == [2]
    assert [row.record().header.deleted for row in versions(coalition, "doc-2")] == [True]


def test_what_left_in_a_file_is_followed_not_withdrawn(coalition: Coalition, tmp_path: Path) -> None:
    put(coalition, "doc-1")
    first = list(coalition["aus"].files.export("gbr", tmp_path))
    delete(coalition, "doc-1")
    both = list(coalition["aus"].files.export("gbr", tmp_path))
    assert both[: len(first)] == first
    for file in both:
        coalition["gbr"].files.take(file)
    assert [row.record().header.deleted for row in versions(coalition, "doc-1")] == [False, True]


def test_a_file_holds_nothing_that_was_sealed_ahead_and_deleted_since(coalition: Coalition, tmp_path: Path) -> None:
    put(coalition, "doc-1")
    [first] = coalition["aus"].files.export("gbr", tmp_path)
    put(coalition, "doc-2")
    node = coalition["aus"]
    assert node.exchange.next_bundle("gbr", 0) is not None
    span = node.core.store.exchange.sealed("gbr")[-1].last
    assert node.exchange.next_bundle("gbr", span) is not None  # sealed, and not exported
    delete(coalition, "doc-2")
    files = list(node.files.export("gbr", tmp_path))
    assert files == [first]
    assert b"doc-2" not in first.read_bytes()
