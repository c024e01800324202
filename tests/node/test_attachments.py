"""The content of an attachment goes where its portion goes, whole or not at all, and goes on where it was cut off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from attached import ALL, ONLY_GBR, bring, content, files, give, held, leaves, noise, some
from nations import Coalition, to
from personnel import hire, said, signed_in

from aldis.kernel.attachments import is_chunk, open_chunk
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import AldisError, InvalidInput, Unavailable, UnknownTerm
from aldis.kernel.instruments import Effect
from aldis.kernel.labels import Label, Releasability

MIB = 2**20


def test_a_content_is_whole_over_there_and_each_side_says_so_once_in_its_ledger(coalition: Coalition) -> None:
    data = noise(5 * MIB + 17)
    digest = hashlib.sha256(data).hexdigest()
    give(coalition, data)
    coalition.settle()
    for node in ("gbr", "usa"):
        assert [(one.whole, one.held) for one in held(coalition, node)] == [(True, len(data))]
        assert content(coalition, node) == data
        assert leaves(coalition, node, "admission").count(("attachment", digest)) == 1
        assert files(coalition, node) == [digest]
        path = coalition[node].attachments.folder.whole(bytes.fromhex(digest))
        assert path.stat().st_mode & 0o077 == 0
    assert leaves(coalition, "aus", "release").count(("done", digest)) == 2
    before = len(coalition.wire)
    coalition.settle()
    assert not any(is_chunk(sent.body) for sent in coalition.wire[before:])


def test_any_part_of_a_content_can_be_read(coalition: Coalition) -> None:
    data = noise(9 * MIB)
    give(coalition, data)
    with coalition["aus"].records.read_attachment("doc", "files", hashlib.sha256(data).hexdigest()) as reader:
        assert reader.read(MIB - 1, 7) == data[MIB - 1 : MIB + 6]
        assert b"".join(reader.pieces(3, 5 * MIB)) == data[3 : 3 + 5 * MIB]
        assert max(len(piece) for piece in reader.pieces()) <= 4 * MIB
        assert reader.read(len(data), 10) == b""


def test_an_empty_file_and_a_file_of_one_piece_travel_too(coalition: Coalition) -> None:
    give(coalition, b"", "empty", name="empty.bin")
    give(coalition, b"small", "small")
    coalition.settle()
    assert content(coalition, "gbr", "empty", "empty.bin") == b""
    assert content(coalition, "usa", "small") == b"small"


def test_until_it_is_whole_nobody_reads_it_and_the_record_says_how_far_it_is(coalition: Coalition) -> None:
    data = noise(9 * MIB)
    give(coalition, data)
    some(coalition, "aus", "gbr", certain=True)
    [one] = held(coalition, "gbr")
    assert not one.whole and 0 < one.held < len(data)
    assert coalition.held("gbr", "doc") == ["files", "title"]
    with pytest.raises(Unavailable, match=f"not whole yet: {one.held:,} of {len(data):,} bytes so far"):
        content(coalition, "gbr")


@pytest.mark.parametrize("killed", ["gbr", "aus"])
def test_after_either_side_is_killed_it_goes_on_from_what_the_receiver_has_on_disk(
    coalition: Coalition, killed: str
) -> None:
    data = noise(16 * MIB)
    give(coalition, data)
    before = some(coalition, "aus", "gbr", certain=True)
    if killed == "gbr":
        [partial] = coalition["gbr"].attachments.folder.partials()
        path = coalition["gbr"].attachments.folder.partial(partial)
        coalition.shut("gbr")
        with path.open("r+b") as file:  # what was not synced may be anything after a power cut
            file.seek(before)
            file.write(b"garbage that was never synced")
    coalition.open(killed)
    wire = len(coalition.wire)
    coalition.settle()
    chunks = [open_chunk(sent.body) for sent in coalition.wire[wire:] if is_chunk(sent.body) and sent.audience == "gbr"]
    assert min(chunk.offset for chunk in chunks if len(chunk.data)) >= before > 0
    assert content(coalition, "gbr") == data
    assert leaves(coalition, "gbr", "quarantine") == []


def test_records_go_before_the_rest_of_a_content(coalition: Coalition) -> None:
    give(coalition, noise(6 * MIB))
    some(coalition, "aus", "gbr")
    coalition.put("aus", "urgent", {"title": ("now", ALL)})
    assert coalition.step("aus", "gbr")
    assert coalition.held("gbr", "urgent") == ["title"]
    assert not held(coalition, "gbr")[0].whole


def test_the_pieces_shrink_where_the_way_is_slow(coalition: Coalition) -> None:
    give(coalition, noise(9 * MIB))
    sizes = []
    for step in range(40):
        call = coalition["aus"].exchange.next_call("gbr")
        if call is None:
            break
        coalition.clock.at += 5_000 if step < 12 else 10
        if call.piece is not None:
            sizes.append(call.piece.size)
        coalition["aus"].exchange.answered("gbr", call, coalition["gbr"].answer("aus", call.operation, call.body))
    assert min(filter(None, sizes)) == 64 * 1024
    assert max(sizes[-3:]) >= 2 * MIB


# who learns of it


def test_whoever_is_not_given_the_portion_learns_nothing_of_its_attachments(coalition: Coalition) -> None:
    """USA may have the record, not the portion: neither name, size, digest, type nor number reaches it."""
    data = noise(3 * MIB)
    give(coalition, data, label=ONLY_GBR, name="canary-report.bin")
    coalition.put("aus", "plain", {"title": ("plain", ALL), "files": ([], ONLY_GBR)})
    coalition.settle()
    assert content(coalition, "gbr", name="canary-report.bin") == data
    assert coalition.held("usa", "doc") == coalition.held("usa", "plain") == ["title"]
    wire = coalition.seen_by("usa")
    digest = hashlib.sha256(data)
    for secret in (b"canary-report", digest.digest(), digest.hexdigest().encode(), str(len(data)).encode(), data[:32]):
        assert secret not in wire
    assert not any(is_chunk(sent.body) for sent in coalition.wire if sent.audience == "usa")
    assert held(coalition, "usa") == [] and files(coalition, "usa") == []
    rows = [coalition["usa"].core.store.records.get(name) for name in ("doc", "plain")]
    assert len({len(row.record().header.portions) for row in rows if row}) == 1


def test_a_person_reads_it_through_a_portion_that_they_may_see_and_else_it_is_not_there(coalition: Coalition) -> None:
    aus = coalition["aus"]
    secret = Label("AUS", "SECRET", Releasability.to("GBR"))
    value = [bring(coalition, b"a canary", "canary.txt")]
    coalition.put("aus", "doc", {"title": ("doc", to("GBR")), "files": (value, secret)})
    hire(aus, "low", clearance={"AUS": "OFFICIAL"})
    hire(aus, "high")
    low, high = signed_in(aus, "low", AUS="OFFICIAL"), signed_in(aus, "high", AUS="SECRET")
    assert content(coalition, "aus", name="canary.txt", viewer=high) == b"a canary"
    found = []
    for name in ("canary.txt", value[0]["digest"], "nothing.txt", "0" * 64):
        with pytest.raises(UnknownTerm) as refused:
            content(coalition, "aus", name=name, viewer=low)
        found.append(said(refused.value, name))
    assert len(set(found)) == 1
    assert coalition["aus"].attachments.of(aus.records.get("doc", viewer=low)) == []


def test_to_know_a_digest_is_not_to_have_the_content(coalition: Coalition) -> None:
    """GBR describes what only AUS has from USA: GBR learns nothing, and nobody reads it by GBR's portion."""
    aus = coalition["aus"]
    data = noise(MIB, 7)
    us = to("AUS", policy="US", classification="SECRET")
    coalition.put("usa", "theirs", {"title": ("t", us), "files": ([bring(coalition, data, node="usa")], us)})
    coalition.settle()
    assert content(coalition, "aus", "theirs") == data
    digest = hashlib.sha256(data)
    guess = {"digest": digest.hexdigest(), "size": len(data), "media_type": "text/plain", "name": "a.txt"}
    gbr = coalition["gbr"]
    uk = to("AUS", policy="UK", classification="OFFICIAL")
    with pytest.raises(UnknownTerm, match="is not here"):
        coalition.put("gbr", "guess", {"title": ("g", uk), "files": ([guess], uk)})
    gbr.core.store.attachments.add_content(digest.digest(), len(data), 1)  # a node that lies to itself
    path = gbr.attachments.folder.whole(digest.digest())
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x00" * len(data))
    coalition.put("gbr", "guess", {"title": ("g", uk), "files": ([guess], uk)})
    coalition.settle()
    assert [(one.whole, one.state) for one in held(coalition, "aus", "guess")] == [(False, "refused")]
    assert content(coalition, "aus", "theirs") == data
    hire(aus, "other")
    seen = [aus.core.store.records.get("guess")]
    one = aus.attachments.of(seen[0])[0].attachment if seen[0] else None
    assert one is not None and not aus.attachments.may_name(one, "other", [row for row in seen if row])
    assert aus.attachments.may_name(one, "other", [aus.records.get("theirs")])


# what stops it


def test_a_hold_stops_it_and_lifting_lets_it_go_on(coalition: Coalition) -> None:
    data = noise(6 * MIB)
    give(coalition, data)
    some(coalition, "aus", "gbr")
    coalition["aus"].desk.hold("doc", "an inquiry")
    wire = len(coalition.wire)
    coalition.settle("aus", "gbr")
    assert not any(is_chunk(sent.body) for sent in coalition.wire[wire:])
    assert not held(coalition, "gbr")[0].whole
    coalition["aus"].desk.lift("doc", "done")
    coalition.settle("aus", "gbr")
    assert content(coalition, "gbr") == data


def test_a_suspended_partner_gets_no_more_of_it(coalition: Coalition) -> None:
    data = noise(6 * MIB)
    give(coalition, data)
    some(coalition, "aus", "gbr")
    coalition["aus"].partners.set_status("gbr", PartnerStatus.SUSPENDED, "inquiry")
    assert coalition["aus"].exchange.next_call("gbr") is None
    coalition["aus"].partners.set_status("gbr", PartnerStatus.ACTIVE, "closed")
    coalition.settle("aus", "gbr")
    assert content(coalition, "gbr") == data


def test_a_version_that_was_superseded_gets_no_more_and_the_new_one_brings_its_own(coalition: Coalition) -> None:
    old, new = noise(6 * MIB), noise(2 * MIB, 2)
    first = give(coalition, old)
    some(coalition, "aus", "gbr")
    value = [bring(coalition, new, "new.bin")]
    coalition.clock.at += 2_000
    coalition.put(
        "aus", "doc", {"title": ("doc", ALL), "files": (value, ALL)}, version=2, previous=first.digest
    )  # fmt: skip
    coalition.settle("aus", "gbr")
    assert content(coalition, "gbr", name="new.bin") == new
    assert [one.whole for one in coalition["gbr"].attachments.of(coalition["gbr"].records.get("doc", 1))] == [False]
    coalition["gbr"].attachments.tidy()


# other ways


def test_a_node_that_passes_a_record_on_passes_its_content_on_once_it_has_it(coalition: Coalition) -> None:
    data = noise(3 * MIB)
    give(coalition, data)
    some(coalition, "aus", "gbr")
    coalition.settle("gbr", "usa")
    assert [one.whole for one in held(coalition, "usa")] == [False]
    coalition.settle("aus", "gbr")
    coalition.settle("gbr", "usa")
    assert content(coalition, "usa") == data
    assert {one.source for one in coalition["usa"].core.store.attachments.incoming()} == {"gbr"}


@pytest.fixture
def levels(tmp_path: Path) -> Iterator[Coalition]:
    made = Coalition(tmp_path)
    made.add("aus-low", ceiling="SECRET")
    made.add("aus-high", ceiling="TOP SECRET")
    made.pair("aus-low", "aus-high")
    made.settle()
    yield made
    made.close()


def test_it_goes_up_by_itself_and_down_by_a_decision_and_tells_the_low_node_nothing(levels: Coalition) -> None:
    up, down = noise(2 * MIB), noise(2 * MIB, 2)
    give(levels, up, "up", to(), "aus-low")
    give(levels, down, "down", to(), "aus-high")
    levels.settle()
    assert content(levels, "aus-high", "up") == up
    assert held(levels, "aus-low", "down") == [] and files(levels, "aus-low") == [hashlib.sha256(up).hexdigest()]
    levels["aus-high"].desk.offer("down", "aus-low")
    [asked] = levels["aus-high"].desk.cases().cases
    levels["aus-high"].desk.rule(asked.number, "approved", "needed below", "officer")
    levels.settle()
    assert content(levels, "aus-low", "down") == down


def test_the_low_node_is_told_that_all_is_well_whatever_became_of_it(levels: Coalition) -> None:
    give(levels, b"fine", "ok", to(), "aus-low")
    levels.settle()
    chunk = [sent for sent in levels.wire if is_chunk(sent.body)][-1]
    unknown = chunk.body.replace(hashlib.sha256(b"fine").digest(), bytes(32))
    answers = [levels["aus-high"].answer("aus-low", "deliver", body) for body in (chunk.body, unknown)]
    assert [b'"state":"whole"' in answer for answer in answers] == [True, True]


def test_by_file_it_lies_beside_the_bundle_and_is_asked_for_until_its_receipt_came(
    coalition: Coalition, tmp_path: Path
) -> None:
    data = noise(5 * MIB)
    give(coalition, data)
    aus, gbr = coalition["aus"], coalition["gbr"]
    paths = list(aus.files.export("gbr", tmp_path))
    bundle, beside = paths
    assert beside.suffix == ".content"
    with pytest.raises(UnknownTerm, match="Import the bundle"):
        gbr.files.take(beside)
    gbr.files.take(bundle)
    short = tmp_path / "short.content"
    short.write_bytes(beside.read_bytes()[:-1])
    with pytest.raises(InvalidInput, match="ends after"):
        gbr.files.take(short)
    text, receipt = gbr.files.take(beside)
    assert "is whole" in text and content(coalition, "gbr") == data
    assert list(aus.files.export("gbr", tmp_path / "again")) != []
    aus.files.take(bundle.with_suffix(".receipt"))
    assert receipt is not None
    aus.files.take(receipt)
    assert list(aus.files.export("gbr", tmp_path / "third")) == []
    with pytest.raises(AldisError, match="is for"):
        coalition["usa"].files.take(beside)


def test_a_feed_carries_it_and_again_where_it_was_lost(tmp_path: Path) -> None:
    made = Coalition(tmp_path)
    try:
        made.add("aus-low", ceiling="SECRET", feeds=["aus-high"])
        made.add("aus-high", ceiling="TOP SECRET", feeds=["aus-low"])
        made.pair("aus-low", "aus-high")
        data = noise(2 * MIB)
        give(made, data, "doc", to(), "aus-low")
        out = list(made["aus-low"].feeds.out("aus-high", tmp_path / "out"))
        assert [path.suffix for path in out].count(".content") == 1
        assert list(made["aus-low"].feeds.out("aus-high", tmp_path / "out")) == []
        lost = next(path for path in out if path.suffix == ".content")
        lost.unlink()
        assert {one.outcome for one in made["aus-high"].feeds.take(tmp_path / "out")} == {"admitted"}
        assert not held(made, "aus-high")[0].whole
        last = made["aus-low"].core.store.exchange.last("aus-high")
        again = list(made["aus-low"].feeds.again("aus-high", 1, last, tmp_path / "out"))
        assert lost in again
        list(made["aus-high"].feeds.take(tmp_path / "out"))
        assert content(made, "aus-high") == data
        assert list((tmp_path / "out").iterdir()) == []
    finally:
        made.close()


def test_an_arrangement_that_ends_stops_it(coalition: Coalition) -> None:
    give(coalition, noise(6 * MIB))
    some(coalition, "aus", "gbr")
    coalition["aus"].register.end("pa-northern-watch", Effect.TERMINATE, coalition.clock.now(), "officer")
    coalition.clock.at += 2
    wire = len(coalition.wire)
    coalition.settle("aus", "gbr")
    assert not any(is_chunk(sent.body) for sent in coalition.wire[wire:])
