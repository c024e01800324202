"""Test cases as people write them: what can be read, and what is said of what cannot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.cases import read_case
from aldis.apps.experiments.cases.case import MOST_BYTES, STEPS, Class, Share, criteria_of
from aldis.apps.experiments.cases.findings import Reason
from aldis.apps.experiments.cases.verdict import AT_MOST
from aldis.kernel.errors import AldisError, InvalidInput, TooLarge, UnknownTerm

WHOLE = """\
case = "sea-picture"
title = "The sea picture"

[[step]]
name = "seen"
does = "sense"
who = "aus/sea"
what = "mmsi:*"

[[step]]
name = "shared"
does = "share"
who = "aus/sea"
to = "gbr/tak"
of = "seen"
permitted = ["position", "identity.name"]
latency_p95_s = 2
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "case.toml"
    path.write_text(text)
    return path


def test_a_case_is_read_with_its_bytes_and_its_criteria(tmp_path: Path) -> None:
    case = read_case(written(tmp_path, WHOLE))
    assert (case.name, [step.name for step in case.steps]) == ("sea-picture", ["seen", "shared"])
    assert case.data == WHOLE.encode()
    assert len(case.digest) == 64
    shared = case.step("shared")
    assert isinstance(shared, Share)
    assert list(criteria_of(shared)) == [("permitted", ("position", "identity.name")), ("latency_p95_s", 2.0)]


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("latency_p95_s", "latency_p9_s", 17, "Did you mean 'latency_p95_s'?"),
        ('does = "sense"', 'does = "sens"', 6, "sense, report, share, task, act, confirm"),
        ('title = "The', 'titel = "The', 2, "Did you mean 'title'?"),
        ('"identity.name"', '"identity.nam"', 16, "Did you mean 'identity.name'?"),
        ('of = "seen"', 'of = "sean"', 15, "Did you mean 'seen'?"),
        ('who = "aus/sea"\nto', 'who = "aus"\nto', 13, "NODE/SYSTEM"),
        ("= 2\n", '= "2"\n', 17, "latency_p95_s"),
        ("= 2\n", "= -2\n", 17, "latency_p95_s"),
        ("= 2\n", "= nan\n", 17, "latency_p95_s"),
        ('to = "gbr/tak"\n', "", 10, "to"),
        ('name = "shared"', 'name = "seen"', 11, "two steps"),
        ('does = "share"', 'does = "act"', 14, "to"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_what_may_stand_there(
    tmp_path: Path, before: str, after: str, line: int, words: str
) -> None:
    assert before in WHOLE
    path = written(tmp_path, WHOLE.replace(before, after))
    with pytest.raises(InvalidInput) as found:
        read_case(path)
    assert f"{path}, line {line}" in str(found.value)
    assert words in str(found.value)


def test_an_act_and_a_confirmation_are_of_a_task(tmp_path: Path) -> None:
    step = '\n[[step]]\nname = "moves"\ndoes = "act"\nwho = "usa/boat"\nof = "seen"\n'
    with pytest.raises(InvalidInput, match="of no task"):
        read_case(written(tmp_path, WHOLE + step))


def test_a_file_that_is_no_case_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no TOML"):
        read_case(written(tmp_path, "case = "))
    with pytest.raises(TooLarge):
        read_case(written(tmp_path, "#" * (MOST_BYTES + 1)))
    with pytest.raises(InvalidInput, match="cannot read"):
        read_case(tmp_path / "nowhere.toml")
    deep = tmp_path / "deep.toml"
    deep.write_text("a = " + "[" * 20_000)
    with pytest.raises(InvalidInput):
        read_case(deep)


@given(st.binary(max_size=200), st.integers(0, len(WHOLE)), st.integers(0, 40))
def test_whatever_stands_in_a_file_is_a_case_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.toml"
    path.write_bytes(WHOLE.encode()[:at] + noise + WHOLE.encode()[at + cut :])
    try:
        read_case(path)
    except AldisError as error:
        assert error.fix


def test_every_verb_is_a_step() -> None:
    assert list(STEPS) == ["sense", "report", "share", "task", "act", "confirm"]
    assert issubclass(UnknownTerm, InvalidInput)


def test_every_key_and_every_reason_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "test-cases.md").read_text()
    words = {"case", "title", "text", "cutoff_m", "does", *get_args(Reason), *get_args(Class)}
    for verb, step in STEPS.items():
        words |= {verb, *step.__struct_fields__}
    for word in words:
        assert f"`{word}`" in page, word
    for reason, verdict in AT_MOST.items():
        assert re.search(rf"^\| [^|]*`{reason}`[^|]*\|[^|]*\| {verdict} \|$", page, re.MULTILINE), reason
