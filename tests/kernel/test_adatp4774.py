"""ADatP-4774 labels: XML in, label out, and back."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import AT, POLICIES, UNIVERSE, labels

from aldis.kernel.errors import AldisError, InvalidInput, TooLarge, UnknownTerm
from aldis.kernel.labels import Access, Label, Releasability, decode_label, encode_label
from aldis.kernel.markings.adatp4774 import Confidentiality, Role, carried, read, write
from aldis.kernel.trees import Element, parse_xml, write_xml

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/adatp4774.json").read_text())
XMLNS = 'xmlns="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"'
SECRET = Label("US", "SECRET", Releasability.to("GBR"))


def nato(categories="", classification="NATO SECRET", policy="NATO", extra="", attributes=""):
    return (
        f"<originatorConfidentialityLabel {XMLNS}{attributes}><ConfidentialityInformation>"
        f"<PolicyIdentifier>{policy}</PolicyIdentifier><Classification>{classification}</Classification>{categories}"
        f"</ConfidentialityInformation><CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime>{extra}"
        "</originatorConfidentialityLabel>"
    ).encode()


def category(tag, *values, kind="PERMISSIVE"):
    inside = "".join(f"<GenericValue>{value}</GenericValue>" for value in values)
    return f'<Category Type="{kind}" TagName="{tag}">{inside}</Category>'


CONTEXT = category("Context", "NATO")


@pytest.mark.parametrize("policy", POLICIES.names)
@given(st.data())
def test_a_label_read_back_is_the_label_that_was_written(policy, data):
    label = data.draw(labels(policy))
    try:
        xml = write(Confidentiality(label, AT), POLICIES)
    except InvalidInput:
        assert policy == "NATO"
        return
    again = read(xml, POLICIES)
    assert again.label == carried(label, AT, POLICIES)
    assert write(again, POLICIES) == xml
    assert POLICIES.releasable_to(again.label, UNIVERSE) <= POLICIES.releasable_to(label, UNIVERSE)


@given(st.sampled_from(Role), st.integers(0, 4_000_000_000_000), st.text("abc.@", max_size=9), st.booleans())
def test_what_is_said_around_a_label_is_read_back(role, at, who, succeeds):
    later = {"succeeds_at": at + 1, "successor": SECRET.narrowed(classification="CONFIDENTIAL")} if succeeds else {}
    stated = Confidentiality(SECRET, at, role, at + 5, "Crew only", who, "rfc822Name", **later)
    again = read(write(stated, POLICIES), POLICIES)
    assert again == (stated if who else Confidentiality(SECRET, at, role, at + 5, "Crew only", **later))
    assert again.in_force(at) == SECRET
    assert (again.in_force(at + 1) == SECRET) is not succeeds


def test_nobody_beyond_the_owner_stays_a_value_and_never_an_absent_category():
    for said in (Releasability.to(), Releasability(Access.REFUSED)):
        xml = write(Confidentiality(Label("US", "SECRET", said), AT), POLICIES)
        assert b"<slab:GenericValue>USA</slab:GenericValue>" in xml
        assert read(xml, POLICIES).label.releasable == said


def test_a_review_is_named_only_where_one_was_stated():
    assert b"ReviewDateTime" not in write(Confidentiality(SECRET, AT), POLICIES)
    assert b'ReviewDateTime="2025-01-01T00:00:00Z"' in write(Confidentiality(SECRET, AT, review=AT), POLICIES)


def test_nato_values_are_the_same_in_any_case():
    xml = nato(
        category("context", "nato").replace('"context"', '"CONTEXT"').replace("nato", "NATO"), "nato secret", "nato"
    )
    assert read(xml, POLICIES).label.classification == "NATO SECRET"


def test_a_member_that_joined_later_does_not_gain_what_was_labelled_before():
    xml = nato(CONTEXT).replace(b"2025-01-01", b"2010-01-01")
    assert "FIN" not in read(xml, POLICIES).label.releasable.parties
    assert "FIN" in read(nato(CONTEXT), POLICIES).label.releasable.parties


@pytest.mark.parametrize("row", VECTORS["valid"], ids=lambda row: row["name"])
def test_valid_vectors(row):
    found = read(row["xml"].encode(), POLICIES)
    assert found.label == decode_label(json.dumps(row["label"]).encode())
    assert (found.created, found.role.value) == (row["created"], row["role"])
    assert encode_label(read(write(found, POLICIES), POLICIES).label) == encode_label(found.label)


@pytest.mark.parametrize("row", VECTORS["invalid"], ids=lambda row: row["name"])
def test_invalid_vectors(row):
    with pytest.raises(AldisError) as caught:
        read(row["xml"].encode(), POLICIES)
    assert caught.value.code == row["error"]


def test_too_much_xml_is_refused():
    with pytest.raises(TooLarge):
        parse_xml(b"<a>" * 30 + b"</a>" * 30)
    with pytest.raises(TooLarge):
        parse_xml(b"<a>" + b" " * 5_000_000 + b"</a>")
    with pytest.raises(TooLarge):
        parse_xml(b"<a>" + b"<b/>" * 60_000 + b"</a>")


@given(st.binary(max_size=200))
def test_bytes_that_are_no_label_end_in_an_error_that_a_person_can_act_on(data):
    with pytest.raises(AldisError):
        read(data, POLICIES)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_a_label_with_a_byte_changed_is_read_or_refused_and_nothing_else(place, change):
    xml = write(Confidentiality(SECRET, AT), POLICIES)
    place %= len(xml)
    try:
        read(xml[:place] + change + xml[place + len(change) :], POLICIES)
    except AldisError:
        return


def test_text_that_xml_cannot_hold_is_refused():
    for text in ("\x00", "\x1f", "\ud800", "\uffff"):
        with pytest.raises(InvalidInput):
            write_xml(Element("a", {}, text), {})


def test_an_unknown_policy_is_named():
    with pytest.raises(UnknownTerm, match="'ATLANTIS' is not a policy"):
        read(nato(policy="ATLANTIS"), POLICIES)
