"""Records in TDF containers at the command line."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from cli_nations import Coalition


@pytest.fixture
def sealed(coalition: Coalition) -> Path:
    """A container for GBR under the keys of AUS and GBR; what is not for GBR is in the record too."""
    aus, gbr = coalition.aus, coalition.gbr
    for one in (aus, gbr):
        one.ask("tdf", "key", str(one.folder / one.node), "--kind", "ec:secp256r1" if one is gbr else "rsa:2048")
    aus.run(
        "put", "--id", "plan", "--kind", "document", "--project", "NORTHERN-WATCH", "--marking", "OFFICIAL",
        "--portion", "title=Patrol plan", "--portion", "body=For Britain", "--portion", "annex=For America",
        "--portion-marking", "body=SECRET//REL AUS/GBR", "--portion-marking", "annex=SECRET//REL AUS/USA",
    )  # fmt: skip
    file = aus.folder / "plan.tdf"
    servers = f"{aus.folder}/aus.pem,https://kas.gbr.example={gbr.folder}/gbr.pem"
    told = aus.ask("tdf", "export", "plan", "gbr", "-o", str(file), "--kas", servers)
    assert told["portions"] == ["body", "title"] or told["portions"] == ["title", "body"]
    return file


def test_what_may_go_is_sealed_and_opened_where_the_rules_permit(coalition: Coalition, sealed: Path) -> None:
    gbr, out = coalition.gbr, sealed.with_name("plan.md")
    keys = ("--kas-key", str(sealed.with_name("aus.key")), "--kas-key", str(sealed.with_name("gbr.key")))
    gbr.run("tdf", "open", str(sealed), *keys, "-o", str(out))
    text = out.read_text("utf-8")
    assert "For Britain" in text and "Patrol plan" in text
    assert "America" not in text and b"America" not in sealed.read_bytes()
    assert text.startswith("**SECRET//REL AUS/GBR**")
    assert sealed.with_name("gbr.key").stat().st_mode & 0o077 == 0
    assert "For Britain" in gbr.run("tdf", "open", str(sealed), *keys).stdout
    assert "For Britain" in coalition.aus.run("tdf", "open", str(sealed), *keys, "--for", "gbr").stdout


def test_every_key_is_needed(coalition: Coalition, sealed: Path) -> None:
    out = sealed.with_name("plan.md")
    for name, other in (("aus", "kas.gbr.example"), ("gbr", "aus.invalid")):
        key = str(sealed.with_name(f"{name}.key"))
        assert other in coalition.gbr.fails(3, "tdf", "open", str(sealed), "--kas-key", key, "-o", str(out))
    assert not out.exists()


def test_keys_alone_do_not_open_what_the_rules_do_not_permit(coalition: Coalition, sealed: Path) -> None:
    aus = coalition.aus
    keys = ("--kas-key", str(sealed.with_name("aus.key")), "--kas-key", str(sealed.with_name("gbr.key")))
    assert "the policy is not for usa" in coalition.usa.fails(3, "tdf", "open", str(sealed), *keys)
    assert "the policy is not for aus" in aus.fails(3, "tdf", "open", str(sealed), *keys)
    aus.run("partner", "suspend", "gbr", "--because", "Under review")
    assert "gbr may not have it opened" in aus.fails(3, "tdf", "open", str(sealed), *keys, "--for", "gbr")


def test_a_container_that_was_changed_gives_nothing(coalition: Coalition, sealed: Path) -> None:
    keys = ("--kas-key", str(sealed.with_name("aus.key")), "--kas-key", str(sealed.with_name("gbr.key")))
    out, whole = sealed.with_name("plan.md"), sealed.read_bytes()
    with zipfile.ZipFile(sealed) as archive:
        manifest, payload = json.loads(archive.read("0.manifest.json")), archive.read("0.payload")
    manifest["encryptionInformation"]["integrityInformation"]["rootSignature"]["alg"] = "GMAC"
    with zipfile.ZipFile(sealed, "w") as archive:
        archive.writestr("0.payload", payload)
        archive.writestr("0.manifest.json", json.dumps(manifest))
    assert "truncate or reorder" in coalition.gbr.fails(4, "tdf", "open", str(sealed), *keys, "-o", str(out))
    sealed.write_bytes(whole[:-1])
    assert "it was cut" in coalition.gbr.fails(4, "tdf", "open", str(sealed), *keys, "-o", str(out))
    assert not out.exists() and not out.with_name("plan.md.part").exists()


def test_what_may_not_go_is_not_sealed(coalition: Coalition, sealed: Path) -> None:
    aus, out = coalition.aus, sealed.with_name("other.tdf")
    server = ("--kas", str(sealed.with_name("gbr.pem")))
    aus.run("put", "--id", "own", "--kind", "document", "--marking", "SECRET//AGAO", "--portion", "title=Ours")
    aus.fails(3, "tdf", "export", "own", "gbr", "-o", str(out), *server)
    aus.fails(2, "tdf", "export", "plan", "gbr", "-o", str(out), "--kas", str(sealed.with_name("aus.key")))
    aus.run("hold", "plan", "--because", "Wait")
    aus.fails(3, "tdf", "export", "plan", "gbr", "-o", str(out), *server)
    assert not out.exists()
    aus.fails(1, "tdf", "key", str(sealed.with_name("aus")))


def test_a_served_key_stays_in_the_nodes_folder_and_is_named_with_its_url(coalition: Coalition, sealed: Path) -> None:
    aus, out = coalition.aus, sealed.with_name("here.tdf")
    here = ("tdf", "export", "plan", "gbr", "-o", str(out), "--kas", "here")
    said = aus.run("tdf", "key", "2026a", "--serve").stderr
    assert "kas_url" in said
    assert "no key-access server" in aus.fails(2, *here)
    settings = aus.home / "aldis.toml"
    settings.write_text(settings.read_text() + 'kas_url = "https://aus.example:8443/kas"\n')
    made = aus.ask("tdf", "key", "2026b", "--serve", "--kind", "ec:secp256r1")
    assert made["url"] == "https://aus.example:8443/kas"
    assert Path(made["key"]) == aus.home / "keys" / "kas" / "2026b.key"
    assert (aus.home / "keys" / "kas").stat().st_mode & 0o077 == 0
    assert Path(made["key"]).stat().st_mode & 0o077 == 0
    assert not Path("2026b.key").exists() and Path("2026b.pem").exists()
    aus.run(*here, "--form", "3.0.0")
    with zipfile.ZipFile(out) as archive:
        manifest = json.loads(archive.read("0.manifest.json"))
    (access,) = manifest["encryptionInformation"]["keyAccess"]
    assert (access["url"], access["kid"]) == (made["url"], made["kid"])
    assert "schemaVersion" not in manifest
    assert "For Britain" in coalition.gbr.run("tdf", "open", str(out), "--kas-key", made["key"]).stdout
    aus.fails(1, "tdf", "key", "2026b", "--serve")


def test_servers_to_ask_are_named_with_a_token_and_cannot_listen_in(coalition: Coalition, sealed: Path) -> None:
    token = coalition.gbr.write("token", "x")
    assert "names no token" in coalition.gbr.fails(2, "tdf", "open", str(sealed), "--kas", "https://aus.invalid/kas")
    assert "not https" in coalition.gbr.fails(2, "tdf", "open", str(sealed), "--kas", f"http://aus.invalid/kas={token}")
    assert "no key given here" in coalition.gbr.fails(3, "tdf", "open", str(sealed))
    assert "cannot be reached" in coalition.gbr.fails(
        5, "tdf", "open", str(sealed), "--kas", f"https://aus.invalid/kas={token}"
    )
