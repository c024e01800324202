"""`init`, `invite`, `join`: nothing is pinned unless the digits match."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from cli_nations import Coalition, Nation, nation

from aldis.node.node import Node


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Nation, Nation]:
    """Two nodes that have not met."""
    monkeypatch.chdir(tmp_path)
    return nation("AUS", tmp_path), nation("GBR", tmp_path)


def test_the_wrong_fingerprint_pairs_nobody(strangers: tuple[Nation, Nation]) -> None:
    aus, gbr = strangers
    aus.run("invite", "GBR")
    said = gbr.fails(4, "join", "aus-gbr.invite", "--fingerprint", "12345 " * 6)
    assert "the fingerprints of aus do not match; nothing was changed" in said
    assert gbr.ask("partner", "list")["partners"] == []
    assert not Path("gbr-aus.reply").exists()
    assert "a fingerprint has 30 digits" in gbr.fails(2, "join", "aus-gbr.invite", "--fingerprint", "12345")


def test_without_a_terminal_the_digits_must_be_given(strangers: tuple[Nation, Nation]) -> None:
    aus, gbr = strangers
    digits = aus.ask("invite", "GBR")["fingerprint"]
    said = gbr.fails(2, "join", "aus-gbr.invite")
    assert "--fingerprint" in said and "read" in said
    assert digits not in said, "the file's own digits prove nothing and must not be offered for copying"
    assert gbr.ask("partner", "list")["partners"] == []


@pytest.mark.parametrize(("answer", "code", "partners"), [("y\n", 0, 1), ("n\n", 4, 0)])
def test_on_a_terminal_a_person_compares(
    strangers: tuple[Nation, Nation], answer: str, code: int, partners: int
) -> None:
    aus, gbr = strangers
    digits = aus.ask("invite", "GBR")["fingerprint"]
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "aldis", "--home", str(gbr.home), "join", "aus-gbr.invite"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:
            pass
        assert process.wait(20) == code
    os.close(ours)
    for words in ("node         aus", "party        AUS", "ceiling", "https://127.0.0.1:7461", digits):
        assert words in shown.decode()
    assert len(gbr.ask("partner", "list")["partners"]) == partners


def test_an_invitation_for_another_party_or_of_last_week_is_refused(strangers: tuple[Nation, Nation]) -> None:
    aus, gbr = strangers
    aus.run("invite", "USA")
    assert "the invitation is for AUS, USA" in gbr.fails(3, "join", "aus-usa.invite", "--fingerprint", "1" * 30)

    class Before:
        def now(self) -> int:
            return 1_700_000_000_000

    with Node.open(aus.home, environment={}, clock=Before()) as node:
        Path("old.invite").write_bytes(node.partners.invite("GBR"))
    assert "older than a week" in gbr.fails(4, "join", "old.invite", "--fingerprint", "1" * 30)


def test_what_is_no_invitation_is_refused(strangers: tuple[Nation, Nation]) -> None:
    _, gbr = strangers
    Path("junk").write_bytes(b"junk")
    assert "not a signed message" in gbr.fails(2, "join", "junk", "--fingerprint", "1" * 30)
    Path("big").write_bytes(bytes(300_000))
    assert "is larger than" in gbr.fails(2, "join", "big", "--fingerprint", "1" * 30)
    assert "No such file" in gbr.fails(1, "join", "nowhere", "--fingerprint", "1" * 30)


def test_an_invitation_names_a_party_that_exists(strangers: tuple[Nation, Nation]) -> None:
    aus, _ = strangers
    assert "Did you mean" in aus.fails(2, "invite", "GRB")
    assert "Did you mean GBR?" in aus.fails(2, "invite", "gbr")


def test_init_makes_sensible_choices_and_says_them(tmp_path: Path) -> None:
    usa = Nation("USA", tmp_path)
    made = usa.ask("init", "USA")
    assert (made["node"], made["policy"], made["ceiling"]) == ("usa", "US", "CUI")
    assert oct((usa.home / "keys" / "signing.key").stat().st_mode)[-3:] == "600"
    assert "holds a node already" in usa.fails(2, "init", "USA")
    jpn = Nation("JPN", tmp_path)
    assert "Choose one with --policy" in jpn.fails(2, "init", "JPN")
    assert jpn.ask("init", "JPN", "--policy", "US", "--node", "jpn-low")["node"] == "jpn-low"
    assert "Did you mean SECRET?" in Nation("GBR", tmp_path).fails(2, "init", "GBR", "--ceiling", "SECRTE")


def test_partners_are_named_by_node_or_party(coalition: Coalition) -> None:
    assert coalition.aus.ask("partner", "show", "GBR")["node"] == "gbr"
    assert "Name one of these nodes: gbr, usa" in coalition.aus.fails(2, "partner", "show", "nobody")
