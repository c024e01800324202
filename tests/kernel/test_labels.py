"""The laws of the label algebra, and its wire form."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from strategies import POLICIES, UNIVERSE, label_any, labels, nations, same_policy

from aldis.kernel.errors import InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.labels import (
    REFUSED,
    UNMARKED,
    Access,
    Label,
    Releasability,
    audience,
    decode_label,
    dominates,
    encode_label,
    join,
    join_all,
    rung_text,
)

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/labels.json").read_text())


def joined(*given_labels):
    return join_all(given_labels, POLICIES.policy(given_labels[0].policy))


@given(same_policy(3))
def test_join_is_associative(three):
    a, b, c = three
    assert joined(joined(a, b), c) == joined(a, joined(b, c))


@given(same_policy(2))
def test_join_is_commutative(two):
    a, b = two
    assert joined(a, b) == joined(b, a)


@given(label_any())
def test_join_is_idempotent(label):
    assert joined(label, label) == label


@given(label_any())
def test_the_lowest_unmarked_label_is_the_identity(label):
    policy = POLICIES.policy(label.policy)
    assert join(policy.lowest, label, policy) == label == join(label, policy.lowest, policy)


@given(same_policy(2))
def test_the_audience_of_a_join_is_a_subset_of_each_audience(two):
    a, b = two
    both = audience(joined(a, b), UNIVERSE)
    assert both <= audience(a, UNIVERSE)
    assert both <= audience(b, UNIVERSE)


@given(same_policy(2))
def test_what_a_join_shows_each_part_lets_be_shown(two):
    a, b = two
    shown = joined(a, b).releasable.display
    for part in (a.releasable, b.releasable):
        assert part.access is Access.UNMARKED or shown <= part.parties | part.display


@given(same_policy(2))
def test_a_join_dominates_both(two):
    a, b = two
    policy = POLICIES.policy(a.policy)
    both = join(a, b, policy)
    assert dominates(both, a, policy)
    assert dominates(both, b, policy)


@given(label_any())
def test_the_empty_list_never_widens_to_everyone(label):
    policy = POLICIES.policy(label.policy)
    nobody = Label(label.policy, label.classification, Releasability.to())
    assert audience(join(nobody, label, policy), UNIVERSE) == frozenset()


@given(label_any())
def test_a_refusal_absorbs(label):
    policy = POLICIES.policy(label.policy)
    noforn = Label(label.policy, label.classification, REFUSED)
    assert join(noforn, label, policy).releasable == REFUSED


def test_the_four_states_of_releasability_stay_apart():
    states = [UNMARKED, Releasability.to("AUS"), Releasability.to(), REFUSED]
    assert len(set(states)) == 4
    assert len({encode_label(Label("US", "SECRET", said)) for said in states}) == 4
    assert Releasability.to("AUS").join(Releasability.to("GBR")) == Releasability.to() != REFUSED


@given(nations(), nations())
def test_a_party_that_may_have_a_copy_is_not_listed_for_display(parties, display):
    said = Releasability.to(*parties, display=display)
    assert said.display == display - parties


@given(label_any())
def test_a_label_survives_its_wire_form(label):
    assert decode_label(encode_label(label)) == label


@given(label_any(), label_any())
def test_equal_labels_and_only_they_have_equal_bytes(a, b):
    assert (encode_label(a) == encode_label(b)) == (a == b)


@given(labels("US"), labels("UK"))
def test_labels_of_two_policies_do_not_join(us, uk):
    with pytest.raises(RefusedByPolicy, match="protect_as"):
        join(us, uk, POLICIES.policy("US"))


def test_the_join_of_nothing_is_refused():
    with pytest.raises(InvalidInput, match="no labels"):
        join_all([], POLICIES.policy("US"))


def test_an_unknown_category_does_not_join():
    policy = POLICIES.policy("US")
    with pytest.raises(UnknownTerm, match="'Colour'"):
        join(Label("US", "SECRET", categories=(("Colour", frozenset({"red"})),)), policy.lowest, policy)


def test_a_category_named_twice_is_refused():
    with pytest.raises(InvalidInput, match="category twice"):
        Label("US", "SECRET", categories=(("SCI", frozenset({"SI"})), ("SCI", frozenset({"TK"}))))


@pytest.mark.parametrize("data", VECTORS["malformed"], ids=str)
def test_what_is_not_the_closed_schema_is_refused(data):
    with pytest.raises(InvalidInput):
        decode_label(data.encode())


def test_an_oversized_label_is_refused():
    with pytest.raises(InvalidInput, match="8192"):
        decode_label(b'{"policy":"' + b"x" * 9000 + b'"}')


def test_a_deeply_nested_label_is_refused():
    with pytest.raises(InvalidInput):
        decode_label(b'{"policy":' + b"[" * 8000)


@pytest.mark.parametrize("row", VECTORS["wire"], ids=lambda row: row["json"][:60])
def test_wire_vectors(row):
    label = decode_label(row["json"].encode())
    assert encode_label(label).decode() == row["canonical"]


@pytest.mark.parametrize("row", VECTORS["join"], ids=lambda row: row["why"])
def test_join_vectors(row):
    parts = [decode_label(json.dumps(part).encode()) for part in row["labels"]]
    assert json.loads(encode_label(joined(*parts))) == row["joined"]


def test_a_classification_names_its_policy_once() -> None:
    assert rung_text("UK", "SECRET") == "UK SECRET"
    assert rung_text("NATO", "NATO SECRET") == "NATO SECRET"
    assert rung_text("NATO", "COSMIC TOP SECRET") == "NATO COSMIC TOP SECRET"
