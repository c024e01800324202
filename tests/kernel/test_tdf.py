"""TDF containers: what was sealed is what is opened, and nothing else is."""

import base64
import binascii
import contextlib
import hmac
import io
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from strategies import label_any
from tdf_scene import (
    LABEL,
    POLICY,
    Server,
    as_before_4_3,
    attacks,
    b64,
    integrity,
    key_of,
    only,
    opened,
    pieces,
    put_together,
    sealed,
    taken_apart,
)  # fmt: skip

from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, RefusedByPolicy
from aldis.kernel.tdf import FORMS, Statement, TdfPolicy, open_tdf
from aldis.node.kas import KasKey

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/tdf.json").read_text())
TEXT = b"0123456789abcdef" * 4 + b"tail"
SEALED = {form: sealed(TEXT, form=form) for form in FORMS}


@given(st.binary(max_size=200), st.integers(1, 64), st.integers(1, 3), st.text(max_size=20), st.sampled_from([*FORMS]))
def test_what_was_sealed_is_what_is_opened(payload, segment, splits, words, form):
    statements = [LABEL, Statement("note", words or "-")]
    data = sealed(payload, [[Server(f"s{n}"), Server(f"t{n}")] for n in range(splits)], segment, statements, form=form)
    found, container = opened(data)
    assert found == payload and container.size == len(payload)
    assert list(container.statements) == statements
    assert container.policy == POLICY


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", attacks(SEALED["4.3.0"]))
def test_what_somebody_without_a_key_makes_of_it_is_refused(name, form):
    data = attacks(SEALED[form])[name]
    with pytest.raises((NotAuthentic, InvalidInput)):
        opened(data)


@given(st.integers(0, 10_000), st.integers(1, 255), st.sampled_from([*FORMS]))
def test_no_byte_can_be_changed_to_any_effect(place, change, form):
    data = bytearray(SEALED[form])
    data[place % len(data)] ^= change
    try:
        found, container = opened(bytes(data))
    except (AldisError, OverflowError, binascii.Error):  # the last is of the server in this scene
        return
    assert found == b"0123456789abcdef" * 4 + b"tail"
    assert container.policy == POLICY
    assert container.statements in ((LABEL,), ())  # the format binds what an assertion says, not that there is one


@given(st.binary(max_size=300))
def test_bytes_that_are_no_container_end_in_an_error_that_a_person_can_act_on(data):
    with pytest.raises(AldisError):
        opened(data)


def test_every_split_is_needed_and_any_server_of_a_split_will_do():
    data = sealed(b"both", [[Server("aus"), Server("spare")], [Server("gbr")]])
    assert opened(data, only("spare", "gbr"))[0] == b"both"
    for have in (("aus", "spare"), ("gbr",), ()):
        with pytest.raises(RefusedByPolicy, match="no key given here"):
            opened(data, only(*have))


def test_two_servers_of_one_split_cannot_hold_different_shares():
    manifest, payload = taken_apart(sealed(b"both", [[Server("aus"), Server("gbr")]]))
    other, _ = taken_apart(sealed(b"both", [[Server("aus"), Server("gbr")]], seed=1))
    manifest["encryptionInformation"]["keyAccess"][1] = other["encryptionInformation"]["keyAccess"][1]
    with pytest.raises(NotAuthentic, match="differ"):
        opened(put_together(manifest, payload))


def test_containers_from_before_4_3_are_read_with_their_hexadecimal_hashes():
    assert opened(as_before_4_3(SEALED["4.3.0"]))[0] == b"0123456789abcdef" * 4 + b"tail"


def test_a_container_of_one_form_is_not_taken_for_one_of_the_other():
    for form, version in (("4.3.0", ""), ("3.0.0", "4.3.0")):
        manifest, payload = taken_apart(SEALED[form])
        manifest["schemaVersion"] = version
        with pytest.raises((NotAuthentic, InvalidInput)):
            opened(put_together(manifest, payload))
        for kind in ("GMAC", "HS256"):
            integrity(manifest)["segmentHashAlg"] = kind
            for change in (lambda text: b64(bytes.fromhex(text.decode())), lambda text: b64(text.hex().encode())):
                altered = json.loads(json.dumps(manifest))
                rows = [*integrity(altered)["segments"], integrity(altered)["rootSignature"]]
                for row in rows:
                    name = "sig" if "sig" in row else "hash"
                    with contextlib.suppress(ValueError):
                        row[name] = change(base64.b64decode(row[name]))
                with pytest.raises((NotAuthentic, InvalidInput)):
                    opened(put_together(altered, payload))


def test_gmac_segment_hashes_are_read_under_an_hs256_root():
    manifest, payload = taken_apart(sealed(b"0123456789abcdef" * 3, statements=()))
    key, tags = key_of(manifest), [piece[-16:] for piece in pieces(manifest, payload)]
    integrity(manifest)["segmentHashAlg"] = "GMAC"
    for one, tag in zip(integrity(manifest)["segments"], tags, strict=True):
        one["hash"] = b64(tag)
    integrity(manifest)["rootSignature"]["sig"] = b64(hmac.digest(key, b"".join(tags), "sha256"))
    assert opened(put_together(manifest, payload))[0] == b"0123456789abcdef" * 3
    turned = bytearray(payload)
    turned[20] ^= 1
    with pytest.raises(NotAuthentic):
        opened(put_together(manifest, bytes(turned)))


def test_an_object_as_a_statement_is_hashed_as_a_sorted_compact_string():
    text = '{"a":"\\u003cb\\u003e","b":1}'
    manifest, payload = taken_apart(sealed(b"x", statements=[Statement("s", text)]))
    manifest["assertions"][0]["statement"]["value"] = {"b": 1, "a": "<b>"}
    assert opened(put_together(manifest, payload))[1].statements[0].value == text
    manifest["assertions"][0]["statement"]["value"]["b"] = 2
    with pytest.raises(NotAuthentic):
        opened(put_together(manifest, payload))


@pytest.mark.parametrize("form", FORMS)
def test_an_assertion_of_another_payload_under_the_same_key_is_refused(form):
    manifest, payload = taken_apart(SEALED[form])
    other, _ = taken_apart(sealed(b"other words", form=form))
    assert key_of(other) == key_of(manifest)
    manifest["assertions"] = other["assertions"]
    with pytest.raises(NotAuthentic, match="another payload"):
        opened(put_together(manifest, payload))


def test_an_assertion_under_another_key_needs_that_key_to_be_trusted():
    key = rsa.generate_private_key(65537, 2048)
    manifest, payload = taken_apart(SEALED["4.3.0"])
    body = manifest["assertions"][0]["binding"]["signature"].split(".")[1]
    head = base64.urlsafe_b64encode(b'{"alg":"RS256"}').rstrip(b"=").decode()
    signature = key.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    text = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    manifest["assertions"][0]["binding"]["signature"] = f"{head}.{body}.{text}"
    data = put_together(manifest, payload)

    def trusted(algorithm, signed, given):
        key.public_key().verify(given, signed, padding.PKCS1v15(), hashes.SHA256())
        return algorithm == "RS256"

    assert opened(data, trusted=trusted)[1].statements == (LABEL,)
    with pytest.raises(NotAuthentic, match="trusted"):
        opened(data)


def test_a_segment_that_is_not_authentic_is_never_given_out():
    manifest, payload = taken_apart(SEALED["4.3.0"])
    turned = bytearray(payload)
    turned[-1] ^= 1
    container = open_tdf(io.BytesIO(put_together(manifest, bytes(turned))), only("one"))
    got: list[bytes] = []
    with pytest.raises(NotAuthentic, match="segment 5"):
        got.extend(container.segments())
    assert b"tail" not in got


@given(label_any(), st.text(max_size=20), st.lists(st.text(max_size=9), max_size=3))
def test_a_policy_read_back_is_the_one_that_was_written(label, project, nodes):
    try:
        policy = TdfPolicy(label, "document", "AUS", tuple(nodes), project)
        data = policy.to_bytes(lambda n: bytes(n))
    except UnicodeEncodeError:
        return
    assert TdfPolicy.from_bytes(data) == policy


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", POLICY, POLICY.replace(b"null", b'[{"attribute":"https://example.com/attr/a/value/b"}]'), b"[" * 5000],
)
def test_a_policy_that_nothing_here_decides_is_refused(data):
    with pytest.raises(InvalidInput):
        TdfPolicy.from_bytes(data)


KEYS = {name: KasKey(pem.encode()) for name, pem in VECTORS["keys"].items()}


def by_keys(access, policy):
    return next((share for key in KEYS.values() if (share := key.unwrap(access)) is not None), None)


@pytest.mark.parametrize("row", VECTORS["valid"], ids=lambda row: row["name"])
def test_valid_vectors(row):
    payload, container = opened(base64.b64decode(row["file"]), by_keys)
    assert payload == base64.b64decode(row["payload"])
    assert json.loads(container.policy) == row["policy"]
    assert [one.id for one in container.statements] == row["assertions"]


@pytest.mark.parametrize("row", VECTORS["invalid"], ids=lambda row: row["name"])
def test_invalid_vectors(row):
    with pytest.raises(AldisError) as caught:
        opened(base64.b64decode(row["file"]), by_keys)
    assert caught.value.code == row["error"]
