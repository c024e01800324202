"""What the tables say: facts with a source, terms, groups by date, equivalences."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import AT, POLICIES, UNIVERSE, label_any, labels, nations

from aldis.kernel.errors import InvalidInput, NeedsPerson, UnknownTerm
from aldis.kernel.labels import CONCEALED, REFUSED, UNMARKED, Label, Releasability
from aldis.kernel.policies import Direction, Equivalence, Policies, Unmarked, builtin
from aldis.kernel.policies.equivalences import equivalent


def ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def of(label: Label, **changes) -> Label:
    return label.narrowed(**changes)


SECRET = Label("US", "SECRET")


# Ladders


def test_every_row_names_its_source():
    for name in POLICIES.names:
        policy = POLICIES.policy(name)
        assert policy.authority
        values = [value for category in policy.categories.values() for value in category.values.values()]
        sources = [row.source for rows in (policy.ladder, policy.categories.values(), values) for row in rows]
        assert all(sources)
    assert all(row.source for row in POLICIES.equivalences)


@pytest.mark.parametrize(
    ("name", "ladder"),
    [
        ("US", ["UNCLASSIFIED", "CUI", "CONFIDENTIAL", "SECRET", "TOP SECRET"]),
        ("UK", ["OFFICIAL", "OFFICIAL-SENSITIVE", "SECRET", "TOP SECRET"]),
        ("AUS", ["UNOFFICIAL", "OFFICIAL", "OFFICIAL: Sensitive", "PROTECTED", "SECRET", "TOP SECRET"]),
        ("NATO", ["NATO UNCLASSIFIED", "NATO RESTRICTED", "NATO CONFIDENTIAL", "NATO SECRET", "COSMIC TOP SECRET"]),
        ("CAN", ["UNCLASSIFIED", "CONFIDENTIAL", "SECRET", "TOP SECRET"]),
        ("NZL", ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"]),
        ("TLP", ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]),
    ],
)
def test_the_ladders_of_2025(name, ladder):
    assert [rung.name for rung in POLICIES.policy(name).ladder if rung.in_use(AT)] == ladder


@pytest.mark.parametrize(
    ("policy", "classification", "last", "first_without"),
    [("UK", "CONFIDENTIAL", "2014-04-01", "2014-04-02"), ("AUS", "CONFIDENTIAL", "2020-09-30", "2020-10-01")],
)
def test_confidential_went_out_of_use(policy, classification, last, first_without):
    rung = POLICIES.policy(policy).rung(classification)
    assert rung.in_use(ms(last))
    assert not rung.in_use(ms(first_without))


def test_what_unmarked_means_differs_by_policy():
    us = POLICIES.policy("US")
    meaning = {rung.name: rung.unmarked for rung in us.ladder}
    assert meaning["UNCLASSIFIED"] is Unmarked.AGREEMENT
    assert {meaning[name] for name in ("CONFIDENTIAL", "SECRET", "TOP SECRET")} == {Unmarked.PERSON}
    assert POLICIES.releasable_to(SECRET, UNIVERSE) == frozenset()
    assert POLICIES.releasable_to(Label("US", "UNCLASSIFIED"), UNIVERSE) == UNIVERSE
    assert POLICIES.releasable_to(Label("UK", "SECRET"), UNIVERSE) == UNIVERSE
    assert POLICIES.releasable_to(of(SECRET, releasable=Releasability.to("GBR")), UNIVERSE) == {"GBR"}


@pytest.mark.parametrize(
    ("label", "asked"),
    [
        (SECRET, False),
        (of(SECRET, categories=(("Dissemination", frozenset({"ORCON", "ORCON-USGOV"})),)), True),
        (of(SECRET, categories=(("Dissemination", frozenset({"PROPIN"})),)), False),
        (Label("UK", "SECRET", categories=(("Handling", frozenset({"RECIPIENTS ONLY"})),)), True),
        (Label("AUS", "SECRET", categories=(("Special Handling", frozenset({"ORCON"})),)), True),
        (Label("TLP", "GREEN"), False),
        (Label("TLP", "AMBER"), True),
        (Label("TLP", "RED"), True),
    ],
)
def test_where_the_originator_must_be_asked(label, asked):
    assert POLICIES.originator_control(label) is asked


# Terms


@given(label_any())
def test_generated_labels_are_admitted(label):
    POLICIES.check(label)


@pytest.mark.parametrize(
    ("label", "says"),
    [
        (Label("USA", "SECRET"), "'USA' is not a policy. Did you mean US?"),
        (Label("US", "SECERT"), "'SECERT' is not a classification of policy US. Did you mean SECRET?"),
        (of(SECRET, categories=(("SCI ", frozenset({"SI"})),)), "Did you mean SCI?"),
        (of(SECRET, categories=(("SCI", frozenset({"TKK"})),)), "'TKK' is not a value of SCI. Did you mean TK?"),
        (of(SECRET, categories=(("SCI", frozenset({"SI", "SI-toolong"})),)), "'SI-toolong'"),
        (of(SECRET, releasable=Releasability.to("GBP")), "'GBP' is not a party. Did you mean GBR?"),
        (of(SECRET, releasable=Releasability.to(display=["ZZZ"])), "'ZZZ' is not a party"),
        (of(SECRET, releasable=Releasability.to("FVEY")), "a label lists the members of a group"),
        (of(SECRET, origins=frozenset({"UK"})), "'UK' is not a party"),
    ],
)
def test_an_unknown_term_is_named_with_the_nearest_known(label, says):
    with pytest.raises(UnknownTerm) as caught:
        POLICIES.check(label)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("label", "says"),
    [
        (of(SECRET, categories=(("SCI", frozenset()),)), "no value"),
        (of(SECRET, categories=(("SCI", frozenset({"SI-G"})),)), "needs SI too"),
        (Label("US", "CONFIDENTIAL", categories=(("SCI", frozenset({"TK"})),)), "must be at least SECRET"),
        (of(SECRET, categories=(("Administrative", frozenset({"FOUO"})),)), "must be at most UNCLASSIFIED"),
        (of(SECRET, categories=(("Non-IC", frozenset({"EXDIS"})),)), "must be refused"),
        (of(SECRET, categories=(("Joint", frozenset({"JOINT"})),)), "must name the origins"),
        (
            of(SECRET, origins=frozenset({CONCEALED, "GBR"}), categories=(("Joint", frozenset({"JOINT"})),)),
            "must name the origins",
        ),
        (of(SECRET, releasable=REFUSED, categories=(("Disclosure", frozenset({"RELIDO"})),)), "cannot be refused"),
    ],
)
def test_terms_that_do_not_go_together_are_refused(label, says):
    with pytest.raises(InvalidInput, match=says):
        POLICIES.check(label)


def test_concealed_foreign_information_is_a_known_origin():
    POLICIES.check(of(SECRET, origins=frozenset({CONCEALED})))


def test_a_policy_is_found_by_its_party():
    assert [POLICIES.policy_of(party).name for party in ("AUS", "GBR", "USA", "NATO")] == ["AUS", "UK", "US", "NATO"]
    with pytest.raises(UnknownTerm, match="'JPN'"):
        POLICIES.policy_of("JPN")


# Groups


@pytest.mark.parametrize(
    ("day", "count"),
    [
        ("1949-08-24", 12),
        ("1952-02-18", 14),
        ("1955-05-06", 15),
        ("1982-05-30", 16),
        ("1999-03-12", 19),
        ("2004-03-29", 26),
        ("2009-04-01", 28),
        ("2017-06-05", 29),
        ("2020-03-27", 30),
        ("2023-04-03", 30),
        ("2023-04-04", 31),
        ("2024-03-06", 31),
        ("2024-03-07", 32),
    ],
)
def test_nato_has_grown_by_date(day, count):
    assert len(POLICIES.members("NATO", ms(day))) == count


@pytest.mark.parametrize(
    ("group", "members"),
    [
        ("AUKUS", {"AUS", "GBR", "USA"}),
        ("FVEY", {"AUS", "CAN", "GBR", "NZL", "USA"}),
        ("ACGU", {"AUS", "CAN", "GBR", "USA"}),
        ("TEYE", {"AUS", "GBR", "USA"}),
        ("IP4", {"AUS", "JPN", "KOR", "NZL"}),
    ],
)
def test_members_of_the_groups_in_2025(group, members):
    assert POLICIES.members(group, AT) == members


def test_a_group_has_nobody_before_it_began():
    assert POLICIES.members("AUKUS", ms("2021-09-15"))
    with pytest.raises(InvalidInput, match="AUKUS had no members on 2021-09-14"):
        POLICIES.members("AUKUS", ms("2021-09-14"))


def test_a_member_that_joined_later_does_not_see_what_was_labelled_for_the_group_before():
    before, after = ms("2023-04-03"), ms("2024-03-07")
    old = Label("US", "SECRET", Releasability.to(*POLICIES.expand(["NATO"], before)))
    assert "NOR" in POLICIES.releasable_to(old, UNIVERSE)
    assert not {"FIN", "SWE"} & POLICIES.releasable_to(old, UNIVERSE)
    new = Label("US", "SECRET", Releasability.to(*POLICIES.expand(["NATO"], after)))
    assert {"FIN", "SWE"} <= POLICIES.releasable_to(new, UNIVERSE)
    assert not {"FIN", "SWE"} & POLICIES.releasable_to(POLICIES.roll_up([old, new], "US", after), UNIVERSE)


def test_an_organisation_is_itself_a_party():
    expanded = POLICIES.expand(["NATO"], AT)
    assert expanded == POLICIES.members("NATO", AT) | {"NATO"}
    assert POLICIES.contract(expanded, AT) == ("NATO",)
    with pytest.raises(InvalidInput, match="NATO cannot be named without its members"):
        POLICIES.contract({"GBR", "NATO"}, AT)


def test_an_unknown_party_or_group_does_not_expand():
    with pytest.raises(UnknownTerm, match="Did you mean AUKUS"):
        POLICIES.expand(["AUKS"], AT)


@given(nations(), st.sets(st.sampled_from(["NATO", "FVEY", "AUKUS", "ACGU"])))
def test_contracted_names_expand_to_the_same_parties(parties, groups):
    whole = POLICIES.expand([*parties, *groups], AT)
    assert POLICIES.expand(POLICIES.contract(whole, AT), AT) == whole


def test_the_largest_written_groups_are_named():
    assert POLICIES.contract(POLICIES.expand(["FVEY", "JPN"], AT), AT) == ("JPN", "FVEY")
    assert POLICIES.contract({"AUS", "GBR", "USA"}, AT) == ("AUS", "GBR", "USA")


# Equivalences

ROWS = [row for row in POLICIES.equivalences if row.direction is Direction.PROTECT_AS]


@pytest.mark.parametrize(
    ("policy", "level", "to", "day", "answer"),
    [
        ("US", "TOP SECRET", "UK", "2025-01-01", "TOP SECRET"),
        ("US", "CONFIDENTIAL", "UK", "2014-04-01", "CONFIDENTIAL"),
        ("US", "CONFIDENTIAL", "UK", "2014-04-02", "SECRET"),
        ("US", "CONFIDENTIAL", "AUS", "2020-09-30", "CONFIDENTIAL"),
        ("UK", "OFFICIAL-SENSITIVE", "US", "2025-01-01", "CONFIDENTIAL"),
        ("AUS", "SECRET", "US", "2025-01-01", "SECRET"),
        ("AUS", "SECRET", "UK", "2025-01-01", "SECRET"),
        ("NATO", "NATO RESTRICTED", "UK", "2025-01-01", "OFFICIAL-SENSITIVE"),
        ("NATO", "NATO CONFIDENTIAL", "US", "2025-01-01", "CONFIDENTIAL"),
        ("NZL", "CONFIDENTIAL", "CAN", "2025-01-01", "CONFIDENTIAL"),
    ],
)
def test_what_is_protected_as_what(policy, level, to, day, answer):
    assert POLICIES.protect_as(Label(policy, level), to, ms(day)).classification == answer


@pytest.mark.parametrize(
    ("policy", "level", "to", "day"),
    [
        ("US", "CONFIDENTIAL", "AUS", "2025-01-01"),
        ("NATO", "NATO RESTRICTED", "US", "2025-01-01"),
        ("NATO", "NATO CONFIDENTIAL", "UK", "2025-01-01"),
        ("AUS", "PROTECTED", "UK", "2025-01-01"),
        ("UK", "OFFICIAL", "US", "2025-01-01"),
        ("TLP", "AMBER", "US", "2025-01-01"),
        ("US", "SECRET", "AUS", "2002-11-06"),
    ],
)
def test_a_gap_is_for_a_person(policy, level, to, day):
    with pytest.raises(NeedsPerson, match="release officer"):
        POLICIES.protect_as(Label(policy, level), to, ms(day))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.policy} {row.classification} to {row.to_policy}")
def test_protect_as_never_lowers(row):
    source, target = POLICIES.policy(row.policy), POLICIES.policy(row.to_policy)
    back = [
        r
        for r in ROWS
        if (r.policy, r.classification, r.to_policy) == (target.name, row.to_classification, source.name)
    ]
    assert all(source.rank(r.to_classification) >= source.rank(row.classification) for r in back)
    for other in ROWS:
        if (other.policy, other.to_policy) != (row.policy, row.to_policy) or (row.until or AT) <= other.since:
            continue
        if (other.until or AT) > row.since and source.rank(other.classification) >= source.rank(row.classification):
            assert target.rank(other.to_classification) >= target.rank(row.to_classification)


@given(label_any(), st.sampled_from(POLICIES.names))
def test_mapping_keeps_control_and_origins_and_who_may_have_it(label, name):
    try:
        mapped = POLICIES.protect_as(label, name, AT)
    except NeedsPerson:
        return
    POLICIES.check(mapped)
    assert (mapped.control, mapped.origins) == (label.control, label.origins)
    owner = {POLICIES.policy(label.policy).owner}
    assert POLICIES.releasable_to(mapped, UNIVERSE) <= POLICIES.releasable_to(label, UNIVERSE) | owner


@given(labels("US"))
def test_a_restriction_without_an_equivalent_is_never_dropped(label):
    restricted = {"SCI", "SAP", "AEA", "Dissemination", "Non-IC"} & {tag for tag, _ in label.categories}
    try:
        POLICIES.protect_as(label, "UK", AT)
    except NeedsPerson:
        return
    assert not restricted


def test_an_instrument_may_agree_what_the_tables_leave_open():
    row = Equivalence(Direction.PROTECT_AS, "AUS", "OFFICIAL: Sensitive", "UK", "OFFICIAL-SENSITIVE", 0, "annex B")
    label = Label("AUS", "OFFICIAL: Sensitive")
    assert POLICIES.protect_as(label, "UK", AT, [row]).classification == "OFFICIAL-SENSITIVE"
    assert POLICIES.roll_up([label, Label("UK", "OFFICIAL")], "UK", AT, [row]).classification == "OFFICIAL-SENSITIVE"


def test_sources_that_contradict_each_other_are_for_a_person():
    rows = [Equivalence(Direction.PROTECT_AS, "AUS", "PROTECTED", "UK", to, 0, to) for to in ("SECRET", "TOP SECRET")]
    with pytest.raises(NeedsPerson, match=r"disagree \(SECRET, TOP SECRET\)"):
        equivalent(rows, rows[0].question, AT)


def test_a_clearance_counts_in_the_other_ladder():
    assert POLICIES.clearance_counts_as("UK", "SECRET", "US", AT) == "SECRET"
    assert POLICIES.clearance_counts_as("US", "TOP SECRET", "NATO", AT) == "COSMIC TOP SECRET"
    assert POLICIES.clearance_counts_as("US", "SECRET", "US", AT) == "SECRET"
    with pytest.raises(NeedsPerson):
        POLICIES.clearance_counts_as("US", "CONFIDENTIAL", "UK", AT)
    with pytest.raises(UnknownTerm):
        POLICIES.clearance_counts_as("US", "CONFIDENTAL", "UK", AT)


# Tables

TINY = {
    "groups": b"groups = []",
    "parties": b'source = "ISO 3166-1"\ncodes = ["AUS"]',
    "equivalences": b"rows = []",
    "x": b'[policy]\nname = "X"\nowner = "AUS"\nauthority = "none"\n'
    b'[[rungs]]\nname = "LOW"\nportion = "L"\nunmarked = "agreement"\nsource = "none"\n',
}


def test_a_nation_may_bring_its_own_tables():
    policies = Policies.from_tables(TINY)
    policies.check(Label("X", "LOW", Releasability.to("AUS")))
    assert policies.names == ("X",)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x", TINY["x"] + b"colour = 1\n"),
        ("x", TINY["x"].replace(b"agreement", b"anyone")),
        ("x", TINY["x"].replace(b'source = "none"', b"")),
        ("x", TINY["x"] + TINY["x"][TINY["x"].index(b"[[rungs]]") :]),
        ("x", b"not toml"),
        ("x", b"\xff"),
        ("y", TINY["x"]),
        (
            "equivalences",
            b'[[rows]]\ndirection="protect_as"\nfrom="X"\nto="Y"\nsince=2020-01-01\nsource="a"\nlevels={LOW="A"}',
        ),
    ],
)
def test_a_malformed_table_is_refused(name, data):
    with pytest.raises(InvalidInput):
        Policies.from_tables({**TINY, name: data})


def test_a_missing_table_is_named():
    with pytest.raises(InvalidInput, match="no policy table equivalences, groups, parties"):
        Policies.from_tables({"x": TINY["x"]})


def test_the_digest_changes_with_every_byte_and_every_name():
    digests = {
        Policies.from_tables(tables).digest
        for tables in (TINY, {**TINY, "x": TINY["x"] + b"# "}, {**TINY, "groups": b"groups = [ ]"})
    }
    assert len(digests) == 3
    renamed = {("z" if name == "x" else name): data for name, data in TINY.items()}
    assert Policies.from_tables(renamed).digest not in digests
    assert all(len(digest) == 32 for digest in digests)


def test_the_builtin_tables_are_read_once():
    assert builtin() is builtin()


@pytest.mark.parametrize("name", POLICIES.names)
def test_rules_name_only_what_the_policy_defines(name):
    policy = POLICIES.policy(name)
    for category in policy.categories.values():
        for value in category.values.values():
            for classification in filter(None, (value.lowest, value.highest)):
                policy.rung(classification)
            for tag, needed in value.needs:
                policy.category(tag).value(needed)
            category.closed([value.name])
            assert set(value.not_with) <= {"refused", "display"}
            assert not (value.highest and category.type.value == "restrictive")


def test_the_lowest_label_says_nothing():
    assert POLICIES.policy("US").lowest == Label("US", "UNCLASSIFIED", UNMARKED)
