"""The OpenAPI document: the one that is kept, every answer as it says, and nothing that generated requests break."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import msgspec
import pytest
import schemathesis
from port_world import PASSWORD, World, put, served
from port_world import PEOPLE as ROLES
from schemathesis.checks import CHECKS, load_all_checks

from aldis.app import find_apps
from aldis.interfaces.api.openapi import write
from aldis.interfaces.api.table import operations
from aldis.kernel.authority import may
from aldis.kernel.errors import NotAuthentic

load_all_checks()
NOT_MEANT = [CHECKS.get_one("positive_data_acceptance")]
"""What fits the schema may still name a marking or kind that nobody defined."""
PEOPLE = ("originator", "officer", "security", "auditor", "administrator", "low")


def test_the_document_that_is_kept_is_the_one_that_is_served(world: World) -> None:
    kept = (Path(__file__).parents[2] / "spec" / "openapi.json").read_bytes()
    assert write(operations(find_apps())) == kept, "run `python -m tests.reference`"
    served_ = world.ask("GET", "/api/v1/openapi.json")
    assert msgspec.json.decode(served_.content) == msgspec.json.decode(kept)
    assert served_.headers["content-type"] == "application/json"


def test_every_operation_has_a_name_of_its_own_and_says_what_it_answers() -> None:
    table = operations(find_apps())
    assert len({one.name for one in table}) == len({(one.method, one.path) for one in table}) == len(table)
    assert all(one.summary[0].isupper() and not one.summary.endswith(".") for one in table)
    assert all(one.asks.__doc__ for one in table)


@pytest.fixture(scope="module")
def port(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = tmp_path_factory.mktemp("schema") / "aus"
    shutil.copytree(folder, made)
    with served(made) as world:
        put(world.node, "last")
        yield world


@pytest.fixture(scope="module")
def document(port: World) -> Any:
    return schemathesis.openapi.from_url(f"{port.url}/api/v1/openapi.json")


TABLE = {one.name: one for one in operations(find_apps()) if not one.streams}


def settings(examples: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck), database=None
    )


def attempt(document: Any, port: World, name: str, examples: int, people: Sequence[str]) -> None:
    """Generated requests for one operation, each as everybody named."""
    asked = document[TABLE[name].path][TABLE[name].method]

    @settings(examples)
    @hypothesis.given(case=asked.as_strategy())
    def run(case: Any) -> None:
        for who in people:
            if not holds(port, who):
                port.tokens[who] = port.node.people.sign_in(who, PASSWORD)
            headers = {"Authorization": f"Bearer {port.tokens[who]}"}
            case.call_and_validate(headers=headers, excluded_checks=NOT_MEANT)

    run()


def holds(port: World, who: str) -> bool:
    """Whether a person is signed in still: what is generated may end sessions."""
    try:
        port.node.people.sessions.who(port.tokens[who])
    except (KeyError, NotAuthentic):
        return False
    return True


@pytest.mark.parametrize("name", TABLE)
def test_generated_requests_find_nothing(document: Any, port: World, name: str) -> None:
    """A few for each operation, as one who may ask it."""
    act = TABLE[name].act
    first = act[0] if isinstance(act, tuple) else act
    who = next(who for who in PEOPLE if not first or may(ROLES[who]["roles"], first))
    attempt(document, port, name, 5, [who])


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_many_generated_requests_find_nothing(document: Any, port: World, name: str) -> None:
    """Many, as everybody in turn."""
    attempt(document, port, name, 60, PEOPLE)
