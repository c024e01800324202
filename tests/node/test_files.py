"""The exchange by file: the same bundles and the same verification, whatever happens to the stick on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from nations import Coalition, to

from aldis.kernel.bundles import BUNDLE_LIMIT
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import (
    AldisError,
    Forked,
    InvalidInput,
    NotAuthentic,
    RefusedByPolicy,
    Stale,
    TooLarge,
    Unavailable,
    UnknownTerm,
    VerificationFailed,
)
from aldis.kernel.messages import Cursor, Receipt, sign_message

BOTH = to("GBR", "USA")


def put(coalition: Coalition, *names: str) -> None:
    for name in names:
        coalition.put("aus", name, {"title": ("a plan", BOTH), "annex": ("CANARY", to("GBR"))})


def export(coalition: Coalition, node: str = "gbr") -> list[Path]:
    """The files that AUS writes for a partner."""
    return list(coalition["aus"].files.export(node, coalition.folder / f"stick-{node}"))


def carried(coalition: Coalition, *names: str) -> list[Path]:
    """A file for each of these documents, none acknowledged."""
    for name in names:
        put(coalition, name)
        last = export(coalition)
    return last


def test_what_was_exported_is_admitted_and_its_receipt_ends_the_matter(coalition: Coalition) -> None:
    put(coalition, "doc-1", "doc-2")
    [file] = export(coalition)
    assert file.suffix == ".bundle"
    said, receipt = coalition["gbr"].files.take(file)
    assert "of aus admitted" in said
    assert receipt is not None
    assert coalition.held("gbr", "doc-1") == coalition.held("gbr", "doc-2") == ["annex", "title"]
    assert export(coalition) == [file]
    said, none = coalition["aus"].files.take(receipt)
    assert "gbr holds what was sent to it up to item" in said
    assert none is None
    assert export(coalition) == []


def test_a_file_for_one_partner_holds_nothing_withheld_from_it(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    [ours], [theirs] = export(coalition), export(coalition, "usa")
    assert b"CANARY" in ours.read_bytes()
    assert b"CANARY" not in theirs.read_bytes()
    assert b"annex" not in theirs.read_bytes()


def test_files_and_the_network_are_one_stream(coalition: Coalition) -> None:
    [first] = carried(coalition, "doc-1")
    coalition["gbr"].files.take(first)
    put(coalition, "doc-2")
    coalition.settle()
    assert coalition.held("gbr", "doc-2") == ["annex", "title"]
    assert len(coalition["gbr"].core.store.records.versions("doc-1")) == 1
    with pytest.raises(Stale, match="here already"):
        coalition["gbr"].files.take(first)


def test_a_file_cut_short_or_altered_is_refused_whole_and_a_good_copy_still_taken(coalition: Coalition) -> None:
    put(coalition, "doc-1", "doc-2")
    [file] = export(coalition)
    data = file.read_bytes()
    wrong = file.with_name("wrong.bundle")
    for broken in (
        *(data[: len(data) * n // 9] for n in range(9)),
        data + b"\x00",
        data.replace(b"a plan", b"a ruse"),
        data.replace(b"CANARY", b"canary", 1),
        data.replace(b"doc-1", b"doc-9"),
    ):
        wrong.write_bytes(broken)
        with pytest.raises(AldisError):
            coalition["gbr"].files.take(wrong)
    assert not coalition["gbr"].core.store.quarantine.all()
    assert coalition.held("gbr", "doc-1") is None
    coalition["gbr"].files.take(file)
    assert coalition.held("gbr", "doc-1") == coalition.held("gbr", "doc-2") == ["annex", "title"]


def test_files_are_imported_in_order(coalition: Coalition) -> None:
    first, second, third = carried(coalition, "doc-1", "doc-2", "doc-3")
    for early in (third, second):
        with pytest.raises(Stale, match="are missing before this bundle"):
            coalition["gbr"].files.take(early)
    for file in (first, second, third):
        coalition["gbr"].files.take(file)
    for file in (third, second, first):
        with pytest.raises(Stale, match="here already"):
            coalition["gbr"].files.take(file)
    assert [coalition.held("gbr", f"doc-{n}") for n in (1, 2, 3)] == [["annex", "title"]] * 3


def test_a_file_for_another_node_is_refused_there(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    [file] = export(coalition)
    with pytest.raises(NotAuthentic, match="addressed to 'gbr', this is 'usa'"):
        coalition["usa"].files.take(file)
    anew = file.with_name("anew.bundle")
    anew.write_bytes(file.read_bytes().replace(b'"audience":"gbr"', b'"audience":"usa"'))
    with pytest.raises(NotAuthentic, match="does not verify"):
        coalition["usa"].files.take(anew)
    assert coalition.held("usa", "doc-1") is None


def test_a_file_of_a_stranger_or_a_suspended_partner_is_refused(coalition: Coalition, strangers: Coalition) -> None:
    put(coalition, "doc-1")
    [file] = export(coalition)
    with pytest.raises(NotAuthentic, match="not paired with"):
        strangers["gbr"].files.take(file)
    coalition["gbr"].partners.set_status("aus", PartnerStatus.SUSPENDED, "a reason")
    with pytest.raises(NotAuthentic, match="suspended"):
        coalition["gbr"].files.take(file)
    coalition["aus"].partners.set_status("gbr", PartnerStatus.SUSPENDED, "a reason")
    with pytest.raises(InvalidInput, match="nothing goes to it"):
        export(coalition)


def test_what_was_set_aside_is_said(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    [file] = export(coalition)
    said, receipt = coalition.open("gbr", apps={}).files.take(file)
    assert "1 of them set aside (`aldis quarantine list`)" in said
    assert receipt is not None
    coalition["aus"].files.take(receipt)
    assert export(coalition) == []


# receipts


def test_a_receipt_is_the_partners_own_word_about_this_nodes_stream(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    [file] = export(coalition)
    _, receipt = coalition["gbr"].files.take(file)
    assert receipt is not None
    data = receipt.read_bytes()
    wrong = receipt.with_name("wrong.receipt")
    for at in range(0, len(data), 9):
        wrong.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(AldisError):
            coalition["aus"].files.take(wrong)
    sealed = coalition["aus"].core.store.exchange.sealed("gbr")[0]
    now, cursor = coalition.clock.now(), Cursor(1, sealed.last, sealed.digest.hex())
    for origin, audience, signer, error in (
        ("gbr", "usa", "gbr", NotAuthentic),
        ("gbr", "aus", "usa", NotAuthentic),
        ("nzl", "aus", "gbr", UnknownTerm),
    ):
        wrong.write_bytes(sign_message(Receipt(origin, audience, now, cursor), coalition[signer].core.signer))
        with pytest.raises(error):
            coalition["aus"].files.take(wrong)
    with pytest.raises(VerificationFailed):
        coalition["usa"].files.take(receipt)
    assert export(coalition) == [file]


def test_an_older_receipt_that_comes_later_is_old_and_no_alarm(coalition: Coalition) -> None:
    receipts = [coalition["gbr"].files.take(file)[1] for file in carried(coalition, "doc-1", "doc-2")]
    old, new = (receipt for receipt in receipts if receipt is not None)
    coalition["aus"].files.take(new)
    with pytest.raises(Stale, match="There is nothing to do"):
        coalition["aus"].files.take(old)
    coalition["aus"].files.take(new)
    coalition.settle()


def test_a_receipt_for_what_was_never_sent_is_an_alarm(coalition: Coalition) -> None:
    wrong = coalition.folder / "wrong.receipt"
    forged = Receipt("gbr", "aus", coalition.clock.now(), Cursor(1, 99, "ab" * 32))
    wrong.write_bytes(sign_message(forged, coalition["gbr"].core.signer))
    with pytest.raises(Forked, match="this store never sealed"):
        coalition["aus"].files.take(wrong)


# what left and may no longer go


def test_what_left_in_a_file_is_not_quietly_taken_back(coalition: Coalition) -> None:
    put(coalition, "doc-1", "doc-2")
    [file] = export(coalition)
    coalition["aus"].desk.hold("doc-1", "it must not leave")
    with pytest.raises(RefusedByPolicy, match="left in a file, and may no longer go"):
        export(coalition)
    _, receipt = coalition["gbr"].files.take(file)
    assert receipt is not None
    coalition["aus"].files.take(receipt)
    put(coalition, "doc-3")
    coalition["gbr"].files.take(export(coalition)[0])
    assert coalition.held("gbr", "doc-3") == ["annex", "title"]


def test_what_left_has_left_though_a_later_export_stopped_before_it(coalition: Coalition) -> None:
    first, second = carried(coalition, "doc-1", "doc-2")
    assert next(coalition["aus"].files.export("gbr", first.parent)) == first
    coalition["aus"].desk.hold("doc-2", "it must not leave")
    with pytest.raises(RefusedByPolicy, match="left in a file, and may no longer go"):
        export(coalition)
    for file in (first, second):
        coalition["gbr"].files.take(file)
    assert coalition.held("gbr", "doc-2") == ["annex", "title"]


def test_a_lost_file_that_may_no_longer_go_is_left_behind_by_a_new_epoch(coalition: Coalition) -> None:
    put(coalition, "doc-1", "doc-2")
    [lost] = export(coalition)
    coalition["aus"].desk.hold("doc-1", "it must not leave")
    coalition["aus"].exchange.new_epoch("the stick was lost")
    for file in export(coalition):
        coalition["gbr"].files.take(file)
    assert coalition.held("gbr", "doc-1") is None
    assert coalition.held("gbr", "doc-2") == ["annex", "title"]
    with pytest.raises(Stale, match="abandoned"):
        coalition["gbr"].files.take(lost)


# what is no file of ours


@pytest.mark.parametrize("content", [b"", b"hello", b"\x94", b"\x92\xc0\xc0", bytes(range(256))])
def test_what_is_neither_bundle_nor_receipt_is_refused(coalition: Coalition, content: bytes) -> None:
    file = coalition.folder / "junk"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match="not a bundle"):
        coalition["gbr"].files.take(file)


def test_a_missing_file_a_folder_and_a_huge_file_are_refused_by_name(coalition: Coalition) -> None:
    for path in (coalition.folder / "nothing", coalition.folder):
        with pytest.raises(InvalidInput, match="cannot be read"):
            coalition["gbr"].files.take(path)
    huge = coalition.folder / "huge"
    with huge.open("wb") as file:
        file.truncate(BUNDLE_LIMIT + 1)
    with pytest.raises(TooLarge, match="It is not a bundle"):
        coalition["gbr"].files.take(huge)


def test_a_folder_that_cannot_be_written_to_is_named_and_nothing_counts_as_sent(coalition: Coalition) -> None:
    put(coalition, "doc-1")
    (coalition.folder / "stick-gbr").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot be written"):
        export(coalition)
    (coalition.folder / "stick-gbr").unlink()
    assert len(export(coalition)) == 1
