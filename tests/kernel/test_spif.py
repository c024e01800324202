"""SPIF: another party's policy as a table."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import AT, POLICIES

from aldis.kernel.errors import AldisError, InvalidInput, NeedsPerson, UnknownTerm
from aldis.kernel.labels import CategoryType, Label, Releasability
from aldis.kernel.markings import parse, write
from aldis.kernel.markings.adatp4774 import Confidentiality
from aldis.kernel.markings.adatp4774 import read as read_label
from aldis.kernel.markings.adatp4774 import write as write_label
from aldis.kernel.policies import Policies, builtin_tables
from aldis.kernel.policies.spif import read_spif

SPIF = (Path(__file__).parent / "example.spif.xml").read_text("utf-8")


def taken(xml=SPIF):
    return read_spif(xml.encode(), "CHE", POLICIES.parties)


WITH = Policies.from_tables({**builtin_tables(), "example": taken().table})
POLICY = WITH.policy("EXAMPLE")


def test_the_ladder_is_in_the_order_of_the_hierarchy_with_its_words():
    assert [(rung.name, rung.portion) for rung in POLICY.ladder] == [
        ("OPEN", "OPEN"), ("INTERNAL", "INTERNAL"), ("GUARDED", "GUARDED"), ("CLOSED", "CL"),
    ]  # fmt: skip
    assert not POLICY.rung("GUARDED").in_use(1_790_000_000_000)
    assert (POLICY.owner, POLICY.uri) == ("CHE", "urn:oid:2.25.283505922519774543341581604402970826256")


def test_categories_keep_their_types_and_rules():
    assert {tag: row.type for tag, row in POLICY.categories.items()} == {
        "Special Handling": CategoryType.RESTRICTIVE,
        "Team": CategoryType.PERMISSIVE,
        "Administrative": CategoryType.INFORMATIVE,
    }
    alpha = (("Special Handling", frozenset({"ALPHA"})),)
    WITH.check(Label("EXAMPLE", "INTERNAL", categories=alpha))
    for label in (
        Label("EXAMPLE", "OPEN", categories=alpha),
        Label("EXAMPLE", "CLOSED", categories=(("Special Handling", frozenset({"BRAVO"})),)),
    ):
        with pytest.raises(InvalidInput):
            WITH.check(label)


def test_a_claim_is_kept_and_decides_nothing():
    assert POLICY.claims == (("CLOSED", "US (2.16.840.1.101.2.1.3.10) level 4 (encrypt)"),)
    with pytest.raises(NeedsPerson):
        WITH.protect_as(Label("EXAMPLE", "CLOSED"), "US", AT)


def test_labels_of_the_policy_are_marked_and_written_as_xml():
    label = Label("EXAMPLE", "CLOSED", Releasability.to("AUS"), (("Team", frozenset({"NORTH"})),))
    stated = Confidentiality(label, AT, review=AT)
    assert read_label(write_label(stated, WITH), WITH) == stated
    other = write_label(stated, WITH).replace(b"urn:oid:2.25.2835", b"urn:oid:2.25.2836")
    with pytest.raises(InvalidInput, match="different policies"):
        read_label(other, WITH)
    with pytest.raises(UnknownTerm):
        read_label(write_label(stated, WITH), POLICIES)
    bare = label.narrowed(categories=())
    assert write(bare, at=AT, policies=WITH, portion=True) == "(//CHE CL//REL TO AUS, CHE)"
    assert parse("US", "//CHE CLOSED//REL TO AUS, CHE", at=AT, policies=WITH) == bare


def test_the_tables_can_be_read_back_from_what_their_digest_is_of():
    again = Policies.from_bytes(WITH.tables)
    assert again == WITH and again.digest == WITH.digest != POLICIES.digest
    for broken in (WITH.tables[:-1], WITH.tables[1:], b"\xff" * 9):
        with pytest.raises((AldisError, UnicodeDecodeError)):
            Policies.from_bytes(broken)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('hierarchy="20"', 'hierarchy="10"', "two classifications have one hierarchy"),
        ('name="INTERNAL"', 'name="OPEN"', "two classifications have one name"),
        ('hierarchy="20"', 'hierarchy="x"', "not a whole number"),
        ('tagType="restrictive">', 'tagType="secret">', "is of type 'secret'"),
        ("<spif:excludedClass>OPEN<", "<spif:excludedClass>INTERNAL<", "no single range"),
        ("<spif:excludedClass>OPEN<", "<spif:excludedClass>NONE<", "no single range"),
        ('tagSetRef="Special Handling"', 'tagSetRef="Elsewhere"', "another tag set"),
        ('name="Team"', 'name="Only"', "meaning of its own"),
        ('name="Team"', 'name="Special Handling"', "there twice"),
        ('name="ALPHA" lacv="1"', 'name="ALPHA" lacv="1" notAfter="2026-01-01T00:00:00Z"', "notAfter is not kept"),
        ('<spif:excludedClass>OPEN</spif:excludedClass>', '<spif:excludedCategory lacv="1"/>', "could widen access"),
        ('creationDate="2026-01-15 09:00:00"', 'creationDate="soon"', "is no day"),
        ('id="2.25', 'id="x.25', "identifier"),
        ("spif:SPIF", "spif:FIPS", "is not an XML SPIF"),
        ("www.xmlspif.org", "www.example.org", "is not an XML SPIF"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(old, new, told):
    assert old in SPIF
    with pytest.raises(InvalidInput, match=told):
        taken(SPIF.replace(old, new))


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_a_spif_with_a_byte_changed_is_a_policy_or_is_refused(place, change):
    xml = SPIF.encode()
    place %= len(xml)
    try:
        found = read_spif(xml[:place] + change + xml[place + len(change) :], "CHE", POLICIES.parties)
        Policies.from_tables({**builtin_tables(), "example": found.table})
    except AldisError:
        return


def test_two_policies_of_one_party_are_refused():
    with pytest.raises(InvalidInput, match="two policies are of one party"):
        Policies.from_tables({**builtin_tables(), "example": read_spif(SPIF.encode(), "USA", POLICIES.parties).table})
