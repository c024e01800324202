"""Two nations' key-access servers on sockets, people signed in at them, and a container for both."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from cli_nations import Coalition, Nation
from starlette.applications import Starlette

from aldis.interfaces.api.kas import kas_routes
from aldis.node.node import Node
from aldis.node.people import Account, Cost, Passwords

PASSWORD = "correct horse battery"
WORDS = "For Britain and Australia"


@dataclass
class Server:
    """A nation's key-access server while it runs."""

    nation: Nation
    node: Node
    url: str

    def hire(self, who: str, **fields: Any) -> str:
        """A person with a session; its token."""
        self.node.people.passwords = Passwords(self.node.core.random, Cost(32, 1, 4))
        policy = self.node.core.config.policy
        given = {"name": who, "nationality": self.nation.party, "clearance": {policy: "SECRET"}, "projects": ["*"]}
        code = self.node.people.add(Account(id=who, **(given | fields)))
        self.node.people.enrol(who, code, PASSWORD)
        return self.sign_in(who)

    def sign_in(self, who: str, **level: str) -> str:
        """A session; its token."""
        return self.node.people.sign_in(who, PASSWORD, level)

    def leaves(self) -> list[tuple[str, str, str]]:
        """What the ledger has of key access: verdict, why, and who."""
        found = self.nation.ask("ledger", "show", "--last", "200")["leaves"]
        return [
            (leaf["verdict"], (leaf["reasons"][2:] or [""])[0], leaf["actor"])
            for leaf in found
            if leaf["reasons"][:1] == ["key access"]
        ]


@contextmanager
def serving(nation: Nation) -> Iterator[Server]:
    """The server of a nation, at a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/kas"
    with Node.open(nation.home, environment={}, flags={"kas_url": url}) as node:
        config = uvicorn.Config(
            Starlette(routes=kas_routes(node)), log_config=None, lifespan="off", ws="none", interface="asgi3"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield Server(nation, node, url)
        finally:
            server.should_exit = True
            thread.join(10)
            listener.close()


def publish(aus: Nation) -> None:
    """A key to serve, and a plan for GBR."""
    aus.run("tdf", "key", str(aus.folder / aus.node), "--serve")
    aus.run(
        "put", "--id", "plan", "--kind", "document", "--project", "NORTHERN-WATCH", "--marking", "OFFICIAL",
        "--portion", "title=Patrol plan", "--portion", f"body={WORDS}",
        "--portion-marking", "body=SECRET//REL AUS/GBR",
    )  # fmt: skip


@contextmanager
def two_servers(coalition: Coalition) -> Iterator[tuple[Server, Server]]:
    """AUS's and GBR's, each with a key, and a plan for GBR at AUS."""
    aus, gbr = coalition.aus, coalition.gbr
    publish(aus)
    gbr.run("tdf", "key", str(gbr.folder / gbr.node), "--serve")
    with ExitStack() as stack:
        yield stack.enter_context(serving(aus)), stack.enter_context(serving(gbr))


def seal(aus: Server, *others: Server, form: str = "4.3.0", name: str = "plan.tdf") -> Path:
    """The plan, for GBR, under the key of AUS and those of others."""
    file = aus.nation.folder / name
    ours = f"{aus.url}={aus.nation.folder}/{aus.nation.node}.pem"
    theirs = [f"{one.url}={one.nation.folder}/{one.nation.node}.pem" for one in others]
    aus.nation.run("tdf", "export", "plan", "gbr", "-o", str(file), "--kas", ",".join([ours, *theirs]), "--form", form)
    return file


def policy(aus: Server, marking: str = "SECRET//REL AUS/GBR", *nodes: str) -> dict[str, Any]:
    """A policy for another maker."""
    given = ("tdf", "policy", *(nodes or ("gbr",)), "--marking", marking, "--kind", "document")
    made = aus.nation.run(*given, "--project", "NORTHERN-WATCH").stdout
    return dict(json.loads(made))
