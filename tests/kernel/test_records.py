"""Records: the bytes signed are the bytes kept, and what is withheld cannot be told from what is not there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealing import AT, BOTH, KINDS, ONLY_GBR, damaged, document, rel_to, salts

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import AldisError, InvalidInput, TooLarge, UnknownTerm, VerificationFailed
from aldis.kernel.records import (
    Draft,
    DraftPortion,
    Record,
    make_portion,
    make_record,
    next_version,
    read_header,
    read_portion,
    read_record,
    tombstone,
)

names = st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)
leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    leaves | st.text(max_size=40).filter(lambda text: text.isprintable()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=8,
)
portion_lists = st.dictionaries(names, values, max_size=7).map(
    lambda named: [DraftPortion(name, BOTH, value) for name, value in named.items()]
)


def made(portions: list[DraftPortion], **fields: Any) -> Record:
    return make_record(draft(portions, **fields), salts(3))


def draft(portions: list[DraftPortion], **fields: Any) -> Draft:
    given: dict[str, Any] = {"kind": "document", "id": "doc-1", "originator": "aus", "author": "o", "created": AT}
    return Draft(**{**given, "label": BOTH, "portions": portions, **fields})


def changed(record: Record, **fields: Any) -> bytes:
    return json.dumps({**json.loads(record.data), **fields}, separators=(",", ":")).encode()


# what was signed is what is kept


@given(portion_lists)
@settings(deadline=None, max_examples=40)
def test_a_record_reads_back_byte_for_byte(portions: list[DraftPortion]) -> None:
    record = made(portions)
    again = read_record(record.data, [portion.data for portion in record.portions])
    assert (again.data, again.digest) == (record.data, sha256(record.data))
    assert [(p.name, p.value, p.label) for p in again.portions] == [(p.name, p.value, p.label) for p in portions]
    assert again == record


@given(portion_lists, st.data())
@settings(deadline=None, max_examples=40)
def test_any_part_of_a_record_verifies_by_itself(portions: list[DraftPortion], data: st.DataObject) -> None:
    record = made(portions)
    kept = [portion for portion in record.portions if data.draw(st.booleans())]
    part = read_record(record.data, [portion.data for portion in kept])
    assert part.digest == record.digest
    assert part == record.only(portion.digest for portion in kept)


def test_equal_drafts_make_different_records() -> None:
    one, other = made([DraftPortion("title", BOTH, "x")]), document(portions=[DraftPortion("title", BOTH, "x")])
    assert one.digest != other.digest
    assert one.portions[0].digest != other.portions[0].digest


# what is withheld tells nothing


@given(names, names, values, values)
@settings(deadline=None)
def test_a_withheld_portions_name_value_and_size_leave_no_trace_in_the_header(
    name: str, other: str, value: Any, longer: Any
) -> None:
    shown = DraftPortion("shown", BOTH, "seen by all")
    headers = [made([shown, DraftPortion(f"x{n}"[:32], ONLY_GBR, v)]).data for n, v in ((name, value), (other, longer))]
    assert len(headers[0]) == len(headers[1])
    stripped = [json.loads(header) | {"portions": None} for header in headers]
    assert stripped[0] == stripped[1]


@pytest.mark.parametrize("count", range(1, 10))
def test_the_number_of_portions_is_told_to_the_next_multiple_of_four_only(count: int) -> None:
    record = made([DraftPortion(f"p{n}", BOTH, n) for n in range(count)])
    commitments = record.header.portions
    assert len(commitments) % 4 == 0
    assert len(commitments) - count < 4
    assert commitments == sorted(commitments)


def test_a_salt_stands_between_a_guess_and_its_proof() -> None:
    record = document()
    guess = b'["%s","annex",%s,"Where we saw it from"]' % (b"0" * 32, record.portions[2].raw_label)
    assert record.portions[2].digest.hex() in record.header.portions
    assert sha256(guess).hex() not in record.header.portions


# what came is what its originator committed to


def test_an_altered_portion_is_refused() -> None:
    record = document()
    for portion in record.portions:
        for old, new in ((b"GBR", b"USA"), (b"SECRET", b"OFFICIAL"), (b'","', b'", "')):
            other = portion.data.replace(old, new, 1)
            if other != portion.data:
                with pytest.raises(VerificationFailed, match="not the one its originator committed to"):
                    read_record(record.data, [other])


def test_a_portion_of_another_record_is_refused() -> None:
    with pytest.raises(VerificationFailed):
        read_record(document().data, [document("doc-2", seed=9).portions[0].data])


def test_a_portion_that_came_twice_is_refused() -> None:
    record = document()
    with pytest.raises(VerificationFailed, match="twice"):
        read_record(record.data, [record.portions[0].data] * 2)


def test_a_decoy_is_the_digest_of_nothing_that_came() -> None:
    record = document()
    with pytest.raises(InvalidInput):
        read_record(record.data, [bytes.fromhex(record.header.portions[0])])


# the rules of headers


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"surprise": 1}, "unknown field"),
        ({"version": 0}, "version 0"),
        ({"version": 2}, "version 2 and its predecessor do not fit"),
        ({"previous": "0" * 64}, "version 1 and its predecessor do not fit"),
        ({"version": 2**53, "previous": "0" * 64}, "do not fit"),
        ({"version": 2, "previous": "0" * 63}, "not digests"),
        ({"created": -1}, "no time"),
        ({"created": 2**53}, "no time"),
        ({"created": 1.5}, "Expected `int`"),
        ({"id": ""}, "record id"),
        ({"id": "a b"}, "record id"),
        ({"id": "doc\n"}, "record id"),
        ({"id": "x" * 97}, "record id"),
        ({"author": "x\u001b[2J"}, "unprintable"),
        ({"project": "a\u0000b"}, "unprintable"),
        ({"portions": ["0" * 64] * 65}, "65 portions"),
        ({"portions": ["Z" * 64]}, "not digests"),
        ({"sources": ["abc"]}, "not digests"),
        ({"deleted": True}, "deleted and yet has content"),
        ({"attachments": []}, "unknown field"),
    ],
)
def test_a_header_against_the_rules_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_header(changed(document(), **fields))


def test_a_header_without_a_field_or_not_json_is_refused() -> None:
    whole = json.loads(document().data)
    required = set(whole) - {"project"}
    for name in required:
        with pytest.raises(InvalidInput, match="missing required field"):
            read_header(json.dumps({k: v for k, v in whole.items() if k != name}).encode())
    for data in (b"", b"null", b"[]", b"{", b"\xff\xfe", document().data + b"x", b"[" * 50_000):
        with pytest.raises(InvalidInput):
            read_header(data)


def test_an_oversized_header_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TooLarge, match="limit is 65536"):
        read_header(b"{" * 65_537)
    with pytest.raises(TooLarge):
        made([], sources=[bytes(32)] * 1000)


# the rules of portions


def in_arrays(depth: int) -> bytes:
    return b'["%s","body",{},%s]' % (b"0" * 32, b"[" * depth + b"]" * depth)


def test_nesting_stops_at_32() -> None:
    assert read_portion(in_arrays(32)).name == "body"
    for depth in (33, 400, 100_000):
        with pytest.raises(InvalidInput):
            read_portion(in_arrays(depth))
    deep: Any = 1
    for _ in range(33):
        deep = {"a": deep}
    with pytest.raises(TooLarge, match="nested deeper than 32"):
        make_portion(DraftPortion("body", BOTH, deep), bytes(16))


def test_size_stops_at_a_mebibyte_a_portion_and_16_a_record() -> None:
    with pytest.raises(TooLarge, match="attachment"):
        make_portion(DraftPortion("body", BOTH, "x" * 2**20), bytes(16))
    with pytest.raises(TooLarge):
        read_portion(b"[" * (2**20 + 1))
    with pytest.raises(TooLarge, match="limit is 16777216"):
        made([DraftPortion(f"p{n}", BOTH, "x" * 1_000_000) for n in range(17)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'["%s","body",{}]' % (b"0" * 32),
        b'["%s","body",{},1,2]' % (b"0" * 32),
        b'["%s","Body",{},1]' % (b"0" * 32),
        b'["%s","",{},1]' % (b"0" * 32),
        b'["%s","%s",{},1]' % (b"0" * 32, b"b" * 33),
        b'["","body",{},1]',
        b'["%s","body",{},1]' % (b"0" * 30),
        b'["%s","body",{},1]' % (b"A" * 32),
        b'["%s","body",{},NaN]' % (b"0" * 32),
        b'["%s","body",{},1]x' % (b"0" * 32),
    ],
)
def test_what_is_not_salt_name_label_and_value_is_no_portion(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_portion(data)


@pytest.mark.parametrize("name", ["", "Body", "a_b", "é", "a b", "x" * 33, "1a", "a\n"])
def test_a_portion_name_is_lower_case_words_with_hyphens(name: str) -> None:
    with pytest.raises(InvalidInput, match="portion name"):
        make_portion(DraftPortion(name, BOTH, 1), bytes(16))


@pytest.mark.parametrize("value", [object(), {1, (2, object())}, "\ud800", {"a": float}])
def test_a_value_that_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="not JSON"):
        make_portion(DraftPortion("body", BOTH, value), bytes(16))


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(InvalidInput, match="salt of 8 bytes"):
        make_portion(DraftPortion("body", BOTH, 1), bytes(8))


def test_a_name_twice_in_one_record_is_refused() -> None:
    with pytest.raises(InvalidInput, match="names a portion twice"):
        made([DraftPortion("body", BOTH, 1), DraftPortion("body", ONLY_GBR, 2)])


def test_text_that_is_no_text_is_refused_on_the_way_in() -> None:
    with pytest.raises(InvalidInput):
        made([], author="\ud800")


# versions


def test_versions_form_a_chain_that_only_the_originator_continues() -> None:
    first = document()
    second = make_record(next_version(first, draft([], author="another")), salts(2))
    assert (second.header.version, second.header.previous) == (2, first.digest.hex())
    for other in ({"originator": "gbr"}, {"id": "doc-2"}, {"kind": "track"}):
        with pytest.raises(InvalidInput, match="cannot write the next version"):
            next_version(first, draft([], **other))


def test_a_tombstone_keeps_label_and_project_and_has_no_content() -> None:
    first = document()
    gone = make_record(tombstone(first, "officer", AT), salts(2))
    header = gone.header
    assert (header.deleted, header.version, header.previous) == (True, 2, first.digest.hex())
    assert (gone.label, header.project, header.portions) == (first.label, first.header.project, [])
    assert read_record(gone.data, []) == gone


# kinds


def test_a_kind_admits_its_own_portions_in_their_shape_only() -> None:
    kind = KINDS["track"]
    kind.check(make_portion(DraftPortion("identity", BOTH, "a ship"), bytes(16)))
    with pytest.raises(UnknownTerm, match="It has: position, identity"):
        kind.check(make_portion(DraftPortion("voyage", BOTH, "x"), bytes(16)))
    for value in (None, 1, {"name": "x"}):
        with pytest.raises(InvalidInput):
            kind.check(make_portion(DraftPortion("identity", BOTH, value), bytes(16)))


# whatever the bytes


RECORD = document(label=rel_to("GBR"), sources=[bytes(32)])
PARTS = [portion.data for portion in RECORD.portions]


@given(st.binary(max_size=300) | damaged(RECORD.data))
@settings(max_examples=250, deadline=None)
def test_no_bytes_make_a_header_fail_in_another_way_than_with_a_reason(data: bytes) -> None:
    try:
        header = read_header(data)
    except AldisError as error:
        assert str(error)
        return
    assert 1 <= header.version < 2**53
    assert len(header.portions) <= 64


@given(st.binary(max_size=300) | damaged(PARTS[2]))
@settings(max_examples=250, deadline=None)
def test_no_bytes_make_a_portion_fail_in_another_way_than_with_a_reason(data: bytes) -> None:
    try:
        portion = read_portion(data)
    except AldisError as error:
        assert str(error)
        return
    assert portion.digest == sha256(portion.data) == sha256(data)
    for look in (lambda: portion.label, lambda: KINDS["document"].check(portion)):
        try:
            look()
        except AldisError as error:
            assert str(error)


@given(damaged(RECORD.data), damaged(PARTS[0]))
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_a_record_fail_in_another_way_than_with_a_reason(data: bytes, part: bytes) -> None:
    for header, portions in ((data, PARTS), (RECORD.data, [part, *PARTS[1:]])):
        try:
            record = read_record(header, portions)
        except AldisError as error:
            assert str(error)
        else:
            assert (record.data, [p.data for p in record.portions]) == (header, portions)
