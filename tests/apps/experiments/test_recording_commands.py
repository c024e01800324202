"""`aldis experiment verify` and `score`, as they are typed, where there is no node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from recorded import MARKING, fill, other_key, recorder, signer, whole

from aldis.apps.experiments.recorder import key_text
from aldis.interfaces.cli.main import cli
from aldis.kernel.encoding import b64


def typed(*words: str | Path) -> Result:
    return CliRunner(env={"ALDIS_HOME": "/nowhere"}).invoke(cli, ["experiment", *map(str, words)])


def data(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_an_intact_recording_with_its_nodes_key_is_intact(tmp_path: Path) -> None:
    by = signer()
    path = whole(tmp_path, by)
    result = typed("verify", path, "--sealed-by", key_text(by.public))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(MARKING)
    assert result.stdout.rstrip().endswith("intact")
    found = data(typed("verify", path, "--sealed-by", key_text(by.public), "--json"))
    assert (found["verdict"], found["vouched"], found["missing"]) == ("intact", True, [])


@pytest.mark.parametrize("wrap", [True, False])
def test_the_key_may_be_in_a_sheet(tmp_path: Path, wrap: bool) -> None:
    by = signer()
    path = whole(tmp_path, by)
    sheet = {"node": "aus-low", "algorithm": by.public.algorithm.value, "key": b64(by.public.raw)}
    file = tmp_path / "sheet.json"
    file.write_text(json.dumps({"sheet": sheet} if wrap else sheet))
    assert typed("verify", path, "--sealed-by", file).exit_code == 0
    file.write_text("{}")
    assert typed("verify", path, "--sealed-by", file).exit_code == 2
    assert typed("verify", path, "--sealed-by", "ed25519:short").exit_code == 2


def test_without_a_key_nothing_is_vouched_for(tmp_path: Path) -> None:
    result = typed("verify", whole(tmp_path, signer()))
    assert result.exit_code == 1
    assert "by a key that nobody vouched for" in result.stdout
    assert "--sealed-by" in result.stderr


def test_an_altered_recording_is_named_with_its_message_and_not_scored(tmp_path: Path) -> None:
    by = signer()
    path = whole(tmp_path, by)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"pseudonym:1")] ^= 1
    path.write_bytes(raw)
    result = typed("verify", path, "--sealed-by", key_text(by.public))
    assert result.exit_code == 4
    assert "message 1 of /egress/gbr-low/track is not what was recorded" in result.stdout
    assert typed("score", path).exit_code == 4


def test_another_nodes_key_does_not_pass(tmp_path: Path) -> None:
    path = whole(tmp_path, signer())
    result = typed("verify", path, "--sealed-by", key_text(other_key()))
    assert result.exit_code == 4
    assert "foreign" in result.stdout
    assert typed("score", path, "--sealed-by", key_text(other_key())).exit_code == 4


def test_a_recording_that_was_never_closed_is_limited_and_lacks_nothing_once_it_went_on(tmp_path: Path) -> None:
    by = signer()
    with recorder(tmp_path, by) as made:
        for part in range(3):
            fill(made, 10, seed=part)
            made.flush()
    (first,) = made.segments
    raw = first.read_bytes()
    with recorder(tmp_path, by) as made:
        made.flush()
    (second,) = made.segments
    key = ("--sealed-by", key_text(by.public))
    first.write_bytes(raw[: raw.index(b"aldis.close") - 13])
    assert typed("verify", first, *key).exit_code == 1
    both = typed("verify", second, first, *key)
    assert both.exit_code == 0, both.stdout
    assert typed("verify", second, *key).exit_code == 1
    assert "missing: what came before file 2" in typed("verify", second, *key).stdout
    assert data(typed("score", first, second, *key, "--json"))["complete"] is True
    first.write_bytes(raw[: len(raw) // 2])
    assert typed("verify", first, second, *key).exit_code == 1
    assert data(typed("score", first, second, *key, "--json"))["complete"] is False


def test_a_score_is_the_same_each_time_and_says_who_saw_what(tmp_path: Path) -> None:
    path = whole(tmp_path, signer())
    one, two = (data(typed("score", path, "--json")) for _ in range(2))
    assert one == two
    found = one["scores"]["gbr-low"]
    assert len(found["digest"]) == 64
    assert one["markings"] == [MARKING]
    assert found["expected"] == 40
    assert data(typed("score", path, "--cutoff", "20", "--json"))["scores"]["gbr-low"]["digest"] != found["digest"]
    shown = typed("score", path)
    assert MARKING in shown.stderr
    assert "gbr-low" in shown.stdout
    assert found["digest"][:16] in shown.stdout


def test_what_a_recording_does_not_hold_is_said_with_what_it_does(tmp_path: Path) -> None:
    path = whole(tmp_path, signer())
    for words in (("--truth", "radar"), ("--view", "usa-low")):
        result = typed("score", path, *words)
        assert result.exit_code == 2
    assert typed("score", path, "--step", "0").exit_code == 2
    assert typed("score", path, "--cutoff", "-1").exit_code == 2
    assert typed("score", path, "--truth", "usv-1", "--view", "gbr-low").exit_code == 0
    assert typed("verify", tmp_path / "absent").exit_code == 2
