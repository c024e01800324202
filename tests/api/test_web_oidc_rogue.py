"""The browser's way to a provider and back, at a provider on a socket that does what a test wants."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwk, jwt
from port_world import World, make_node, served
from test_web_oidc import SESSION, back, begin, cookies

from aldis.interfaces.web import site
from aldis.interfaces.web.oidc import PENDING
from aldis.kernel.encoding import b64
from aldis.node.provider import Provider

BACK = "http://127.0.0.1/sign-in/oidc/back"
KEY = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Rogue(ThreadingHTTPServer):
    """A provider that checks PKCE as it should; `codes` have the challenge and the nonce that each was given for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.codes: dict[str, tuple[str, str]] = {}

    def grant(self, url: str) -> dict[str, str]:
        """The answer to a browser that was sent here, as an honest provider gives it."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert (asked["code_challenge_method"], asked["redirect_uri"]) == ("S256", BACK)
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked["code_challenge"], asked["nonce"]
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def answer(self, path: str, form: dict[str, str]) -> dict[str, Any] | None:
        """What is said to the node; None where it is refused."""
        if path.endswith("/openid-configuration"):
            return {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
                "code_challenge_methods_supported": ["S256"], "authorization_response_iss_parameter_supported": True,
            }  # fmt: skip
        if path == "/jwks":
            return {"keys": [KEY.as_dict(private=False)]}
        challenge, nonce = self.codes.pop(form.get("code", ""), ("", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "aldis", "sub": "originator", "iat": now, "exp": now + 300, "nonce": nonce}
        token = jwt.encode({"alg": "RS256", "kid": KEY.kid}, claims, KEY, algorithms=["RS256"])
        return {"id_token": token, "token_type": "Bearer"}


class _Answer(BaseHTTPRequestHandler):
    server: Rogue

    def do_GET(self) -> None:
        self._say({})

    def do_POST(self) -> None:
        self._say(dict(parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode())))

    def _say(self, form: dict[str, str]) -> None:
        found = self.server.answer(self.path, form)
        data = json.dumps(found).encode()
        self.send_response(400 if found is None else 200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def rogue() -> Iterator[Rogue]:
    with Rogue() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield made
        made.shutdown()
        thread.join(10)


@pytest.fixture(scope="module")
def world(rogue: Rogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("rogue") / "aus"
    make_node(folder, oidc=Provider(issuer=rogue.issuer, client_id="aldis", redirect=BACK))
    with served(folder, at=int(time.time() * 1000), pages=site) as made:
        yield made


def bring(world: World, answer: dict[str, str], pending: str) -> httpx2.Response:
    """What a browser that has this cookie gets when it comes back."""
    return back(world, f"{BACK}?{urlencode(answer)}", pending)


def refused(answer: httpx2.Response) -> bool:
    """Whether nobody was signed in, and the cookie of the way is taken back."""
    given = cookies(answer)
    return answer.status_code == 403 and SESSION not in given and "max-age=0" in given[PENDING][1]


def test_an_honest_way_signs_in_at_the_routine_level_once(world: World, rogue: Rogue) -> None:
    url, pending = begin(world)
    home = rogue.grant(url)
    answer = bring(world, home, pending)
    given = cookies(answer)
    assert answer.status_code == 200 and "/level?next=%2Frecords" in answer.text
    assert "max-age=0" in given[PENDING][1] and "samesite=strict" in given[SESSION][1]
    person = world.node.people.sessions.who(given[SESSION][0])
    assert (person.id, person.level) == ("originator", {"AUS": "OFFICIAL"})
    assert refused(bring(world, home, pending))


def test_an_answer_without_the_state_or_the_cookie_of_the_browser_that_asked_is_nobodys(
    world: World, rogue: Rogue
) -> None:
    """A sign-in of somebody else's is not planted in this browser, nor this one's taken to another."""
    url, pending = begin(world)
    _, other = begin(world)
    home = rogue.grant(url)
    for answer in ({**home, "state": ""}, {**home, "state": "x" * 43}, {k: v for k, v in home.items() if k != "state"}):
        assert refused(bring(world, answer, pending))
    for cookie in (other, "", "x", pending[1:], f".{pending}"):
        assert refused(bring(world, home, cookie))
    assert SESSION in cookies(bring(world, home, pending))


def test_a_code_or_a_token_of_another_sign_in_opens_nothing(world: World, rogue: Rogue) -> None:
    """A code that was stolen fails at PKCE; where the provider does not check that, at the nonce."""
    mine, pending = begin(world)
    theirs, _ = begin(world)
    home, stolen = rogue.grant(mine), rogue.grant(theirs)
    assert refused(bring(world, {**home, "code": stolen["code"]}, pending))
    mine, pending = begin(world)
    theirs, _ = begin(world)
    home, stolen = rogue.grant(mine), rogue.grant(theirs)
    rogue.codes[home["code"]] = rogue.codes[home["code"]][0], rogue.codes[stolen["code"]][1]
    assert refused(bring(world, home, pending))


def test_it_leads_nowhere_else_whatever_the_link_or_the_cookie_says(world: World, rogue: Rogue) -> None:
    for place in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        for planted in (False, True):
            url, pending = begin(world, "/" if planted else place)
            cookie = f"{pending.partition('.')[0]}.{b64(place.encode())}" if planted else pending
            answer = bring(world, rogue.grant(url), cookie)
            assert SESSION in cookies(answer) and "evil" not in answer.text
