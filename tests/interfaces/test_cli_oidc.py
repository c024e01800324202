"""`aldis sign-in --oidc` from a terminal: the address is opened in a browser, which comes back to the command once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from cli_nations import Nation, nation

from openid import CLIENT, READY, browse, provider

PEOPLE = {"alice": {"cleared": "OFFICIAL"}}


def begin(aus: Nation, *words: str) -> subprocess.Popen[str]:
    env = {**os.environ, "ALDIS_HOME": str(aus.home), "XDG_CONFIG_HOME": str(aus.folder / "config")}
    return subprocess.Popen(
        [sys.executable, "-m", "aldis", "sign-in", "--oidc", *words], env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("http"):
            return line.strip()
    raise AssertionError("no address was said")


@pytest.mark.skipif(not READY, reason="the provider of the tests is not installed")
def test_the_browser_comes_back_to_the_command_once(tmp_path: Path) -> None:
    aus = nation("AUS", tmp_path)
    for name in ("OFFICIAL", "SECRET"):
        aus.run("put", "--kind", "document", "--id", name.lower(), "--marking", name, "--portion", "title=canary")
    aus.run("person", "add", "alice", "--clearance", "SECRET")
    with provider(PEOPLE) as issuer:
        settings = aus.home / "aldis.toml"
        table = f'[oidc]\nissuer = "{issuer}"\nclient_id = "aldis"\n[oidc.claims]\nclearance = {{ AUS = "cleared" }}\n'
        settings.write_text(settings.read_text() + table)
        secret = aus.home / "keys" / "oidc.secret"
        secret.touch(0o600)
        secret.write_text(CLIENT["client_secret"] + "\n")
        process = begin(aus)
        url = address(process)
        assert CLIENT["client_secret"] not in url and not re.search("secret|verifier", url)
        redirect = dict(parse_qsl(urlsplit(url).query))["redirect_uri"]
        assert redirect.startswith("http://127.0.0.1:")
        with httpx2.Client(trust_env=False) as browser:
            for path in ("/", "/favicon.ico", "/sign-in/oidc/back"):
                base = redirect.removesuffix("/sign-in/oidc/back")
                assert browser.get(base + path).status_code == 404
            assert browser.get(browse(url, "alice")).status_code == 200
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0 and "signed in at AUS OFFICIAL" in out + err
        assert CLIENT["client_secret"] not in out + err
        assert {one["id"] for one in aus.ask("list", "--as", "person:alice")["records"]} == {"official"}
        process = begin(aus, "--level", "SECRET")
        url = address(process)
        with httpx2.Client(trust_env=False) as browser:
            browser.get(browse(url, "alice"))
        process.communicate(timeout=20)
        assert process.returncode == 3


def test_without_a_provider_or_with_a_name_it_says_what_to_do(tmp_path: Path) -> None:
    aus = nation("AUS", tmp_path)
    assert "[oidc]" in aus.run("sign-in", "--oidc", code=2).stderr
    aus.run("sign-in", "--oidc", "alice", code=2)
    aus.run("sign-in", code=2)
    settings = aus.home / "aldis.toml"
    settings.write_text(settings.read_text() + '[oidc]\nissuer = "http://127.0.0.1:9"\nclient_id = "aldis"\n')
    aus.run("sign-in", "--oidc", code=5)
