"""OpenTDF's own SDK, a process of its own: it reads what is sealed here, and what it seals is read here."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_nations import Coalition
from kas_scene import WORDS, Server, policy, seal, two_servers

from aldis.interfaces.remote_kas import RemoteKas
from aldis.kernel.errors import RefusedByPolicy
from aldis.kernel.tdf import open_tdf

SDK = Path(__file__).parents[1] / "opentdf"
NODE = shutil.which("node") or shutil.which("node", path=Path(sys.executable).parent)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not NODE, reason="no node: install Node.js 20 or later"),
    pytest.mark.skipif(not (SDK / "node_modules").is_dir(), reason="no OpenTDF SDK: `make slow` installs it"),
]


def sdk(what: str, source: Path, target: Path, kas: dict[str, str], **more: Any) -> str:
    """Let the SDK seal or open a file; what it says where it fails."""
    asked = {"do": what, "in": str(source), "out": str(target), "kas": kas, **more}
    environment = {"PATH": os.environ["PATH"], "HOME": str(target.parent)}
    done = subprocess.run(
        [str(NODE), str(SDK / "sdk.mjs")], input=json.dumps(asked), capture_output=True, text=True, timeout=60,
        env=environment, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) is target.exists(), done.stderr
    return done.stderr if done.returncode else ""


@pytest.fixture
def servers(coalition: Coalition) -> Iterator[tuple[Server, Server]]:
    with two_servers(coalition) as both:
        yield both


def test_the_sdk_reads_what_is_sealed_here_with_keys_from_this_server(servers, tmp_path):
    aus, _ = servers
    token, out = aus.hire("alice"), tmp_path / "out.md"
    file = seal(aus, form="3.0.0")
    assert sdk("open", file, out, {aus.url: token}) == ""
    assert WORDS in out.read_text("utf-8")
    assert aus.leaves() == [("unwrapped", "", "alice")]


def test_the_sdk_puts_together_the_shares_of_two_nations_servers(servers, tmp_path):
    aus, gbr = servers
    file, out = seal(aus, gbr, form="3.0.0"), tmp_path / "out.md"
    alice, george = aus.hire("alice"), gbr.hire("george")
    assert "Unable to decrypt" in sdk("open", file, out, {aus.url: alice, gbr.url: "x" * 43})
    alice = aus.sign_in("alice")
    assert sdk("open", file, out, {aus.url: alice, gbr.url: george}) == ""
    assert WORDS in out.read_text("utf-8")
    assert [leaf[0] for leaf in gbr.leaves()] == ["unwrapped"]


def test_the_sdk_gets_nothing_for_a_person_who_may_not_have_it(servers, tmp_path):
    aus, _ = servers
    file, out = seal(aus, form="3.0.0"), tmp_path / "out.md"
    low = aus.hire("low", clearance={"AUS": "OFFICIAL"})
    assert "Unable to decrypt" in sdk("open", file, out, {aus.url: low})
    assert not out.exists()


@pytest.mark.parametrize("size", [1, 70_000, 300_001])
def test_what_the_sdk_seals_is_read_here_and_by_itself(servers, tmp_path, size):
    aus, gbr = servers
    plain, file, out = os.urandom(size), tmp_path / "sdk.tdf", tmp_path / "out"
    (tmp_path / "in").write_bytes(plain)
    token = aus.hire("alice")
    made = policy(aus)
    assert sdk("seal", tmp_path / "in", file, {aus.url: token}, policy=made, window=65_536) == ""
    opened = open_tdf(io.BytesIO(file.read_bytes()), RemoteKas({aus.url: aus.sign_in("alice")}).unwrap)
    assert b"".join(opened.segments()) == plain
    assert json.loads(opened.policy) == made
    assert sdk("open", file, out, {aus.url: token}) == "", "sealing asked for nothing, so it is the session's first key"
    assert out.read_bytes() == plain
    assert "401" in sdk("open", file, tmp_path / "again", {aus.url: token}), "another process has another key"
    low = RemoteKas({aus.url: aus.hire("low", clearance={"AUS": "OFFICIAL"})})
    with pytest.raises(RefusedByPolicy):
        open_tdf(io.BytesIO(file.read_bytes()), low.unwrap)
    key = str(aus.node.key_access.folder / "aus.key")
    (tmp_path / "token").write_text(aus.sign_in("alice"))
    gbr.nation.run("tdf", "open", str(file), "--kas-key", key, "-o", str(tmp_path / "cli"))
    assert (tmp_path / "cli").read_bytes() == plain
    gbr.nation.run("tdf", "open", str(file), "--kas", f"{aus.url}={tmp_path}/token", "-o", str(tmp_path / "cli2"))
    assert (tmp_path / "cli2").read_bytes() == plain
