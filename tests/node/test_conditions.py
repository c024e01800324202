"""What `aldis doctor` says of the node's surroundings: each check fails where it must, with its fix."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from nations import Coalition, to

from aldis.kernel.errors import AldisError, NotAuthentic
from aldis.kernel.messages import Greeting, open_message, sign_message
from aldis.node.backup import back_up
from aldis.node.checks import Check, run_checks
from aldis.node.node import Node
from aldis.node.service import RUNNING, Service
from aldis.node.supervisor import tell, watchdog_s

DAY = 86_400_000


def check(node: Node, name: str) -> Check | None:
    return next((one for one in run_checks(node, quick=True) if one.name == name), None)


def failing(node: Node, name: str) -> Check:
    found = check(node, name)
    assert found is not None and found.ok is False and found.cause and found.fix, found
    return found


def changed(node: Node, **settings: Any) -> None:
    object.__setattr__(node.core, "config", msgspec.structs.replace(node.core.config, **settings))


def test_a_sound_node_has_nothing_to_mend(coalition: Coalition) -> None:
    found = list(run_checks(coalition["aus"]))
    assert [one for one in found if one.ok is False] == []
    names = {one.name for one in found}
    assert {
        "keys",
        "store",
        "ledger",
        "settings",
        "permissions",
        "certificate",
        "schema",
        "last backup",
        "disk",
    } <= names
    assert not {"store", "ledger"} & {one.name for one in run_checks(coalition["aus"], quick=True)}


@pytest.mark.parametrize(
    "settings",
    [{"feeds": ["nobody"]}, {"categories": {"Nonsense": ["X"]}}, {"listen": "0.0.0.0:7461"}, {"ceiling": "HIGH"}],
)
def test_settings_that_do_not_go_together(coalition: Coalition, settings: dict[str, Any]) -> None:
    aus = coalition["aus"]
    changed(aus, **settings)
    failing(aus, "settings")


def test_what_others_can_read(coalition: Coalition) -> None:
    aus = coalition["aus"]
    aus.core.home.store.chmod(0o644)
    assert "store.db" in failing(aus, "permissions").cause
    aus.core.home.store.chmod(0o600)
    (aus.core.home.path / "keys").chmod(0o755)
    assert "keys" in failing(aus, "permissions").fix


def test_a_certificate_that_ends(coalition: Coalition) -> None:
    aus = coalition["aus"]
    home = aus.core.home
    old = x509.load_pem_x509_certificate(home.certificate.read_bytes())
    key = load_pem_private_key(home.tls_key.read_bytes(), None)
    builder = x509.CertificateBuilder(subject_name=old.subject, issuer_name=old.issuer).public_key(old.public_key())
    builder = builder.serial_number(1).not_valid_before(old.not_valid_before_utc)
    for days, words in ((20, "ends on"), (-0.5, "does not hold now")):
        now = old.not_valid_before_utc.timestamp() * 1000 + 10 * DAY
        coalition.clock.at = int(now)
        ends = old.not_valid_before_utc.fromtimestamp((now + days * DAY) / 1000, old.not_valid_before_utc.tzinfo)
        made = builder.not_valid_after(ends).sign(key, SHA256())  # type: ignore[arg-type]
        home.certificate.write_bytes(made.public_bytes(Encoding.PEM))
        assert words in failing(aus, "certificate").cause


def test_a_backup_that_is_old(coalition: Coalition) -> None:
    aus = coalition["aus"]
    none = check(aus, "last backup")
    assert none is not None and none.ok is None and "aldis backup" in none.cause
    back_up(aus.core, aus.audit, coalition.folder / "b", "a long passphrase", lambda *_: None)
    made = check(aus, "last backup")
    assert made is not None and made.ok is True
    coalition.clock.at += 8 * DAY
    assert "8 days" in failing(aus, "last backup").cause


def test_policies_taken_in_while_a_node_runs(coalition: Coalition) -> None:
    aus = coalition["aus"]
    aus.core.store.meta.set(RUNNING, b"x" * 32)
    assert "Restart" in failing(aus, "policies").fix
    aus.core.store.meta.set(RUNNING, aus.core.policies.digest)
    assert check(aus, "policies") is None


def test_a_partner_whose_clock_is_wrong_until_it_is_right(coalition: Coalition) -> None:
    aus, gbr = coalition["aus"], coalition["gbr"]
    call = aus.exchange.next_call("gbr")
    assert call is not None and call.operation == "greet"
    coalition.clock.at += 90_000
    answer = gbr.answer("aus", call.operation, call.body)
    coalition.clock.at -= 90_000
    aus.exchange.answered("gbr", call, answer)
    assert "90 s ahead" in failing(aus, "clock of gbr").cause
    coalition.clock.at += 120_000
    coalition.open("aus")
    coalition.settle("aus", "gbr")
    assert check(coalition["aus"], "clock of gbr") is None


def test_a_partner_that_always_greets_as_if_never_cosigned(coalition: Coalition) -> None:
    aus, gbr = coalition["aus"], coalition["gbr"]
    for _ in range(5):
        coalition.clock.at += 300_000
        assert check(aus, "cosigning gbr") is None or _ > 2
        note = gbr.audit.checkpoint().decode()
        text, _, rest = note.partition("\n\n")
        own = f"{text}\n\n{rest.splitlines()[0]}\n"
        greeting = Greeting("gbr", "aus", coalition.clock.at, gbr.exchange.epoch, own, 0, [])
        aus.answer("gbr", "greet", sign_message(greeting, gbr.core.signer))
    assert "not cosigned since" in failing(aus, "cosigning gbr").cause
    coalition.settle("aus", "gbr")
    coalition.clock.at += 120_000
    coalition.put("gbr", "more", {"title": ("x", to(policy="UK"))})
    coalition.settle("aus", "gbr")
    assert check(aus, "cosigning gbr") is None
    assert open_message(sign_message(greeting, gbr.core.signer), Greeting, gbr.core.signer.public) == greeting


def test_a_refused_bundle_has_one_leaf_however_often_it_comes(coalition: Coalition) -> None:
    aus, gbr = coalition["aus"], coalition["gbr"]

    def told() -> int:
        return len(aus.core.store.ledger.leaves(0, 100_000, type_="quarantine"))

    before = told()
    for body in (b"rubbish", b"rubbish", b"other rubbish", b"rubbish"):
        with pytest.raises(AldisError):
            aus.answer("gbr", "deliver", body)
    assert told() == before + 2
    coalition.open("aus")
    aus = coalition["aus"]
    with pytest.raises(AldisError):
        aus.answer("gbr", "deliver", b"rubbish")
    assert told() == before + 2
    for number in range(40):
        with pytest.raises(AldisError):
            aus.answer("gbr", "deliver", b"%d" % number)
    assert told() == before + 42
    with pytest.raises((AldisError, NotAuthentic)):
        gbr.answer("nobody", "deliver", b"rubbish")


def test_a_service_manager_hears_of_it(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"{folder}/n")
        assert tell("READY=1", {"NOTIFY_SOCKET": f"{folder}/n"}) and heard.recv(100) == b"READY=1"
    name = f"aldis-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0{name}")
        assert tell("WATCHDOG=1", {"NOTIFY_SOCKET": f"@{name}"}) and heard.recv(100) == b"WATCHDOG=1"
    for environment in ({}, {"NOTIFY_SOCKET": "x"}, {"NOTIFY_SOCKET": f"{tmp_path}/nobody"}):
        assert not tell("READY=1", environment)
    assert [watchdog_s({"WATCHDOG_USEC": text}) for text in ("60000000", "", "-1", "x")] == [30.0, 0, 0, 0]


def test_a_node_that_stops_lets_what_is_under_way_end(coalition: Coalition) -> None:
    aus = coalition["aus"]
    changed(aus, listen="127.0.0.1:0", feeds=["gbr", "usa"])

    async def run() -> float:
        service = Service(aus)
        await service.start()
        assert aus.core.store.meta.get(RUNNING) == aus.core.policies.digest
        began = asyncio.get_running_loop().time()
        await service.stop()
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(run()) < 5
    assert not aus.core.store.meta.get(RUNNING)
