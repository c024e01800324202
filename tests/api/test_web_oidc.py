"""A browser's way to the OpenID provider and back, with a real provider and the node on a real socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from port_world import World, make_node, open_node, served

from aldis.interfaces.web import site
from aldis.interfaces.web.oidc import PENDING
from aldis.kernel.authority import Role
from aldis.node.keys import write_private
from aldis.node.people.oidc import SECRET_FILE
from aldis.node.provider import Claims, Provider, Values
from aldis.testing.clock import VirtualClock
from openid import CLIENT, READY, REDIRECT, browse, provider

pytestmark = pytest.mark.skipif(not READY, reason="the provider of the tests is not installed: npm ci")

SESSION = "__Host-aldis"
PEOPLE = {
    "originator": {
        "username": "originator", "nation": "au", "cleared": "NV1", "groups": ["writers"], "projects": ["WATCH"],
    },
    "newcomer": {"username": "newcomer", "nation": "au", "cleared": "NV1", "groups": [], "projects": []},
}  # fmt: skip


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider(PEOPLE) as found:
        yield found


@pytest.fixture
def world(issuer: str, tmp_path: Path) -> Iterator[World]:
    settings = Provider(
        issuer=issuer, client_id="aldis", redirect=REDIRECT,
        claims=Claims(id="username", nationality="nation", roles="groups", projects="projects",
                      clearance={"AUS": "cleared"}),
        values=Values(nationality={"au": "AUS"}, roles={"writers": Role.ORIGINATOR.value},
                      clearance={"AUS": {"NV1": "SECRET"}}),
    )  # fmt: skip
    make_node(tmp_path / "aus", oidc=settings)
    write_private(tmp_path / "aus" / "keys" / SECRET_FILE, CLIENT["client_secret"].encode())
    with served(tmp_path / "aus", at=int(time.time() * 1000), pages=site) as made:
        yield made


def cookies(answer: httpx2.Response) -> dict[str, tuple[str, str]]:
    """Value and attributes of each cookie that an answer sets."""
    found = (one.partition("=") for one in answer.headers.get_list("set-cookie"))
    return {name: (rest.partition(";")[0], rest.partition(";")[2].lower()) for name, _, rest in found}


def begin(world: World, at: str = "/records") -> tuple[str, str]:
    """Where the browser is sent, and what it must bring back."""
    answer = world.ask("GET", "/sign-in/oidc", params={"next": at})
    assert answer.status_code == 303, answer.text
    value, told = cookies(answer)[PENDING]
    for word in ("httponly", "secure", "samesite=lax", "path=/", "max-age=600"):
        assert word in told
    assert answer.headers["cache-control"] == "no-store"
    return answer.headers["location"], value


def back(world: World, url: str, pending: str) -> httpx2.Response:
    return world.ask("GET", f"/sign-in/oidc/back?{urlsplit(url).query}", headers={"cookie": f"{PENDING}={pending}"})


def test_a_browser_signs_in_at_the_provider_and_works_at_the_routine_level(world: World) -> None:
    assert 'href="/sign-in/oidc?next=' in world.ask("GET", "/sign-in").text
    url, pending = begin(world)
    answer = back(world, browse(url, "originator"), pending)
    given = cookies(answer)
    assert answer.status_code == 200 and "/level?next=%2Frecords" in answer.text
    assert "samesite=strict" in given[SESSION][1] and "httponly" in given[SESSION][1]
    assert "max-age=0" in given[PENDING][1]
    person = world.node.people.sessions.who(given[SESSION][0])
    assert (person.id, person.level) == ("originator", {"AUS": "OFFICIAL"})
    page = world.ask("GET", "/records", headers={"cookie": f"{SESSION}={given[SESSION][0]}"})
    assert page.status_code == 200
    names = [name.lower() for name, _ in page.headers.multi_items() if name.lower() != "set-cookie"]
    assert len(names) == len(set(names)) and page.headers["referrer-policy"] == "same-origin"


def test_an_answer_is_taken_once_from_the_browser_that_asked_and_leads_nowhere_else(world: World) -> None:
    url, pending = begin(world, "https://evil.example/")
    _, other = begin(world)
    home = browse(url, "originator")
    assert SESSION not in cookies(back(world, home, other))
    assert SESSION not in cookies(back(world, home, "")) and back(world, home, "").status_code == 403
    answer = back(world, home, pending)
    assert SESSION in cookies(answer) and "evil" not in answer.text
    again = back(world, home, pending)
    assert again.status_code == 403 and SESSION not in cookies(again)
    url, pending = begin(world)
    refused = back(world, browse(url, "newcomer"), pending)
    assert refused.status_code == 403 and SESSION not in cookies(refused)


def test_a_provider_that_does_not_answer_is_said(tmp_path: Path) -> None:
    settings = Provider(issuer="http://127.0.0.1:9", client_id="aldis", redirect=REDIRECT)
    make_node(tmp_path / "aus", oidc=settings)
    with open_node(tmp_path / "aus", VirtualClock()) as node:
        assert node.core.config.oidc is not None
    with served(tmp_path / "aus", pages=site) as world:
        assert world.ask("GET", "/sign-in/oidc").status_code == 503
