"""`aldis backup` and `aldis restore`, as typed."""

from __future__ import annotations

from pathlib import Path

from cli_nations import Coalition, Nation, put_plan

WORDS = "correct horse battery staple"


def test_a_node_is_backed_up_verified_restored_and_told_what_comes_next(coalition: Coalition, tmp_path: Path) -> None:
    aus = coalition.aus
    put_plan(aus)
    words = aus.write("words", f"{WORDS}\n")
    made = aus.ask("backup", "aus.backup", "--passphrase-file", words)
    assert (made["node"], made["file"]) == ("aus", "aus.backup")
    assert aus.ask("backup", "--verify", "aus.backup", "--passphrase-file", words)["size"] == made["size"]
    typed = aus.run("backup", "--verify", "aus.backup", "--passphrase-file", "-", text=f"{WORDS}\r\nmore\n")
    assert "Every byte of aus.backup is authentic." in typed.stdout

    aus.home.rename(tmp_path / "lost")
    said = aus.run("restore", "aus.backup", "--passphrase-file", words).stderr
    for told in ("aldis doctor --new-epoch all", "aldis partner accept-ledger aus", "Partners will notice", "gbr"):
        assert told in said
    assert any(row["name"] == "backup" and row["ok"] is False for row in aus.ask("doctor", code=1)["checks"])
    assert "--new-epoch all" in aus.fails(2, "bundle", "export", "gbr", "-o", "post")
    aus.run("doctor", "--new-epoch", "all", "--yes")
    assert "backup" not in [row["name"] for row in aus.ask("doctor")["checks"]]
    assert aus.ask("get", "plan")["id"] == "plan"


def test_what_cannot_be_backed_up_or_restored_is_said(coalition: Coalition, tmp_path: Path) -> None:
    aus = coalition.aus
    words, other = aus.write("words", WORDS), aus.write("other", "another horse battery")
    assert "--passphrase-file" in aus.fails(2, "backup", "b")
    assert "takes 12" in aus.fails(2, "backup", "b", "--passphrase-file", aus.write("short", "short"))
    aus.run("backup", "b", "--passphrase-file", words)
    assert "exists already" in aus.fails(2, "backup", "b", "--passphrase-file", words)
    assert "passphrase is not that" in aus.fails(4, "backup", "--verify", "b", "--passphrase-file", other)
    assert "not empty" in aus.fails(2, "restore", "b", "--passphrase-file", words)
    assert "not a backup" in aus.fails(2, "backup", "--verify", words, "--passphrase-file", words)
    (tmp_path / "b").write_bytes((tmp_path / "b").read_bytes()[:-100])
    new = Nation("NEW", tmp_path)
    assert new.fails(4, "restore", "b", "--passphrase-file", words)
    assert not new.home.exists()
