"""A partner that sends what nobody asked for, too much of it, the wrong thing, or never the end of it."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from attached import ALL, bring, content, files, give, held, leaves, noise
from nations import Coalition, to

from aldis.kernel.attachments import CHUNK_LIMIT, write_chunk
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, RefusedByPolicy, TooLarge, VerificationFailed
from aldis.kernel.messages import ContentReceipt, open_message, read_unverified, sign_message
from aldis.node.attachments import Piece
from aldis.node.attachments.incoming import PARTIALS, TRIES

MIB = 2**20


def described(coalition: Coalition, data: bytes, record: str = "doc", **changes: Any) -> bytes:
    """GBR admits a record of AUS that describes this content, changed so; no content goes. Its digest."""
    aus = coalition["aus"]
    value = bring(coalition, data) | changes
    aus.attachments.check_put = lambda _records: []  # type: ignore[method-assign, assignment]
    coalition.put("aus", record, {"title": (record, ALL), "files": ([value], ALL)})
    while coalition.held("gbr", record) is None:
        assert coalition.step("aus", "gbr")
    return bytes.fromhex(value["digest"])


def send(coalition: Coalition, digest: bytes, offset: int, data: bytes, sender: str = "aus") -> ContentReceipt:
    answer = coalition["gbr"].answer(sender, "deliver", write_chunk(digest, offset, data))
    return open_message(answer, ContentReceipt, coalition["gbr"].core.signer.public)


def alarms(coalition: Coalition) -> list[str]:
    return [verdict for verdict, _ in leaves(coalition, "gbr", "quarantine")]


def test_a_content_that_no_portion_of_the_sender_describes_is_not_taken(coalition: Coalition) -> None:
    digest = described(coalition, noise(MIB))
    before = len(leaves(coalition, "gbr", "admission"))
    for sender, wanted in (("aus", bytes(32)), ("usa", digest)):  # AUS described it, USA did not
        answer = send(coalition, wanted, 0, b"x" * 100, sender)
        assert (answer.state, answer.held) == ("later", 0)
    assert files(coalition, "gbr") == []
    assert alarms(coalition) == [] and len(leaves(coalition, "gbr", "admission")) == before


def test_one_byte_too_many_is_discarded_with_all_before_it(coalition: Coalition) -> None:
    data = noise(MIB)
    digest = described(coalition, data)
    assert send(coalition, digest, 0, data[:-5]).held == MIB - 5
    assert send(coalition, digest, MIB - 5, b"123456").held == 0
    assert files(coalition, "gbr") == []
    assert alarms(coalition) == ["too-large"]
    assert send(coalition, digest, 0, data).state == "whole"


def test_a_piece_at_another_place_is_not_taken_and_the_answer_says_where_to_go_on(coalition: Coalition) -> None:
    data = noise(MIB)
    digest = described(coalition, data)
    assert send(coalition, digest, 500, data[500:]).held == 0
    assert send(coalition, digest, 0, data[:700]).held == 700
    for offset in (0, 699, 701, 2**53 - 1):
        assert (send(coalition, digest, offset, data[:50]).held, alarms(coalition)) == (700, [])
    assert send(coalition, digest, 700, data[700:]).state == "whole"


def test_a_wrong_content_is_discarded_each_time_and_refused_in_the_end(coalition: Coalition) -> None:
    data = noise(MIB)
    digest = described(coalition, data)
    for attempt in range(1, TRIES + 1):
        answer = send(coalition, digest, 0, noise(MIB, 2))
        assert (answer.state, answer.held) == ("refused" if attempt == TRIES else "partial", 0)
        assert files(coalition, "gbr") == []
    assert answer.reason.startswith("its SHA-256 is")
    for _ in range(3):
        assert send(coalition, digest, 0, data).state == "refused"
    assert alarms(coalition) == ["verification-failed"] * TRIES
    with pytest.raises(RefusedByPolicy, match="SHA-256"):
        content(coalition, "gbr")
    row = coalition["gbr"].core.store.records.get("doc")
    assert row is not None and coalition["gbr"].core.store.attachments.retry([row.seq]) == 1
    assert send(coalition, digest, 0, data).state == "whole"


@pytest.mark.parametrize(
    ("data", "media_type", "said"),
    [
        (b"\x7fELF" + bytes(100), "application/pdf", "a program"),
        (b"MZ" + bytes(100), "application/octet-stream", "a program"),
        (b"#!/bin/sh\nrm -rf /", "text/plain", "a script"),
        (b"\xef\xbb\xbf \n<!-- x --><HTML><body>", "text/plain", "an HTML page"),
        ("<script>alert(1)</script>".encode("utf-16"), "text/csv", "an HTML page"),
        (b"<?xml version='1.0'?><svg onload='x'/>", "image/png", "an SVG drawing"),
        (b"not a picture", "image/png", "does not begin like one"),
        (b"PK\x03\x04", "application/pdf", "does not begin like one"),
    ],
)
def test_what_runs_under_another_name_is_refused_at_both_ends(
    coalition: Coalition, data: bytes, media_type: str, said: str
) -> None:
    gbr = coalition["gbr"].attachments
    upload = gbr.uploads.begin("file", media_type)
    gbr.uploads.append(upload.id, 0, data)
    with pytest.raises(VerificationFailed, match=said):
        gbr.uploads.finish(upload.id)
    gbr.uploads.drop(upload.id)
    guise: dict[str, Any] = {"media_type": media_type, "size": len(data), "name": "file"}
    guise["digest"] = hashlib.sha256(data).hexdigest()
    digest = described(coalition, b"something else", **guise)
    answer = send(coalition, digest, 0, data)
    assert answer.state == "refused" and said in answer.reason
    assert send(coalition, digest, 0, data).state == "refused"
    assert files(coalition, "gbr") == [] and alarms(coalition) == ["verification-failed"]


def test_one_content_under_two_types_is_read_only_as_what_it_is(coalition: Coalition) -> None:
    page = b"<html>hello</html>"
    value = bring(coalition, page, "page.html")
    coalition.put("aus", "page", {"title": ("page", ALL), "files": ([value], ALL)})
    coalition.settle("aus", "gbr")
    assert content(coalition, "gbr", "page", "page.html") == page
    described(coalition, b"x", "guise", media_type="text/plain", name="a.txt", digest=value["digest"], size=len(page))
    assert held(coalition, "gbr", "guise")[0].whole
    with pytest.raises(VerificationFailed, match="an HTML page"):
        content(coalition, "gbr", "guise", "a.txt")


def test_one_that_never_ends_or_begins_too_many_blocks_itself_alone(coalition: Coalition) -> None:
    digests = [described(coalition, noise(1000, n), f"doc-{n}") for n in range(PARTIALS + 1)]
    states = [send(coalition, digest, 0, b"x").state for digest in digests]
    assert states == ["partial"] * PARTIALS + ["later"]
    us = to("GBR", policy="US", classification="SECRET")
    give(coalition, b"from USA", "theirs", us, "usa")
    coalition.settle("usa", "gbr")
    assert content(coalition, "gbr", "theirs") == b"from USA"


def test_no_more_is_begun_than_there_is_room_for(coalition: Coalition) -> None:
    core = coalition["gbr"].core
    small = msgspec.structs.replace(core.config, partial_mib=1)
    object.__setattr__(core, "config", small)
    one, two = described(coalition, noise(MIB - 10), "one"), described(coalition, noise(20, 2), "two")
    assert send(coalition, one, 0, b"x").state == "partial"
    assert send(coalition, two, 0, b"x").state == "later"


@pytest.mark.parametrize(
    "body",
    [
        write_chunk(bytes(31), 0, b""),
        write_chunk(bytes(32), 0, bytes(CHUNK_LIMIT + 1)),
        write_chunk(bytes(32), 0, b"abc")[:-1],
        write_chunk(bytes(32), 0, b"")[:20],
    ],
)
def test_a_malformed_piece_is_refused_before_anything_else(coalition: Coalition, body: bytes) -> None:
    with pytest.raises(InvalidInput):
        coalition["gbr"].answer("aus", "deliver", body)
    with pytest.raises(NotAuthentic):
        coalition["aus"].partners.set_status("gbr", PartnerStatus.SUSPENDED, "inquiry")
        coalition["aus"].answer("gbr", "deliver", write_chunk(bytes(32), 0, b""))


def test_a_receiver_that_answers_for_another_content_or_with_too_much_is_not_believed(coalition: Coalition) -> None:
    give(coalition, noise(3 * MIB))
    while True:
        call = coalition["aus"].exchange.next_call("gbr")
        assert call is not None
        answer = coalition["gbr"].answer("aus", call.operation, call.body)
        if call.piece is not None:
            break
        coalition["aus"].exchange.answered("gbr", call, answer)
    honest = read_unverified(answer, ContentReceipt)
    signer = coalition["gbr"].core.signer
    for change in ({"held": 3 * MIB + 1}, {"digest": "0" * 64}, {"origin": "usa"}, {"audience": "usa"}):
        lie = sign_message(msgspec.structs.replace(honest, **change), signer)
        with pytest.raises(NotAuthentic):
            coalition["aus"].exchange.answered("gbr", call, lie)
    with pytest.raises(AldisError):
        coalition["aus"].exchange.answered("gbr", call, sign_message(honest, coalition["usa"].core.signer))
    coalition["aus"].exchange.failed("gbr", NotAuthentic("lies"))
    coalition.settle("aus", "gbr")
    assert len(content(coalition, "gbr")) == 3 * MIB


def test_a_partner_cannot_describe_what_is_no_attachment(coalition: Coalition) -> None:
    good = bring(coalition, b"x")
    names = ["../../etc/passwd", "a\\b", ".profile", "-rf", "a\x1b[2J", "", "x" * 256, " a", "a\u202etxt.exe"]
    bad: list[dict[str, Any]] = [{"name": name} for name in names]
    bad += [{"size": -1}, {"size": 2**30 + 1}, {"digest": "0" * 63}, {"media_type": "text"}, {"extra": 1}]
    bad += [{"media_type": "text/html; charset=x"}, {"media_type": "Text/Html"}]
    for change in bad:
        with pytest.raises(AldisError):
            coalition.put("aus", "bad", {"title": ("t", ALL), "files": ([good | change], ALL)})
    with pytest.raises(InvalidInput, match="same name"):
        coalition.put("aus", "bad", {"title": ("t", ALL), "files": ([good, good], ALL)})
    with pytest.raises(TooLarge, match="100"):
        many = [good | {"name": f"{n}"} for n in range(101)]
        coalition.put("aus", "bad", {"title": ("t", ALL), "files": (many, ALL)})


def test_pieces_that_answer_nothing_known_are_harmless(coalition: Coalition) -> None:
    give(coalition, noise(100))
    coalition.settle("aus", "gbr")
    [row] = [one for one in coalition["aus"].core.store.attachments.outgoing() if one.partner == "gbr"]
    receipt = ContentReceipt("gbr", "aus", 1, row.digest.hex(), 0, "partial")
    coalition["aus"].attachments.outgoing.answered("gbr", Piece(row, 0, 0, 1), receipt)
    coalition.settle("aus", "gbr")
    assert held(coalition, "gbr")[0].whole
