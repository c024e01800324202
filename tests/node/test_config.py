"""Settings: flag over environment over file over default, and nothing unknown, impossible or of another type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.node.config import FILE, Config, describe, load, write

BASE = 'node = "aus"\nparty = "AUS"\npolicy = "AUS"\nceiling = "SECRET"\n'


def loaded(home: Path, text: str = "", environment: dict[str, str] | None = None, **flags: Any) -> Config:
    (home / FILE).write_text(BASE + text)
    return load(home, environment or {}, flags)


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    environment = {"ALDIS_BATCH": "7", "ALDIS_LISTEN": "127.0.0.1:7", "HOME": "/", "ALDIS_HOME": "/elsewhere"}
    assert loaded(tmp_path).batch == 500
    assert loaded(tmp_path, "batch = 5\n").batch == 5
    assert loaded(tmp_path, "batch = 5\n", environment).batch == 7
    assert loaded(tmp_path, "batch = 5\n", environment, batch=9).batch == 9
    assert loaded(tmp_path, "batch = 5\n", environment, batch=None).batch == 7
    assert loaded(tmp_path, "", environment).listen == "127.0.0.1:7"


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        ("btach = 5\n", {}, "unknown setting 'btach' in .*Did you mean 'batch'"),
        ("[label.track]\nposition = 'x'\n", {}, "Did you mean 'labels'"),
        ("zzz = 1\n", {}, "`aldis config` lists the settings"),
        ("", {"ALDIS_BTACH": "5"}, r"unknown setting 'btach' in the environment \(ALDIS_\*\)"),
        ("", {"ALDIS_": "5"}, "unknown setting ''"),
    ],
)
def test_an_unknown_setting_is_an_error_that_names_the_nearest(
    tmp_path: Path, text: str, environment: dict[str, str], said: str
) -> None:
    with pytest.raises(UnknownTerm, match=said):
        loaded(tmp_path, text, environment)


@pytest.mark.parametrize(
    "text",
    [
        "batch = 'many'\n",
        "batch = [5]\n",
        "batch = 0\n",
        "batch = -1\n",
        "batch = 8193\n",
        "batch = 1.5\n",
        "live_ms = 0\n",
        "live_bytes = 100\n",
        "live_bytes = 1048577\n",
        "quarantine_mib = 0\n",
        "checkpoint_s = 0\n",
        "listen = 7461\n",
        "url = ['https://a']\n",
        "labels = 'SECRET'\n",
        "[labels]\ntrack = 'SECRET'\n",
        "[labels.track]\nposition = 5\n",
    ],
)
def test_a_value_of_another_type_or_out_of_bounds_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    name = text.strip("[]").replace("[", " ").split()[0].split(".")[0]
    with pytest.raises(InvalidInput, match=name.rstrip("]")):
        loaded(tmp_path, text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(
            ("listen", value)
            for value in ("nonsense", "", ":7461", "127.0.0.1:", "127.0.0.1:99999", "h:-1", "a b:1", "::1:7461")
        ),
        *(("url", value) for value in ("ftp://x", "x", "https://", "https://a:b", "https://a:99999", "https://a b")),
        *(("url", value) for value in ("https://u@a", "https://a/b", "https://a?b", "http://a")),
        *(
            ("kas_url", value)
            for value in ("x", "https://a", "https://a/kas/", "http://a/kas", "https://u@a/kas", "https://a/kas?b")
        ),
    ],
)
def test_an_address_that_cannot_be_is_an_error_that_names_the_setting(tmp_path: Path, key: str, value: str) -> None:
    said = rf"the setting `{key}` cannot be .*Write it as"
    with pytest.raises(InvalidInput, match=said):
        loaded(tmp_path, f"{key} = {value!r}\n")
    with pytest.raises(InvalidInput, match=said):
        loaded(tmp_path, "", {}, **{key: value})


def test_addresses_may_be_names_numbers_and_ipv6(tmp_path: Path) -> None:
    for listen in ("127.0.0.1:0", "localhost:65535", "[::1]:7461"):
        assert loaded(tmp_path, listen=listen).listen == listen
    for url in ("", "https://aus.example", "https://aus.example:7461/", "https://[::1]:7461"):
        assert loaded(tmp_path, url=url).url == url


def test_the_environment_is_held_to_the_same_bounds(tmp_path: Path) -> None:
    for value in ("0", "many", "", "1.5", "8193"):
        with pytest.raises(InvalidInput):
            loaded(tmp_path, "", {"ALDIS_BATCH": value})


@pytest.mark.parametrize("name", ["node", "party", "policy", "ceiling"])
def test_what_must_be_said_is_missed(tmp_path: Path, name: str) -> None:
    lines = [line for line in BASE.splitlines() if not line.startswith(name)]
    (tmp_path / FILE).write_text("\n".join(lines))
    with pytest.raises(InvalidInput, match=f"missing required field `{name}`"):
        load(tmp_path, {})


def test_no_file_or_no_toml_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="aldis init"):
        load(tmp_path, {})
    for content in (b"node = ", b"\xff\xfe", b"node = 'a'\nnode = 'b'"):
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(InvalidInput, match="is not TOML"):
            load(tmp_path, {})
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(tmp_path, {})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    config = Config(
        node="aus", party="AUS", policy="AUS", ceiling="SECRET", algorithm="ed25519+ml-dsa-65", batch=7,
        url="https://aus.example:7461", project='"odd"\\name',
        labels={"technical-data": {"header": "OFFICIAL", "parts": "SECRET//REL"}},
    )  # fmt: skip
    write(tmp_path, config)
    assert load(tmp_path, {}) == config
    assert "live_ms" not in (tmp_path / FILE).read_text()


def test_every_setting_is_described_and_only_those(tmp_path: Path) -> None:
    fields = {field.name for field in msgspec.structs.fields(Config)}
    described = describe()
    assert set(described) == fields
    config = loaded(tmp_path)
    for name, (default, meaning) in described.items():
        assert meaning
        assert default is None or (default or None) == (getattr(config, name) or None)
