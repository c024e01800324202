"""A real OpenID provider as a process of its own, and a browser that signs in by its forms."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2

FOLDER = Path(__file__).parent / "oidc"
NODE = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
READY = NODE is not None and (FOLDER / "node_modules" / "oidc-provider").is_dir()
REDIRECT = "http://127.0.0.1/sign-in/oidc/back"
CLIENT: dict[str, Any] = {
    "client_id": "aldis", "client_secret": "a secret of the node for tests", "application_type": "native",
    "redirect_uris": [REDIRECT],
}  # fmt: skip


@contextmanager
def provider(people: dict[str, dict[str, Any]], client: dict[str, Any] = CLIENT, alg: str = "RS256") -> Iterator[str]:
    """The issuer of a provider that runs while the block does."""
    setup = json.dumps({"people": people, "client": client, "alg": alg})
    process = subprocess.Popen(
        [str(NODE), "provider.mjs"], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "SETUP": setup},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def browse(url: str, login: str) -> str:
    """Sign in as `login` and consent; the address that the provider sends the browser back to at last."""
    with httpx2.Client(trust_env=False) as browser:
        response = browser.get(url)
        for _ in range(12):
            if response.status_code in (302, 303):
                to = urljoin(str(response.url), response.headers["location"])
                if "/sign-in/oidc/back" in to:
                    return to
                response = browser.get(to)
                continue
            form = re.search(r'<form[^>]* action="([^"]+)"', response.text)
            assert response.status_code == 200 and form, response.text
            hidden = dict(re.findall(r'name="(prompt)" value="([^"]+)"', response.text))
            filled = {**hidden, "login": login, "password": "any"} if hidden["prompt"] == "login" else hidden
            response = browser.post(urljoin(str(response.url), html.unescape(form[1])), data=filled)
    raise AssertionError("the provider never sent the browser back")
