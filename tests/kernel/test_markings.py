"""Markings: text in, label out, and back."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import AT, POLICIES, UNIVERSE, label_any, labels

from aldis.kernel.errors import AldisError, InvalidInput, TooLarge, UnknownTerm
from aldis.kernel.labels import CONCEALED, REFUSED, Access, Label, Releasability, encode_label
from aldis.kernel.markings import capco, marked, parse, write

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/markings.json").read_text())
VALID = [row["marking"] for row in VECTORS["valid"]]


def read(policy, text, at=AT, portion=False):
    return parse(policy, text, at=at, policies=POLICIES, portion=portion)


def written(label, at=AT, portion=False):
    return write(label, at=at, policies=POLICIES, portion=portion)


def part(label, at=AT):
    return marked(label, at=at, policies=POLICIES)


@pytest.mark.parametrize("policy", POLICIES.names)
@given(st.data(), st.booleans())
def test_a_marking_read_back_is_the_label_that_was_written(policy, data, portion):
    label = data.draw(labels(policy, marks=True))
    text = written(label, portion=portion)
    again = read(policy, text, portion=portion)
    assert again == part(label)
    assert written(again, portion=portion) == text


@given(labels("UK", marks=True) | labels("NATO", marks=True) | labels("AUS", marks=True))
def test_a_us_marking_of_foreign_information_reads_back_as_the_owners_label(label):
    label = label.narrowed(categories=() if label.policy != "NATO" else label.categories)
    if label.releasable.access is Access.REFUSED:
        return
    text = capco.write(label, at=AT, policies=POLICIES)
    assert text.startswith("//")
    assert part(capco.parse(text, at=AT, policies=POLICIES)) == part(label)


@given(label_any(marks=True))
def test_a_marking_never_widens_the_audience(label):
    universe = UNIVERSE | {"NATO"}
    again = read(label.policy, written(label))
    assert POLICIES.releasable_to(again, universe) <= POLICIES.releasable_to(label, universe)


@given(st.sampled_from(POLICIES.names), st.text(alphabet="ABCDEGINORSTU /-–,:+", max_size=40), st.booleans())
@example("US", "//JOINT ", False)
@example("US", "(//)", True)
@example("NATO", " Only ", False)
@example("UK", "UK  – ", False)
def test_any_text_is_read_or_refused_with_a_reason(policy, text, portion):
    try:
        label = read(policy, text, portion=portion)
    except InvalidInput as error:
        assert str(error)
    else:
        POLICIES.check(label)


@given(st.sampled_from(VECTORS["valid"]), st.integers(0, 60), st.sampled_from([*"ABRSU/-, ", ""]))
def test_a_damaged_marking_is_refused_or_states_a_label_its_policy_admits(row, place, letter):
    text = row["marking"][:place] + letter + row["marking"][place + 1 :]
    try:
        label = read(row["policy"], text, row["at"], row.get("portion", False))
    except InvalidInput:
        return
    POLICIES.check(label)


@pytest.mark.parametrize("row", VECTORS["valid"], ids=lambda row: f"{row['policy']} {row['marking']}")
def test_valid_vectors(row):
    portion = row.get("portion", False)
    label = read(row["policy"], row["marking"], row["at"], portion)
    assert json.loads(encode_label(label)) == row["label"]
    module = capco if row["policy"] == "US" else None
    again = module.write(label, at=row["at"], policies=POLICIES, portion=portion) if module else None
    assert (again or written(label, row["at"], portion)) == row["canonical"]


@pytest.mark.parametrize("row", VECTORS["invalid"], ids=lambda row: f"{row['policy']} {row['marking']!r}")
def test_invalid_vectors(row):
    with pytest.raises(AldisError) as caught:
        read(row["policy"], row["marking"], row["at"], row.get("portion", False))
    assert caught.value.code == row["error"]
    assert row["says"] in str(caught.value)


def test_an_error_names_the_word_its_place_and_the_nearest_that_is_allowed():
    with pytest.raises(UnknownTerm) as caught:
        read("US", "SECRET//SI//NOFRON")
    assert str(caught.value).startswith("marking 'SECRET//SI//NOFRON', character 13: 'NOFRON' is not a control marking")
    assert "Did you mean NOFORN?" in str(caught.value)


def test_a_label_for_nato_is_for_the_members_of_its_day():
    before, after = 1_680_480_000_000, 1_709_769_600_000  # 3 April 2023 and 7 March 2024
    old, new = read("NATO", "NATO SECRET", before), read("NATO", "NATO SECRET", after)
    assert new.releasable.parties - old.releasable.parties == {"FIN", "SWE"}
    assert written(old, before) == "NATO SECRET"
    assert written(old, after).startswith("NATO SECRET Only ALB, ")
    assert "FIN" not in written(old, after)


def test_a_group_that_has_grown_is_no_longer_written_by_its_name():
    before, after = 1_654_041_600_000, AT
    label = read("US", "SECRET//REL TO USA, NATO", before)
    assert written(label, before) == "SECRET//REL TO USA, NATO"
    assert written(label, after).startswith("SECRET//REL TO USA, ALB, BEL, ")
    assert "NATO" not in written(label, after)
    assert part(label, after).releasable.parties == label.releasable.parties - {"NATO"}


def test_a_marking_leaves_out_export_control_and_names_no_origin_beside_a_concealed_one():
    label = Label("US", "SECRET", REFUSED, (), frozenset({"USML:XI(c)"}), frozenset({CONCEALED, "GBR"}))
    assert written(label) == "SECRET//FGI//NOFORN"
    assert part(label) == Label("US", "SECRET", REFUSED, origins=frozenset({CONCEALED}))


@pytest.mark.parametrize(
    ("policy", "text"),
    [("US", "SECRET//NOFORN"), ("UK", "SECRET – UK EYES ONLY"), ("AUS", "SECRET//AGAO")],
)
def test_a_list_with_nobody_on_it_is_written_as_a_refusal(policy, text):
    label = Label(policy, "SECRET", Releasability.to())
    assert written(label) == text
    assert part(label).releasable == REFUSED


def test_an_organisation_that_a_list_cannot_name_is_left_out_of_the_marking():
    assert written(Label("AUS", "SECRET", Releasability.to("NATO", "USA"))) == "SECRET//REL AUS/USA"
    assert written(Label("US", "SECRET", Releasability.to("NATO", "GBR"))) == "SECRET//REL TO USA, GBR"
    assert written(Label("US", "SECRET", Releasability.to("NATO"))) == "SECRET//NOFORN"


@pytest.mark.parametrize(
    "label",
    [
        Label("UK", "SECRET", Releasability.to("USA", display=["JPN"])),
        Label("AUS", "SECRET", Releasability.to(display=["JPN"])),
        Label("NATO", "NATO SECRET"),
        Label("NATO", "NATO SECRET", REFUSED),
        Label("TLP", "AMBER", Releasability.to("GBR")),
        Label("CAN", "SECRET", REFUSED),
    ],
    ids=str,
)
def test_what_a_marking_cannot_say_is_refused_rather_than_left_out(label):
    with pytest.raises(InvalidInput):
        written(label)


@pytest.mark.parametrize(
    "label", [Label("TLP", "RED"), Label("UK", "SECRET", categories=(("Descriptor", frozenset({"LEGAL"})),))]
)
def test_a_us_marking_has_no_words_for_other_policies_categories(label):
    with pytest.raises(InvalidInput, match="has no words"):
        capco.write(label, at=AT, policies=POLICIES)


def test_an_oversized_marking_is_refused():
    with pytest.raises(TooLarge, match="4096"):
        read("US", "SECRET//REL TO USA, " + ", ".join(["GBR"] * 2000))


def test_an_unknown_policy_is_refused():
    with pytest.raises(UnknownTerm, match="'XX' is not a policy"):
        read("XX", "SECRET")
