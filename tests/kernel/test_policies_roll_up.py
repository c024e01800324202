"""The banner: laws of the roll-up, and each policy's own rules."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import AT, POLICIES, UNIVERSE, label_any, labels, same_policy

from aldis.kernel.errors import AldisError, InvalidInput, NeedsPerson, UnknownTerm
from aldis.kernel.labels import REFUSED, Access, CategoryType, Label, Releasability, decode_label, encode_label
from aldis.kernel.markings import parse, write
from aldis.kernel.policies import Policies

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/labels.json").read_text())


def rolled(*portions):
    return POLICIES.roll_up(portions, portions[0].policy, AT)


def anyone_but_owners(portion, parties):
    return parties - {POLICIES.policy(portion.policy).owner}


FIVE = ("AUS", "CAN", "NZL", "UK", "US")
SECRETS = st.one_of(*(labels(name) for name in FIVE)).map(
    lambda label: label.narrowed(classification="SECRET", categories=())
)
"""Labels that every one of the five policies can map."""


@given(same_policy(3))
def test_roll_up_is_associative(three):
    a, b, c = three
    assert rolled(rolled(a, b), c) == rolled(a, b, c) == rolled(a, rolled(b, c))


@given(st.data(), same_policy(2, 4))
def test_roll_up_is_commutative(data, portions):
    assert rolled(*data.draw(st.permutations(portions))) == rolled(*portions)


@given(label_any())
def test_roll_up_is_idempotent(label):
    once = rolled(label)
    assert rolled(once) == once == rolled(label, label)


@given(same_policy(1, 4))
def test_roll_up_never_widens_the_audience(portions):
    audience = POLICIES.releasable_to(rolled(*portions), UNIVERSE)
    for portion in portions:
        assert audience <= POLICIES.releasable_to(portion, UNIVERSE)


@given(st.lists(SECRETS, min_size=1, max_size=4), st.sampled_from(FIVE))
def test_roll_up_across_policies_widens_to_nobody_but_an_owner(portions, name):
    audience = POLICIES.releasable_to(POLICIES.roll_up(portions, name, AT), UNIVERSE)
    for portion in portions:
        assert anyone_but_owners(portion, audience) <= POLICIES.releasable_to(portion, UNIVERSE)


@given(st.lists(SECRETS, min_size=3, max_size=3), st.sampled_from(FIVE))
def test_roll_up_across_policies_is_associative(three, name):
    a, b, c = three
    one = POLICIES.roll_up([a, b, c], name, AT)
    assert POLICIES.roll_up([POLICIES.roll_up([a, b], name, AT), c], name, AT) == one
    assert POLICIES.roll_up([a, POLICIES.roll_up([b, c], name, AT)], name, AT) == one


@given(st.lists(label_any(), min_size=1, max_size=4), st.sampled_from(POLICIES.names))
def test_roll_up_is_at_least_as_high_as_each_portion(portions, name):
    try:
        banner = POLICIES.roll_up(portions, name, AT)
    except NeedsPerson:
        return
    rank = POLICIES.policy(name).rank
    for portion in portions:
        assert rank(banner.classification) >= rank(POLICIES.protect_as(portion, name, AT).classification)


@given(same_policy(1, 4))
def test_roll_up_keeps_every_restriction_control_tag_and_origin(portions):
    banner = rolled(*portions)
    policy = POLICIES.policy(banner.policy)
    for portion in portions:
        assert portion.control <= banner.control
        assert portion.origins <= banner.origins
        for tag, values in portion.categories:
            if policy.category_type(tag) is CategoryType.RESTRICTIVE:
                assert values <= banner.values(tag)


@given(same_policy(1, 4))
def test_a_banner_is_a_label_its_policy_admits(portions):
    POLICIES.check(rolled(*portions))


@given(label_any())
def test_the_empty_list_never_widens_to_everyone(label):
    nobody = Label(label.policy, label.classification, Releasability.to())
    assert POLICIES.releasable_to(rolled(label, nobody), UNIVERSE) == frozenset()


@given(st.lists(labels("US"), max_size=3))
def test_noforn_absorbs(portions):
    assert rolled(*portions, Label("US", "CONFIDENTIAL", REFUSED)).releasable == REFUSED


@given(labels("US"), labels("US"))
def test_a_classified_unmarked_us_portion_leaves_no_list(marked, unmarked):
    portion = Label("US", "CONFIDENTIAL")
    assert rolled(marked, unmarked, portion).releasable.access is not Access.LISTED


def test_the_banner_over_nothing_is_refused():
    with pytest.raises(InvalidInput, match="no labels"):
        POLICIES.roll_up([], "US", AT)


def test_an_invalid_portion_is_refused_before_anything_is_joined():
    with pytest.raises(UnknownTerm, match="SECRT"):
        POLICIES.roll_up([Label("US", "SECRET"), Label("US", "SECRT")], "US", AT)
    too_low = Label("US", "CONFIDENTIAL", categories=(("SCI", frozenset({"TK"})),))
    with pytest.raises(InvalidInput, match="must be at least SECRET"):
        POLICIES.roll_up([too_low, Label("US", "SECRET")], "US", AT)


def test_portions_that_their_policy_admits_apart_but_not_together_are_refused():
    table = """
        policy = {name = "X", owner = "AUS", authority = "none"}
        rungs = [
            {name = "LOW", portion = "L", unmarked = "agreement", source = "none"},
            {name = "HIGH", portion = "H", unmarked = "agreement", source = "none"},
        ]
        [[categories]]
        tag = "Local"
        type = "restrictive"
        source = "none"
        values = [{name = "LOW ONLY", highest = "LOW", source = "none"}]
    """
    rest = {"groups": b"groups = []", "parties": b'source = "none"\ncodes = []', "equivalences": b"rows = []"}
    policies = Policies.from_tables({**rest, "x": table.encode()})
    local = Label("X", "LOW", categories=(("Local", frozenset({"LOW ONLY"})),))
    with pytest.raises(InvalidInput, match="must be at most LOW"):
        policies.roll_up([local, Label("X", "HIGH")], "X", AT)


CAPCO = [
    (["(S//REL TO USA, AUS, GBR)", "(S//REL TO USA, CAN, GBR)"], "SECRET//REL TO USA, GBR"),
    (["(S//REL TO USA, GBR)", "(U)"], "SECRET//REL TO USA, GBR"),
    (["(S//REL TO USA, GBR)", "(C)"], "SECRET//NOFORN"),
    (["(S//REL TO USA, GBR)", "(S//NF)"], "SECRET//NOFORN"),
    (["(U//NF)", "(S//REL TO USA, GBR)"], "SECRET//NOFORN"),
    (["(S//REL TO USA, AUS)", "(S//REL TO USA, GBR)"], "SECRET//NOFORN"),
    (["(S//REL TO USA, FVEY)", "(S//REL TO USA, ACGU)"], "SECRET//REL TO USA, AUS, CAN, GBR"),
    (["(S//REL TO USA, TEYE)", "(S//REL TO USA, NATO)"], "SECRET//REL TO USA, GBR"),
    (["(S//REL TO USA, AUS, GBR)", "(S//DISPLAY ONLY GBR, JPN)"], "SECRET//DISPLAY ONLY GBR"),
    (["(S//DISPLAY ONLY AFG, IRQ)", "(S//DISPLAY ONLY IRQ)"], "SECRET//DISPLAY ONLY IRQ"),
    (["(S)", "(C)"], "SECRET"),
    (["(S//RELIDO)", "(C//RELIDO)", "(U)"], "SECRET//RELIDO"),
    (["(S//RELIDO)", "(C)"], "SECRET"),
    (["(S//RELIDO)", "(S//REL TO USA, GBR)"], "SECRET//NOFORN"),
    (["(S//REL TO USA, GBR/RELIDO)", "(S//REL TO USA, GBR/RELIDO)"], "SECRET//REL TO USA, GBR/RELIDO"),
    (["(U//FOUO)", "(U)"], "UNCLASSIFIED//FOUO"),
    (["(U//FOUO)", "(C//NF)"], "CONFIDENTIAL//NOFORN"),
    (["(U//FOUO)", "(U//LES)"], "UNCLASSIFIED//LES"),
    (["(U//FOUO)", "(CUI//EXPT)"], "CUI//EXPT"),
    (["(CUI//EXPT)", "(S//NF)"], "SECRET//NOFORN"),
    (["(TS//SI//NF)", "(S//TK//NF)"], "TOP SECRET//SI/TK//NOFORN"),
    (["(TS//SI-G ABCD//OC/NF)", "(S//SI//NF)"], "TOP SECRET//SI-G ABCD//ORCON/NOFORN"),
    (["(S//OC/NF)", "(S//OC-USGOV/NF)"], "SECRET//ORCON/NOFORN"),
    (["(S//RD//NF)", "(C//FRD//NF)"], "SECRET//RD//NOFORN"),
    (["(S//NF//ND)", "(S//NF//XD)"], "SECRET//NOFORN//NODIS"),
    (["(S//FGI GBR//REL TO USA, GBR)", "(S//FGI AUS//REL TO USA, AUS, GBR)"], "SECRET//FGI AUS GBR//REL TO USA, GBR"),
    (["(S//FGI GBR//NF)", "(S//FGI//NF)"], "SECRET//FGI//NOFORN"),
    (
        ["(//JOINT S GBR USA//REL TO USA, GBR)", "(//JOINT C GBR USA//REL TO USA, GBR)"],
        "//JOINT SECRET GBR USA//REL TO USA, GBR",
    ),
    (["(//JOINT S GBR USA//REL TO USA, GBR)", "(C//REL TO USA, GBR)"], "SECRET//FGI GBR//REL TO USA, GBR"),
]


@pytest.mark.parametrize(("portions", "banner"), CAPCO, ids=[" + ".join(portions) for portions, _ in CAPCO])
def test_us_banners_follow_capco(portions, banner):
    parts = [parse("US", portion, at=AT, policies=POLICIES, portion=True) for portion in portions]
    assert write(rolled(*parts), at=AT, policies=POLICIES) == banner


def test_a_us_banner_over_foreign_portions_maps_them_first():
    parts = [
        Label("UK", "OFFICIAL-SENSITIVE", Releasability.to("USA")),
        Label("US", "SECRET", Releasability.to("AUS", "GBR")),
    ]
    banner = POLICIES.roll_up(parts, "US", AT)
    assert write(banner, at=AT, policies=POLICIES) == "SECRET//REL TO USA, GBR"


def test_each_owner_may_have_its_own_information_back():
    parts = [
        Label("US", "SECRET", Releasability.to("AUS", "GBR")),
        Label("AUS", "SECRET", Releasability.to("GBR", "USA")),
    ]
    assert POLICIES.releasable_to(POLICIES.roll_up(parts, "AUS", AT), UNIVERSE) == {"GBR", "USA"}


@pytest.mark.parametrize("row", VECTORS["roll_up"], ids=lambda row: f"{row['policy']}: {row['why']}")
def test_roll_up_vectors(row):
    parts = [decode_label(json.dumps(part).encode()) for part in row["labels"]]
    assert json.loads(encode_label(POLICIES.roll_up(parts, row["policy"], row["at"]))) == row["banner"]


@pytest.mark.parametrize("row", VECTORS["protect_as"], ids=lambda row: f"{row['label']} as {row['policy']}"[:70])
def test_protect_as_vectors(row):
    label = decode_label(json.dumps(row["label"]).encode())
    if "error" in row:
        with pytest.raises(AldisError) as caught:
            POLICIES.protect_as(label, row["policy"], row["at"])
        assert caught.value.code == row["error"]
    else:
        mapped = POLICIES.protect_as(label, row["policy"], row["at"])
        assert json.loads(encode_label(mapped)) == row["protected"]
