"""The log of a running node: each line is JSON with ids and codes, and nothing that a record or a key says."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from nations import WATCH

from aldis.apps.workspace import app as workspace
from aldis.kernel.errors import AldisError
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.logs import fault, start_logs
from aldis.node.node import Node
from aldis.node.service import Service

CANARY = "canary-7781-codeword"
LABEL = Label("AUS", "SECRET", Releasability.to("AUS", "GBR"))


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


class Careless:
    """An app that fails with the words of a record in its error."""

    name = "careless"
    kinds = workspace.kinds
    commands = ()

    async def run(self, *_: object) -> None:
        raise ValueError(f"cannot read {CANARY!r}")

    def on_admitted(self, *_: object) -> None:
        raise RuntimeError(f"cannot use {CANARY!r}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pair_of(folder: Path) -> list[Node]:
    made = []
    for name, party, policy in (("aus", "AUS", "AUS"), ("gbr", "GBR", "UK")):
        config = Config(node=name, party=party, policy=policy, ceiling="SECRET", listen=f"127.0.0.1:{free_port()}")
        make_home(folder / name, config, now=time.time_ns() // 1_000_000)
        apps: dict[str, Any] = {"careless": Careless()}
        made.append(Node.open(folder / name, environment={}, apps=apps))
    aus, gbr = made
    _, reply = gbr.partners.join(aus.partners.invite("GBR"), lambda *_: True)
    assert reply is not None
    aus.partners.join(reply, lambda *_: True)
    return made


async def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.05)


def secrets(folder: Path) -> list[str]:
    """The bodies of the key files, and the node's secret, as text and as hex."""
    found = []
    for path in folder.glob("*/keys/*"):
        data = path.read_bytes()
        found += [data.hex()[:48], *(line for line in data.decode("ascii", "ignore").split("\n") if len(line) > 30)]
    return [text for text in found if "PRIVATE" not in text and "CERTIFICATE" not in text]


def test_a_node_that_works_and_fails_logs_ids_and_never_bodies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> None:
        aus, gbr = nodes = pair_of(tmp_path)
        draft = Draft(
            "document", "doc-1", "aus", "officer", aus.core.clock.now(), LABEL,
            [DraftPortion("title", LABEL, CANARY), DraftPortion("body", LABEL, CANARY * 10)], project="WATCH",
        )  # fmt: skip
        aus.records.put(draft)
        aus.register.draft(WATCH, "officer")
        services = [Service(node) for node in nodes]
        for service in services:
            await service.start()
        await until(lambda: "pa-watch" in gbr.epochs.current().instruments.ids())
        for node in nodes:
            node.register.sign("pa-watch", "officer")
        await until(lambda: gbr.core.store.records.get("doc-1") is not None)
        async with services[0]._link(aus.partners.get("gbr")) as link:
            for send in (link.greet, link.deliver, link.live):
                with pytest.raises(AldisError, match="gbr answered"):
                    await send(f"no message: {CANARY}".encode())
        for service in services:
            await service.stop()
        for node in nodes:
            node.close()

    start_logs("aus", as_json=True)
    asyncio.run(run())
    said = capsys.readouterr().err
    lines = [json.loads(line) for line in said.splitlines()]
    assert {"app failed", "request refused", "request failed", "exchange failed"} <= {line["event"] for line in lines}
    for line in lines:
        assert line["node"] == "aus"
        assert line["level"] in {"info", "warning", "error"}
        assert line["timestamp"].endswith("Z")
    refused = [line for line in lines if line["event"] == "request refused"]
    assert {line["operation"] for line in refused} == {"greet", "deliver", "live"}
    assert all(line["partner"] == "aus" and line["code"] for line in refused)
    failed = next(line for line in lines if line["event"] == "app failed")
    assert (failed["app"], failed["error"]) == ("careless", "ValueError")
    assert "test_logs.py:" in failed["place"]
    assert CANARY not in said
    hidden = secrets(tmp_path)
    assert len(hidden) > 6
    assert not any(text in said for text in hidden)


@pytest.mark.parametrize("as_json", [True, False])
def test_what_a_library_says_is_a_line_without_its_words(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    start_logs("gbr", as_json=as_json)
    error = ValueError(CANARY)
    logging.getLogger("asyncio").error("Task exception was never retrieved: %r", CANARY, exc_info=error)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(CANARY, RuntimeWarning, stacklevel=1)
    logging.getLogger("h11").debug(CANARY)
    said = capsys.readouterr().err
    assert CANARY not in said
    assert "Traceback" not in said
    if as_json:
        assert [json.loads(line)["library"] for line in said.splitlines()] in (
            ["asyncio", "py.warnings"], ["asyncio"]
        )  # fmt: skip
    else:
        assert "a library warns" in said


def test_a_fault_has_a_kind_and_places_and_no_message() -> None:
    def deep(levels: int) -> None:
        if not levels:
            raise KeyError(CANARY)
        deep(levels - 1)

    with pytest.raises(KeyError) as caught:
        deep(9)
    found = fault(caught.value)
    assert found["error"] == "KeyError"
    assert found["place"].count("test_logs.py:") == 4
    assert CANARY not in str(found)
    assert fault(KeyError(CANARY)) == {"error": "KeyError", "place": ""}
