"""Search by meaning over HTTP, with the real model: in what one may see, and told by nothing of the rest."""

from __future__ import annotations

from models import index, needs_model
from port_world import HIGH, LOW, World, put

pytestmark = needs_model
PATH = "/api/v1/search/meaning"
ASKED = "cable damage by an anchor"
ALIKE = "A dragged anchor severed the subsea fibre-optic link."
LESS = "An undersea telecommunications line was cut by a ship."


def test_what_is_meant_is_found_as_far_as_one_may_see_it(world: World) -> None:
    node = world.node
    put(node, "alike", ALIKE)
    put(node, "less", LESS)
    index(node)

    def found(who: str, **more: str) -> tuple[list[str], bytes]:
        answer = world.ask("GET", PATH, who, params={"text": ASKED, **more})
        assert answer.status_code == 200, answer.text
        return [one["header"]["id"] for one in answer.json()["records"]], answer.content

    before = found("low"), found("guest"), found("low", limit="1")[0]
    assert before[0][0] == ["alike", "less"] and before[2] == ["alike"]
    put(node, "above", ALIKE, HIGH)
    put(node, "elsewhere", ALIKE, project="BLACK")
    put(node, "mixed", "Lunch", LOW, body=(ALIKE, HIGH))
    index(node)
    assert (found("low"), found("guest"), found("low", limit="1")[0]) == before
    seen = found("originator")[0]
    assert {"above", "alike", "mixed"} <= set(seen) and "elsewhere" not in seen
    [first, *_] = world.ask("GET", PATH, "originator", params={"text": ASKED}).json()["records"]
    assert first["closeness"] == "close" and first["snippet"]
    after = world.ask("GET", PATH, "low", params={"text": ASKED, "limit": "1"}).json()["next"]
    wrong = world.ask("GET", PATH, "originator", params={"text": ASKED, "limit": "1", "cursor": after})
    assert wrong.status_code == 400
    assert world.ask("GET", PATH, params={"text": ASKED}).status_code == 401
