"""What the guard around everything served says in each answer, once."""

from __future__ import annotations

import shutil
from pathlib import Path

from port_world import served
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def _loose(_request: Request) -> Response:
    response = Response("x", headers={"X-Frame-Options": "ALLOWALL", "referrer-policy": "unsafe-url"})
    response.headers.append("Cross-Origin-Resource-Policy", "cross-origin")
    response.headers.append("x-request-id", "mine")
    response.headers.append("set-cookie", "a=1")
    response.headers.append("set-cookie", "b=2")
    return response


async def _page(_request: Request) -> Response:
    return Response("x", headers={"Referrer-Policy": "same-origin", "x-content-type-options": "nosniff"})


def test_each_header_stands_once_and_no_page_says_it_looser(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "aus")
    with served(tmp_path / "aus", pages=lambda _node: [Route("/loose", _loose), Route("/page", _page)]) as world:
        for path, policy in (("/loose", "no-referrer"), ("/page", "same-origin"), ("/healthz", "no-referrer")):
            answer = world.ask("GET", path)
            names = [name.lower() for name, _ in answer.headers.multi_items() if name.lower() != "set-cookie"]
            assert len(names) == len(set(names)), path
            assert answer.headers["referrer-policy"] == policy
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert answer.headers["x-request-id"] != "mine"
        assert world.ask("GET", "/loose").headers.get_list("set-cookie") == ["a=1", "b=2"]
