"""A browser without a screen: one person's cookie, the forms' tokens, and what was answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit

from web_scene import PASSWORD, Scene

SAME = {"Sec-Fetch-Site": "same-origin"}
COOKIE = "__Host-aldis"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str
    data: bytes = b""

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.body)
        return found.group(1) if found else ""

    @property
    def banners(self) -> list[str]:
        return re.findall(r'<p class="banner [^"]*"><span class="unseen">[^<]*</span>([^<]*)</p>', self.body)

    @property
    def plain(self) -> str:
        """Without what is drawn anew for each response and each session."""
        text = re.sub(r'nonce="[^"]*"', "", self.body)
        return re.sub(r'name="csrf" value="[^"]*"', "", text)


@dataclass
class Caller:
    made: Scene
    token: str = ""
    csrf: str = ""
    seen: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        connection = HTTPConnection(urlsplit(self.made.url).netloc, timeout=10)
        sent = dict(headers or {})
        if self.token:
            sent["Cookie"] = f"{COOKIE}={self.token}"
        connection.request(method, path, body, sent)
        found: HTTPResponse = connection.getresponse()
        data = found.read()
        text = data.decode(errors="replace")
        connection.close()
        answer = Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, text, data)
        given = re.match(rf'{COOKIE}="?([^";]*)"?;', answer.headers.get("set-cookie", ""))
        if given:
            self.token = given.group(1)
        self.csrf = answer.csrf or self.csrf
        self.seen.append(f"{answer.headers}{text}")
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers={"Sec-Fetch-Site": "same-origin", **headers})

    def peek(self, path: str) -> Answer:
        """As `get`, but of what goes on no more than its head."""
        connection = HTTPConnection(urlsplit(self.made.url).netloc, timeout=10)
        connection.request(
            "GET", path, headers={**SAME, **({"Cookie": f"{COOKIE}={self.token}"} if self.token else {})}
        )
        found: HTTPResponse = connection.getresponse()
        headers = {name.lower(): value for name, value in found.getheaders()}
        text = "" if headers.get("content-type") == "text/event-stream" else found.read().decode("utf-8", "replace")
        found.close()
        connection.close()
        return Answer(found.status, headers, text)

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> Answer:
        form = {"csrf": self.csrf, **(fields or {})}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, urlencode(form).encode(), {**SAME, **kind, **headers})

    def sign_in(self, who: str, rung: str = "") -> Caller:
        answer = self.post("/sign-in", {"person": who, "password": PASSWORD})
        assert answer.status == 303, answer.body
        self.get("/level")
        if rung:
            assert self.post("/level", {"rung": rung}).status == 303
            self.get("/level")
        return self
