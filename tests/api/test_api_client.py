"""The client against a node on a real socket."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from port_world import HIGH, PASSWORD, World, put

from aldis.client import Client
from aldis.kernel.errors import InvalidInput, NotAuthentic, RefusedByPolicy, Stale, Unavailable, UnknownTerm


def test_a_person_signs_in_reads_writes_and_leaves(world: World) -> None:
    with Client.sign_in(world.url, "originator", PASSWORD, verify=False) as client:
        assert client.me().person == "originator"
        written = client.put("document", {"title": "By client"}, marking="PROTECTED", project="WATCH")
        seen = client.get(written.id)
        assert (seen.value("title"), seen.banner, seen.digest) == ("By client", "PROTECTED", written.digest)
        portions = [{"name": "title", "value": "Mended"}, {"name": "body", "value": "Text", "marking": "SECRET"}]
        revised = client.revise(seen, portions, marking="PROTECTED")
        with pytest.raises(Stale):
            client.revise(seen, {"title": "Too late"}, marking="PROTECTED")
        assert [one.header.version for one in client.versions(written.id)] == [1, 2]
        assert client.get(written.id, 1).value("title") == "By client"
        assert {one.id for one in client.records(page=2)} == {"doc-0", "doc-1", "doc-2", written.id}
        assert [(one.id, one.found_in) for one in client.search("mended")] == [(written.id, "title")]
        client.change_level({"AUS": "OFFICIAL"})
        with pytest.raises(UnknownTerm):
            client.get(written.id)
        client.change_level({})
        assert client.delete(revised).version == 3
        assert written.id not in {one.id for one in client.records()}
        client.sign_out()
        with pytest.raises(NotAuthentic):
            client.me()


def test_errors_are_those_of_the_kernel(world: World) -> None:
    with pytest.raises(NotAuthentic):
        Client.sign_in(world.url, "originator", "a wrong password", verify=False)
    put(world.node, "above", label=HIGH)
    with Client(world.url, world.token("low"), verify=False) as client:
        with pytest.raises(UnknownTerm):
            client.get("above")
        with pytest.raises(InvalidInput):
            client.put("document", {"title": "x"})
        with pytest.raises(RefusedByPolicy):
            client.put("document", {"title": "x"}, marking="SECRET", project="WATCH")
        with pytest.raises(UnknownTerm):
            client.why("doc-0", "gbr")
    with Client("http://127.0.0.1:9", "token") as nowhere, pytest.raises(Unavailable):
        nowhere.me()


def test_changes_are_followed_until_the_session_is_over(world: World) -> None:
    with Client(world.url, world.token("originator"), verify=False) as client:

        def act() -> None:
            time.sleep(0.8)
            put(world.node, "arrived")
            time.sleep(1.2)
            world.node.people.revoke("originator")

        thread = threading.Thread(target=act)
        thread.start()
        assert [one.id for one in client.changes()] == ["arrived"]
        thread.join()


def test_the_example_of_the_how_to_runs(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "use-the-http-api.md").read_text("utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    exec(compile(example, "use-the-http-api.md", "exec"), {"URL": world.url, "PASSWORD": PASSWORD})
    said = capsys.readouterr().out
    assert "PROTECTED Patrol plan" in said
    assert " title " in said
