"""Instruments in words, and compared clause by clause."""

from __future__ import annotations

from scene import ARRANGEMENT, LICENCE

from aldis.kernel.instruments import clause_words, compare, head_words, parse_instrument

BEFORE = parse_instrument(ARRANGEMENT)


def test_a_clause_says_what_it_permits_and_what_it_leaves_open() -> None:
    first, second, _ = BEFORE.clauses
    said = clause_words(first, BEFORE)
    assert said["who gives"] == "AUS" and said["to whom"] == "GBR, USA"
    assert said["portions"] == "every portion" and said["onward"] == "may be passed on to USA"
    assert said["a person decides"] == "no: what fits goes by itself"
    assert said["changed on the way"] == (
        "position: coarsened to 1,000 m; identity: under a pseudonym; voyage: delayed by 3,600 s"
    )
    reviewed = clause_words(second, BEFORE)
    assert reviewed["a person decides"] == "a release officer, each time"
    assert reviewed["who gives"] == "each of its parties (AUS, GBR, USA)"
    licence = parse_instrument(LICENCE)
    assert not {"onward", "a person decides", "portions"} & clause_words(licence.clauses[0], licence).keys()
    assert head_words(BEFORE)["until"] == "2028-12-31"


def test_two_versions_differ_by_what_each_clause_says_and_not_by_how_it_is_written() -> None:
    assert compare(BEFORE, parse_instrument(ARRANGEMENT + "\n# a remark\n")).nothing
    text = ARRANGEMENT.replace("2028-12-31", "2030-12-31").replace("grid_m = 1000", "grid_m = 500")
    text = text.replace('id = "4.2"', 'id = "4.3"').replace('"USA"]\nfrom', '"USA", "CAN"]\nfrom', 1)
    found = compare(BEFORE, parse_instrument(text))
    assert [(one.field, one.before, one.after) for one in found.head] == [
        ("parties", "AUS, GBR, USA", "AUS, CAN, GBR, USA"),
        ("until", "2028-12-31", "2030-12-31"),
    ]
    assert [clause.id for clause in found.added] == ["4.3"] and [clause.id for clause in found.removed] == ["4.2"]
    [changed] = found.changed
    assert changed.id == "4.1"
    [difference] = changed.differences
    assert difference.before.startswith("position: coarsened to 1,000 m")
    assert difference.after.startswith("position: coarsened to 500 m")
    assert found.same == ("5",) and not found.nothing
