"""One id at several nodes: whose record is meant is said by its originator, and only to who may know of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nations import Coalition, to
from personnel import OFFICER, ORIGINATOR, PASSWORD, hire
from port_world import World, served
from test_api_requests import problem

from aldis.client import Client
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.labels import Label, Releasability
from aldis.node.people import Cost, Passwords

BRITISH = Label("AUS", "OFFICIAL", Releasability.to("AUS", "GBR"))
AMERICAN = Label("US", "SECRET", Releasability.to("AUS"))
R = "/api/v1/records"
READS = ("", "/versions", "/portions/title", "/explanation", "/attachments", "/partners/gbr", "/partners/gbr/told")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """AUS, served: doc-1 is of all three, doc-9 of GBR and USA, of which Low may know GBR's alone; hush is USA's."""
    folder = tmp_path_factory.mktemp("same")
    coalition = Coalition(folder)
    for name in ("aus", "gbr", "usa"):
        coalition.add(name, **({"http": "127.0.0.1:0"} if name == "aus" else {}))
    for one, other in (("aus", "gbr"), ("aus", "usa"), ("gbr", "usa")):
        coalition.pair(one, other)
    coalition.settle()
    coalition.arrange()
    coalition.put("aus", "doc-1", {"title": ("ours", to("GBR"))})
    for id_ in ("doc-1", "doc-9"):
        coalition.put("gbr", id_, {"title": (f"british {id_}", BRITISH)})
        coalition.put("usa", id_, {"title": (f"CANARY {id_}", AMERICAN)})
    coalition.put("usa", "hush", {"title": ("CANARY", AMERICAN)})
    coalition.settle()
    for who, rung in (("ann", "SECRET"), ("low", "OFFICIAL")):
        hire(coalition["aus"], who, roles=[ORIGINATOR, OFFICER], clearance={"AUS": rung})
    at = coalition.clock.at
    coalition.close()
    with served(folder / "aus", at=at) as made:
        made.node.people.passwords = Passwords(made.node.core.random, Cost(32, 1, 4))
        for who, rung in (("ann", "SECRET"), ("low", "OFFICIAL")):
            made.tokens[who] = made.node.people.sign_in(who, PASSWORD, {"AUS": rung})
        yield made


def seen(world: World, who: str, id_: str, originator: str = "") -> Any:
    query = {"originator": originator} if originator else {}
    answer = world.ask("GET", f"{R}/{id_}", who, params=query)
    return answer.json()["portions"][0]["value"] if answer.status_code == 200 else answer


def test_whose_record_is_meant_can_be_said(world: World) -> None:
    assert seen(world, "ann", "doc-1") == "ours"
    assert seen(world, "ann", "doc-1", "aus") == "ours"
    assert seen(world, "ann", "doc-1", "gbr") == "british doc-1"
    assert seen(world, "ann", "doc-9", "usa") == "CANARY doc-9"
    for read in READS:
        answer = world.ask("GET", f"{R}/doc-9{read}", "ann", params={"originator": "gbr"})
        assert answer.status_code == 200
        assert "CANARY" not in answer.text
    [one] = world.ask("GET", f"{R}/doc-1/versions", "ann", params={"originator": "gbr"}).json()["records"]
    assert one["header"]["originator"] == "gbr"


def test_where_it_is_not_said_the_answer_names_those_alone_whom_one_may_know_of(world: World) -> None:
    for read in READS:
        answer = world.ask("GET", f"{R}/doc-9{read}", "ann")
        said = problem(answer, "invalid-input")
        assert "gbr and usa each have a record" in said.detail
        assert "originator" in said.fix
    assert seen(world, "low", "doc-9") == "british doc-9"


def test_of_what_one_may_not_know_naming_its_originator_tells_nothing(world: World) -> None:
    """USA's doc-9 and hush are above Low; GBR has no hush; nobody has nothing."""
    asked = [
        ("doc-9", "usa"),
        ("hush", "usa"),
        ("hush", "gbr"),
        ("nothing", "usa"),
        ("doc-9", "nobody"),
        ("doc-1", "usa"),
    ]
    for read in READS:
        answers = {}
        for id_, originator in asked:
            answer = world.ask("GET", f"{R}/{id_}{read}", "low", params={"originator": originator})
            assert answer.status_code == 404
            same = answer.text.replace(answer.headers["x-request-id"], "").replace(id_, "ID")
            answers[id_, originator] = same
        assert len(set(answers.values())) == 1, read
    for id_, originator in asked:
        answer = world.ask("POST", f"{R}/{id_}/partners/gbr/offer", "low", json={"originator": originator})
        assert answer.status_code == 404


def test_an_offer_is_of_the_record_that_is_named(world: World) -> None:
    problem(world.ask("POST", f"{R}/doc-9/partners/gbr/offer", "ann", json={}), "invalid-input")
    problem(world.ask("POST", f"{R}/doc-9/partners/gbr/offer", "ann", params={"originator": "usa"}), "invalid-input")
    found = world.ask("POST", f"{R}/doc-9/partners/gbr/offer", "ann", json={"originator": "usa"})
    assert found.status_code == 200
    british = world.ask("GET", f"{R}/doc-9/partners/gbr", "ann", params={"originator": "gbr"})
    assert "has not granted it" in found.text
    assert "has not granted it" not in british.text


def test_an_originator_that_is_named_is_never_replaced_by_another(world: World) -> None:
    assert seen(world, "ann", "doc-1", "nobody").status_code == 404
    assert seen(world, "ann", "hush", "gbr").status_code == 404
    desk = world.node.desk
    with pytest.raises(UnknownTerm):
        desk.why("doc-1", "gbr", originator="nobody")
    with pytest.raises(UnknownTerm):
        world.node.records.get("doc-1", originator="nobody")


def test_the_client_says_whose(world: World) -> None:
    with Client(world.url, world.token("ann"), verify=False) as client:
        assert client.get("doc-9", originator="gbr").value("title") == "british doc-9"
        assert [one.header.originator for one in client.versions("doc-9", "usa")] == ["usa"]
        assert client.why("doc-9", "gbr", "usa") == client.offer("doc-9", "gbr", "usa")
        with pytest.raises(InvalidInput):
            client.get("doc-9")
