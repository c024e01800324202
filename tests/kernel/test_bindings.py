"""ADatP-4778 bindings: which label is of which content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import AT, POLICIES

from aldis.kernel.bindings import Binding, Reference, problems, read_binding, refer, write_binding
from aldis.kernel.errors import AldisError, InvalidInput
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.markings.adatp4774 import Confidentiality, Role

SECRET = Confidentiality(Label("US", "SECRET", Releasability.to("GBR")), AT, review=AT)
OURS = Confidentiality(Label("UK", "SECRET", Releasability.to("USA")), AT, Role.ALTERNATIVE, AT)
BOUND = Binding((SECRET, OURS), (refer("plan.md", b"text", "text/markdown"), refer("map.png", b"\x89", "image/png")))


def test_a_binding_read_back_is_the_one_that_was_written():
    assert read_binding(write_binding(BOUND, POLICIES), POLICIES) == BOUND


@given(st.binary(max_size=8))
def test_a_binding_holds_for_the_content_that_was_bound_and_for_no_other(content):
    held = {"plan.md": content, "map.png": b"\x89"}
    assert (problems(BOUND, held.get) == ()) is (content == b"text")


def test_what_is_gone_or_has_no_digest_is_told():
    loose = Binding((SECRET,), (Reference("a.md"), Reference("b.md")))
    again = read_binding(write_binding(BOUND, POLICIES), POLICIES)
    assert problems(loose, {"a.md": b""}.get) == (
        "a.md is bound by name only: nothing says what its content was",
        "b.md is not there",
    )
    assert problems(again, {"plan.md": b"text"}.get) == ("map.png is not there",)


def test_a_binding_without_a_manifest_is_by_name_only():
    xml = write_binding(BOUND, POLICIES).decode()
    head, _, rest = xml.partition("  <ds:Manifest")
    bare = read_binding((head + rest.partition("</ds:Manifest>\n")[2]).encode(), POLICIES)
    assert [one.digest for one in bare.references] == [b"", b""]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("xmldsig-more#sha384", "xmldsig-more#md5"),
        ("<ds:Manifest", "<ds:Signature/><ds:Manifest"),
        ('<mb:DataReference URI="plan.md"', '<mb:DataReference URI="other.md"'),
        ('<ds:Reference URI="map.png"', '<ds:Reference URI="plan.md"'),
        ("</mb:Metadata>", "<a/></mb:Metadata>"),
        ("originatorConfidentialityLabel", "metadataConfidentialityLabel"),
        ("alternativeConfidentialityLabel", "originatorConfidentialityLabel"),
        ("<ds:DigestValue>", "<ds:DigestValue>AAAA"),
        ("mb:BindingInformation", "mb:Binding"),
        ("mb:DataReference", "mb:Data"),
    ],
)
def test_what_is_not_understood_is_refused(old, new):
    xml = write_binding(BOUND, POLICIES).decode()
    assert old in xml
    with pytest.raises(InvalidInput):
        read_binding(xml.replace(old, new).encode(), POLICIES)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_a_binding_with_a_byte_changed_is_read_or_refused_and_nothing_else(place, change):
    xml = write_binding(BOUND, POLICIES)
    place %= len(xml)
    try:
        read_binding(xml[:place] + change + xml[place + len(change) :], POLICIES)
    except AldisError:
        return
