"""What pages about instruments and the desk are made of, without a page."""

from __future__ import annotations

from types import MappingProxyType

from aldis.interfaces.web.markings import Chip
from aldis.interfaces.web.pages.cases import passages
from aldis.interfaces.web.pages.desk import came, failures
from aldis.interfaces.web.pages.items import Part
from aldis.interfaces.web.pages.previews import groups, headline, lost_headline
from aldis.interfaces.web.pages.timeline import Span, timeline
from aldis.kernel.labels import Label
from aldis.kernel.preview import Gain, Loss
from aldis.kernel.transforms import Transformed, Withheld

YEAR = 31_556_952_000
NOW = 56 * YEAR + YEAR // 2
"""In 2026."""


def gain(records: int, tagged: int = 0, referred: int = 0) -> Gain:
    names = tuple(f"r-{number}" for number in range(records))
    return Gain(
        "jpn-low", "JPN", names, MappingProxyType({"body": records}), MappingProxyType({"USML:XI(c)": tagged}),
        tuple(f"w-{number}" for number in range(referred)), MappingProxyType({"track": records}),
        MappingProxyType({("AUS", "SECRET"): records}), names[:tagged],
    )  # fmt: skip


def test_a_gain_is_said_in_a_sentence_with_what_is_controlled() -> None:
    assert headline(gain(312, 14)) == (
        "Newly released: 312 records to JPN (jpn-low), of them 14 with export-control tags"
    )
    assert headline(gain(1)).endswith("none with an export-control tag")
    assert headline(gain(0, referred=2)) == (
        "For a release officer to decide: 2 records for JPN (jpn-low); nothing would go by itself"
    )
    assert headline(gain(1, 0, 2)).endswith("; for a release officer to decide: 2 records")
    assert groups(gain(312, 14))[0] == ("Export control", "USML:XI(c)", "14 parts")
    assert ("Classification", "AUS SECRET", "312 records") in groups(gain(312, 14))
    lost = Loss("jpn-low", "JPN", ("a", "b"), MappingProxyType({"track": 2}))
    assert lost_headline(lost) == "Would stop: some part of 2 records to JPN (jpn-low): 2 track"


def test_a_time_line_has_todays_line_and_shows_what_is_void_after_a_notice() -> None:
    line = timeline(
        [Span("pa", NOW - YEAR, NOW + 2 * YEAR, "holds", NOW + YEAR), Span("old", 0, 90 * YEAR, "waits")], NOW
    )
    whole, old = line.bars
    assert 0 < whole.left < line.today < whole.void_left < 100 and whole.void_width > 0
    assert abs(whole.left + whole.width - whole.void_left) < 0.02 and not whole.goes_on
    assert old.goes_on and [old.left, old.void_width] == [0, 0]
    assert len(line.years) <= 8 and line.years[0][0] == 2022
    assert not timeline([], NOW).bars


def test_what_cannot_be_changed_as_the_clause_asks_stays() -> None:
    label = Label("AUS", "OFFICIAL")
    shown = [Part(name, label, f"text of {name}", True) for name in ("title", "position", "body", "annex")]
    goes = {"title": "", "position": "coarsen 1000 m", "body": "pseudonymise"}
    becomes: dict[str, Transformed | Withheld] = {
        "position": Withheld("it has no position"),
        "body": Transformed("q7x", "pseudonymise"),
    }
    found = passages(shown, {"position", "body"}, goes, becomes, {part.name: Chip("(O)", "grey") for part in shown})
    assert [(one.part.name, one.fate, one.after) for one in found] == [
        ("title", "goes", ""), ("position", "stays", ""), ("body", "asked", "q7x"), ("annex", "stays", ""),
    ]  # fmt: skip
    assert found[1].how == "it cannot be changed as the clause asks: it has no position"


def test_what_came_of_several_says_who_still_waits_for_another_officer() -> None:
    assert came(["approved", "open", "approved"], 0) == "2 approved, 1 approved by you, waiting for another officer"
    assert came(["denied", "superseded"], 1) == (
        "1 denied, 1 no longer waiting, 1 not ruled on: each says why below, and waits as before"
    )


def test_an_address_says_no_more_than_known_words_about_what_failed() -> None:
    assert failures("12:changed x:changed 13:<script> 9999999999999:refused") == {
        12: "It had changed since you looked: look at it again",
        13: "It waited no more, or could not be ruled on so",
    }
