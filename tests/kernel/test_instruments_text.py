"""Instruments as people write them: what reads, what is refused and where, and that writing reads back."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import day, make_world, policies

from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm
from aldis.kernel.instruments import Action, Form, Transform, parse_instrument, write_instrument

ARRANGEMENT = """\
instrument = "arrangement"
id = "pa-northern-watch"
title = "Northern Watch"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2028-12-31
under = "mou"

[[clause]]
id = "4.1"
kinds = ["track", "document"]
projects = ["NORTHERN-WATCH", ""]
purposes = ["surveillance"]
from = ["AUS"]
to = ["GBR", "USA"]
portions = ["position"]
ceiling = { AUS = "SECRET", UK = "SECRET" }
categories = { "SCI" = ["SI"] }
onward = ["USA"]
review = true
transforms = [
    { portion = "position", action = "coarsen", grid_m = 1000 },
    { portion = "position", action = "delay", seconds = 3600 },
    { portion = "identity", action = "pseudonymise" },
]

[[clause]]
id = "4.2"
kinds = ["*"]
projects = ["*"]
purposes = ["survey"]
ceiling = { AUS = "OFFICIAL" }
"""
LICENCE = """\
instrument = "licence"
id = "tdp"
title = "Technical data"
parties = ["AUS", "USA"]
from = 2026-01-01
until = 2026-12-31

[[clause]]
id = "1"
tags = ["USML:XI(c)"]
provisos = "No \\"retransfer\\".\\nReturn by 2030."
"""
EXEMPTION = """\
instrument = "exemption"
id = "aukus"
title = "AUKUS exemption"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2026-12-31
rule = "22 CFR 126.7"

[evidence]
activity_covered = true
within_territory = false

[[clause]]
id = "1"
tags = ["USML:XI(c)"]
"""
PAIRING = """\
instrument = "pairing"
id = "aus-gbr"
title = "Pairing"
parties = ["AUS", "GBR"]
from = 2026-01-01
until = 2026-12-31
"""


def test_an_arrangement_reads_as_it_is_written() -> None:
    read = parse_instrument(ARRANGEMENT, policies())
    assert (read.form, read.id, read.under) == (Form.ARRANGEMENT, "pa-northern-watch", "mou")
    assert (read.start, read.end) == (day("2026-01-01"), day("2029-01-01"))
    first, second = read.clauses
    assert first.givers == {"AUS"}
    assert first.takers == {"GBR", "USA"}
    assert first.ceiling == (("AUS", "SECRET"), ("UK", "SECRET"))
    assert first.categories == (("SCI", frozenset({"SI"})),)
    assert first.review
    assert first.transforms == (
        Transform("position", Action.COARSEN, grid_m=1000),
        Transform("position", Action.DELAY, seconds=3600),
        Transform("identity", Action.PSEUDONYMISE),
    )
    assert second.givers == second.takers == read.parties
    assert second.portions == {"*"}


def test_a_licence_an_exemption_and_a_pairing_read() -> None:
    licence = parse_instrument(LICENCE)
    assert licence.clauses[0].tags == {"USML:XI(c)"}
    assert "retransfer" in licence.clauses[0].provisos
    exemption = parse_instrument(EXEMPTION)
    assert exemption.evidence == {"activity_covered"}
    assert exemption.denied == {"within_territory"}
    assert parse_instrument(PAIRING).clauses == ()


IN_TIME = ARRANGEMENT.replace("review = true", "review = true\ndecide_within_days = 14")


def test_a_clause_may_say_how_soon_it_is_decided() -> None:
    assert [clause.decide_within_days for clause in parse_instrument(IN_TIME).clauses] == [14, 0]


@pytest.mark.parametrize("text", [ARRANGEMENT, LICENCE, EXEMPTION, PAIRING, IN_TIME])
def test_writing_reads_back_equal_and_is_normal(text: str) -> None:
    read = parse_instrument(text)
    written = write_instrument(read)
    assert parse_instrument(written) == read
    assert write_instrument(parse_instrument(written)) == written


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_every_instrument_of_a_world_reads_back_equal(seed: int) -> None:
    for entry in make_world(Random(seed)).epoch.instruments:
        assert parse_instrument(write_instrument(entry.instrument)) == entry.instrument


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_any_title_survives_writing(title: str) -> None:
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in title):
        return
    lines = write_instrument(parse_instrument(PAIRING)).splitlines()
    read = parse_instrument(write_instrument(replace(parse_instrument(PAIRING), title=title)))
    assert read.title == title
    assert lines[0] == 'instrument = "pairing"'


WRONG = [
    ('"arrangement"', '"arangement"', UnknownTerm, "line 1, instrument", "Did you mean 'arrangement'"),
    ("title =", "titel =", UnknownTerm, "line 3, titel", "Did you mean 'title'"),
    ('title = "Northern Watch"\n', "", InvalidInput, "'title' is missing", "Add a line"),
    ('id = "pa-northern-watch"', 'id = "PA Northern"', InvalidInput, "line 2, id", "not an id"),
    ('["AUS", "GBR", "USA"]', '["AUS", "GBR", "usa"]', InvalidInput, "line 4, parties", "'usa'"),
    ('["AUS", "GBR", "USA"]', '["AUS"]', InvalidInput, "line 4, parties", "two"),
    ('["AUS", "GBR", "USA"]', '["AUS", "AUS"]', InvalidInput, "line 4, parties", "twice"),
    ("from = 2026-01-01", 'from = "2026-01-01"', InvalidInput, "line 5, from", "not a date"),
    ("from = 2026-01-01", "from = 2026-01-01T00:00:00Z", InvalidInput, "line 5, from", "not a date"),
    ("from = 2026-01-01", "from = 2026-02-30", InvalidInput, "not TOML", ""),
    ("until = 2028-12-31", "until = 2025-12-31", InvalidInput, "line 6, until", "before the first"),
    ("kinds = [", "kindz = [", UnknownTerm, "line 11, clause 4.1 kindz", "Did you mean 'kinds'"),
    ('id = "4.2"', 'id = "4.1"', InvalidInput, "line 28, clause 4.1 id", "two clauses"),
    ('id = "4.2"', 'id = "4 2"', InvalidInput, "line 28, clause 4 2 id", "not an id"),
    ('to = ["GBR", "USA"]', 'to = ["GBR", "FRA"]', UnknownTerm, "line 15, clause 4.1 to", "'FRA' is not a party"),
    ('onward = ["USA"]', 'onward = ["FRA"]', UnknownTerm, "line 19, clause 4.1 onward", "'FRA' is not a party"),
    ('AUS = "SECRET"', 'AUS = "SEKRET"', UnknownTerm, "line 17, clause 4.1 ceiling", "SEKRET"),
    ('AUS = "SECRET"', 'ZZZ = "SECRET"', UnknownTerm, "line 17, clause 4.1 ceiling", "ZZZ"),
    ('{ AUS = "OFFICIAL" }', "{}", InvalidInput, "line 32, clause 4.2 ceiling", "not a classification per policy"),
    ("review = true", 'review = "yes"', InvalidInput, "line 20, clause 4.1 review", "neither true nor false"),
    ("review = true", "decide_within_days = 0", InvalidInput, "line 20, clause 4.1 decide_within_days", "1 to 366"),
    ("review = true", "decide_within_days = 367", InvalidInput, "line 20, clause 4.1 decide_within_days", "1 to 366"),
    ("review = true", "tags = ['X']", UnknownTerm, "line 20, clause 4.1 tags", "no field 'tags'"),
    ('["surveillance"]', "[]", InvalidInput, "line 13, clause 4.1 purposes", "permits nothing"),
    ('["surveillance"]', '["*"]', InvalidInput, "line 13, clause 4.1 purposes", "not a value"),
    ('["surveillance"]', '"surveillance"', InvalidInput, "line 13, clause 4.1 purposes", "not a list"),
    ('"coarsen"', '"blur"', UnknownTerm, "line 21, clause 4.1 transforms", "'blur'"),
    ("grid_m = 1000", "grid = 1000", UnknownTerm, "line 21, clause 4.1 transforms", "Did you mean 'grid_m'"),
    ("grid_m = 1000", "grid_m = -1", InvalidInput, "clause 4.1 transforms", "whole number"),
    ("grid_m = 1000", "seconds = 0", InvalidInput, "clause 4.1 transforms", "does nothing"),
    ('"identity", action = "pseudonymise"', '"position", action = "coarsen", grid_m = 5', InvalidInput, "4.1", "twice"),
    ('purposes = ["survey"]\n', "", InvalidInput, "clause 4.2", "'purposes' is missing"),
]


@pytest.mark.parametrize(("old", "new", "error", "where", "what"), WRONG)
def test_what_is_wrong_is_named_with_its_place(
    old: str, new: str, error: type[InvalidInput], where: str, what: str
) -> None:
    assert old in ARRANGEMENT
    with pytest.raises(error) as caught:
        parse_instrument(ARRANGEMENT.replace(old, new, 1), policies())
    assert where in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("text", "old", "new", "what"),
    [
        (EXEMPTION, "126.7", "126.8", "no exemption rule '22 CFR 126.8'"),
        (EXEMPTION, "within_territory", "within_teritory", "Did you mean 'within_territory'"),
        (EXEMPTION, "= false", '= "no"', "neither true nor false"),
        (EXEMPTION, 'rule = "22 CFR 126.7"\n', "", "'rule' is missing"),
        (LICENCE, "tags = [", "purposes = [", "no field 'purposes' in a clause of 'licence'"),
        (LICENCE, '["USML:XI(c)"]', '["*"]', "not a value of tags"),
        (LICENCE, LICENCE[LICENCE.index("[[clause]]") :], "", "without a clause"),
        (PAIRING, "until", 'rule = "x"\nuntil', "no field 'rule'"),
        (PAIRING, "instrument =", "instrument", "not TOML"),
    ],
)
def test_other_forms_are_closed_too(text: str, old: str, new: str, what: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_instrument(text.replace(old, new, 1))
    assert what in str(caught.value)


def test_a_text_beyond_the_limits_is_refused() -> None:
    with pytest.raises(TooLarge):
        parse_instrument("#" * 300_000)
    with pytest.raises(TooLarge):
        parse_instrument(LICENCE + '[[clause]]\nid = "x"\ntags = ["t"]\n' * 300)
