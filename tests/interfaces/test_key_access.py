"""The key-access server: who may have a key gets it, over a socket; whoever may not learns nothing of why."""

from __future__ import annotations

import base64
import hmac
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from cli_nations import Coalition
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from kas_scene import WORDS, Server, policy, publish, seal, two_servers

from aldis.interfaces.remote_kas import RemoteKas, sign
from aldis.kernel.errors import RefusedByPolicy
from aldis.kernel.tdf import KeyAccess, open_tdf
from aldis.node.kas import KasPublic, make_key
from aldis.node.node import Node

FORBIDDEN = b"the key is not given"


@pytest.fixture
def servers(coalition: Coalition) -> Iterator[tuple[Server, Server]]:
    with two_servers(coalition) as both:
        yield both


@dataclass
class Asker:
    """A client that signs whatever a test makes of a request."""

    server: Server
    token: str

    def __post_init__(self) -> None:
        self.kas = RemoteKas({self.server.url: self.token})
        self.place = f"{self.server.url}/v2/rewrap"
        self.mine = rsa.generate_private_key(65537, 2048)

    def asked(self, file: Path, **changes: Any) -> dict[str, Any]:
        """What asks for the first share of a container."""
        with zipfile.ZipFile(file) as archive:
            encryption = json.loads(archive.read("0.manifest.json"))["encryptionInformation"]
        pem = KasPublic(_pem(self.mine), "").pem
        made = {"keyAccess": encryption["keyAccess"][0], "policy": encryption["policy"], "clientPublicKey": pem}
        return made | changes

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of the answer."""
        where = urlsplit(self.place)
        link = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
        given = self.kas.headers(self.place, self.token) if headers is None else headers
        try:
            link.request("POST", where.path, body, {"content-type": "application/json", **given})
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def rewrap(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        return self.post(self.kas.request(asked))


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def refused(answer: tuple[int, bytes]) -> bytes:
    """The one body of every refusal."""
    assert answer[0] == 403
    assert json.loads(answer[1]) == {
        "type": "urn:aldis:problem:refused",
        "title": "Refused",
        "status": 403,
        "detail": FORBIDDEN.decode(),
    }
    return answer[1]


def test_who_may_have_the_key_opens_the_container_with_it(servers):
    aus, gbr = servers
    file = seal(aus, gbr)
    kas = RemoteKas({aus.url: aus.hire("alice"), gbr.url: gbr.hire("george")})
    opened = open_tdf(io.BytesIO(file.read_bytes()), kas.unwrap)
    assert WORDS in b"".join(opened.segments()).decode()
    assert aus.leaves() == [("unwrapped", "", "alice")]
    assert gbr.leaves() == [("unwrapped", "", "george")]


def test_the_public_key_is_the_one_that_containers_name(servers):
    aus, _ = servers
    where = urlsplit(aus.url)
    found = []
    for path in ("/kas/v2/kas_public_key?algorithm=rsa:2048", "/kas/kas_public_key?v=2&fmt=jwk"):
        link = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
        link.request("GET", path)
        found.append(json.loads(link.getresponse().read()))
        link.close()
    plain, jwk = found
    assert plain["publicKey"] == (aus.nation.folder / "aus.pem").read_text()
    assert KasPublic(plain["publicKey"].encode(), "").kid == plain["kid"] == jwk["kid"]
    assert json.loads(jwk["publicKey"])["kty"] == "RSA"
    link = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    link.request("GET", "/kas/v2/kas_public_key?algorithm=ec:secp256r1")
    assert link.getresponse().status == 404
    link.close()


def test_every_refusal_reads_the_same_and_the_ledger_knows_why(servers):
    aus, _ = servers
    file, foreign = seal(aus), seal(aus, name="other.tdf")
    alice = Asker(aus, aus.hire("alice"))
    low = Asker(aus, aus.hire("low", clearance={"AUS": "OFFICIAL"}))
    elsewhere = Asker(aus, aus.hire("elsewhere", projects=["HARBOUR"]))
    usa = Asker(aus, aus.hire("ursula", nationality="USA"))
    asked, other = alice.asked(file), alice.asked(foreign)
    access = asked["keyAccess"]
    swapped = base64.b64encode(json.dumps(policy(aus, "OFFICIAL")).encode()).decode()
    ec = make_key("ec:secp256r1")[1].decode()
    bodies = {
        refused(answer)
        for answer in (
            low.rewrap(low.asked(file)),
            elsewhere.rewrap(elsewhere.asked(file)),
            usa.rewrap(usa.asked(file)),
            alice.rewrap(asked | {"policy": swapped}),
            alice.rewrap(asked | {"policy": other["policy"]}),
            alice.rewrap(asked | {"keyAccess": access | {"policyBinding": other["keyAccess"]["policyBinding"]}}),
            alice.rewrap(asked | {"keyAccess": access | {"policyBinding": {"alg": "none", "hash": ""}}}),
            alice.rewrap(asked | {"keyAccess": access | {"kid": "0" * 16}}),
            alice.rewrap(asked | {"keyAccess": {k: v for k, v in access.items() if k != "kid"}}),
            alice.rewrap(asked | {"keyAccess": access | {"wrappedKey": other["keyAccess"]["wrappedKey"]}}),
            alice.rewrap(asked | {"keyAccess": access | {"wrappedKey": "!"}}),
            alice.rewrap(asked | {"keyAccess": access | {"type": "remote"}}),
            alice.rewrap(asked | {"clientPublicKey": ec}),
            alice.rewrap(asked | {"clientPublicKey": "x"}),
            alice.rewrap(asked | {"algorithm": "none"}),
            alice.rewrap({}),
        )
    }
    assert len(bodies) == 1
    said = [leaf[1] for leaf in aus.leaves()]
    assert len(said) == 16 and {leaf[0] for leaf in aus.leaves()} == {"refused"}
    for why in ("the rules do not permit", "the policy is not the one", "no key served here", "is not RSA"):
        assert any(why in text for text in said), (why, said)
    assert alice.rewrap(asked)[0] == 200


def test_a_container_for_another_nation_is_not_opened_at_a_third(servers):
    aus, gbr = servers
    made = policy(aus, "SECRET//REL AUS/GBR", "usa")
    george = Asker(gbr, gbr.hire("george"))
    share = b"k" * 32
    refused(george.rewrap(george.asked(seal(aus, gbr)) | _wrapped(gbr, share, made)))
    permitted = _wrapped(gbr, share, policy(aus, "SECRET//REL AUS/GBR", "gbr"))
    assert george.rewrap(george.asked(seal(aus, gbr, name="b.tdf")) | permitted)[0] == 200
    assert next(leaf[:2] for leaf in gbr.leaves()) == ("refused", "the policy is not for this node")


def _wrapped(server: Server, share: bytes, made: dict[str, Any]) -> dict[str, Any]:
    """A share under the server's key and a policy of one's own."""
    key = server.node.key_access.public("rsa:2048")
    assert key is not None
    text = base64.b64encode(json.dumps(made).encode()).decode()
    digest = hmac.digest(share, text.encode(), "sha256").hex().encode()
    binding = {"alg": "HS256", "hash": base64.b64encode(digest).decode()}
    wrapped = base64.b64encode(key.wrap(share).data).decode()
    access = KeyAccess("wrapped", server.url, wrapped, "", kid=key.kid)
    return {"policy": text, "keyAccess": msgspec.to_builtins(access) | {"policyBinding": binding}}


def shifted(skew: int) -> float:
    return time.time() + skew


def test_a_request_token_counts_once_in_its_time_and_under_the_key_of_the_proof(servers):
    aus, _ = servers
    file = seal(aus)
    alice = Asker(aus, aus.hire("alice"))
    body = alice.kas.request(alice.asked(file))
    assert alice.post(body)[0] == 200
    refused(alice.post(body))
    for skew in (-3600, 3600):
        alice.kas._clock = partial(shifted, skew)
        late = alice.kas.request(alice.asked(file))
        alice.kas._clock = time.time
        refused(alice.post(late))
    text = json.dumps(alice.asked(file))
    now = int(time.time())
    for head, said, key in (
        ({"alg": "RS256"}, {"requestBody": text, "iat": now, "exp": now + 60}, rsa.generate_private_key(65537, 2048)),
        ({"alg": "RS256"}, {"requestBody": text, "iat": now, "exp": now + 90_000}, alice.kas._holder),
        ({"alg": "RS256"}, {"requestBody": text, "iat": now}, alice.kas._holder),
        ({"alg": "HS256"}, {"requestBody": text, "iat": now, "exp": now + 60}, alice.kas._holder),
        ({"alg": "RS256", "crit": ["x"]}, {"requestBody": text, "iat": now, "exp": now + 60}, alice.kas._holder),
    ):
        refused(alice.post(json.dumps({"signedRequestToken": sign(key, head, said)}).encode()))


def test_a_proof_is_for_one_request_of_one_session_by_the_key_it_began_with(servers):
    aus, gbr = servers
    file = seal(aus)
    alice, bob = Asker(aus, aus.hire("alice")), Asker(aus, aus.hire("bob"))

    def denied(headers: dict[str, str]) -> None:
        status, answer = alice.post(alice.kas.request(alice.asked(file)), headers)
        assert status == 401 and WORDS.encode() not in answer

    headers = alice.kas.headers(alice.place, alice.token)
    assert alice.post(alice.kas.request(alice.asked(file)), headers)[0] == 200
    denied(headers)
    denied({"authorization": headers["authorization"]})
    denied(alice.kas.headers(alice.place, bob.token) | {"authorization": headers["authorization"]})
    denied(alice.kas.headers(gbr.url + "/v2/rewrap", alice.token))
    denied(bob.kas.headers(alice.place, alice.token))
    alice.kas._clock = lambda: time.time() - 300
    old = alice.kas.headers(alice.place, alice.token)
    alice.kas._clock = time.time
    denied(old)
    assert alice.rewrap(alice.asked(file))[0] == 200
    assert {leaf[0] for leaf in aus.leaves()} == {"unwrapped"}, "without a proof nothing of a request is looked at"


def test_nothing_is_read_of_who_is_not_signed_in_or_sends_too_much(servers):
    aus, _ = servers
    file = seal(aus)
    alice = Asker(aus, aus.hire("alice"))
    body = alice.kas.request(alice.asked(file))
    for token in ("", "x" * 43, "x" * 5000):
        headers = alice.kas.headers(alice.place, alice.token) | {"authorization": f"Bearer {token}"}
        assert alice.post(body, headers)[0] == 401
        assert alice.post(b"{", headers)[0] == 401
    assert alice.post(b"x" * 300_000)[0] == 413
    for malformed in (b"", b"{", b"[]", b'{"signedRequestToken": 1}', b"[" * 100_000):
        assert alice.post(malformed)[0] == 400
    refused(alice.post(b'{"signedRequestToken": "x"}'))
    refused(alice.post(b'{"signedRequestToken": "a.b.c"}'))


def test_a_person_suspended_or_at_a_lower_level_gets_no_key_any_more(servers):
    aus, _ = servers
    file = seal(aus)
    alice = Asker(aus, aus.hire("alice"))
    assert alice.rewrap(alice.asked(file))[0] == 200
    low = Asker(aus, aus.sign_in("alice", AUS="OFFICIAL"))
    refused(low.rewrap(low.asked(file)))
    aus.node.people.suspend("alice", "left")
    assert alice.rewrap(alice.asked(file))[0] == 401


def test_once_its_record_is_deleted_a_container_stays_closed(servers):
    aus, _ = servers
    file = seal(aus)
    alice = Asker(aus, aus.hire("alice"))
    assert alice.rewrap(alice.asked(file))[0] == 200
    aus.node.records.delete("plan", "alice")
    refused(alice.rewrap(alice.asked(file)))
    assert aus.leaves()[-1][1] == "the record was deleted"


def test_a_refusal_is_told_to_the_client_as_such(servers):
    aus, _ = servers
    file = seal(aus)
    low = RemoteKas({aus.url: aus.hire("low", clearance={"AUS": "OFFICIAL"})})
    with pytest.raises(RefusedByPolicy, match="does not give the key"):
        open_tdf(io.BytesIO(file.read_bytes()), low.unwrap)


@pytest.mark.slow
def test_a_node_that_is_up_gives_keys_to_whoever_may_have_them(coalition: Coalition) -> None:
    """`aldis up` in a process of its own, with its real sessions, limits and routes."""
    aus = coalition.aus
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/kas"
    publish(aus)
    with Node.open(aus.home, environment={}, flags={"kas_url": url}) as node:
        server = Server(aus, node, url)
        file = seal(server)
        alice, low = server.hire("alice"), server.hire("low", clearance={"AUS": "OFFICIAL"})
    env = {"ALDIS_HOME": str(aus.home), "ALDIS_HTTP": f"127.0.0.1:{port}", "ALDIS_KAS_URL": url}
    process = subprocess.Popen(
        [sys.executable, "-m", "aldis", "up", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)][1] == url.removesuffix("/kas") + "\n"
        kas = RemoteKas({url: alice})
        for _ in range(2):
            opened = open_tdf(io.BytesIO(file.read_bytes()), kas.unwrap)
            assert WORDS in b"".join(opened.segments()).decode()
        asker, stranger = Asker(server, low), Asker(server, "x" * 43)
        refused(asker.rewrap(asker.asked(file)))
        assert (
            stranger.rewrap(stranger.asked(file))[0] == asker.post(b"{}", {"authorization": f"Bearer {low}"})[0] == 401
        )
        aus.run("person", "revoke", "alice")
        with pytest.raises(RefusedByPolicy, match="401"):
            open_tdf(io.BytesIO(file.read_bytes()), kas.unwrap)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert [(verdict, who) for verdict, _, who in server.leaves()] == [
        ("unwrapped", "alice"), ("unwrapped", "alice"), ("refused", "low"),
    ]  # fmt: skip
