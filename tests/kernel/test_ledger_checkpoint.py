"""Checkpoints and cosignatures: round trips, real ones from the public logs, and every forgery refused."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from aldis.kernel.errors import InvalidInput, NotAuthentic, TooLarge, VerificationFailed
from aldis.kernel.ledger import (
    EMPTY_ROOT,
    NOTE_LIMIT,
    SIGNATURE_LIMIT,
    Checkpoint,
    Signature,
    add_signature,
    cosign,
    parse_note,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)

# A checkpoint of a Certificate Transparency log, cosigned by a public witness, and the two public keys. The first
# signature is of a kind that Aldis does not know (0x05).
PUBLIC_NOTE = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
""".encode()  # noqa: E501
PUBLIC_LOG = "arche2025h1.staging.ct.transparency.dev"
PUBLIC_LOG_KEY = base64.b64decode("AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f")[1:]
PUBLIC_WITNESS = "remora.n621.de"
PUBLIC_WITNESS_KEY = base64.b64decode("BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2")[1:]


class Keeper:
    """A node that signs its own ledger and cosigns those of others."""

    def __init__(self, name: str, seed: bytes) -> None:
        private = Ed25519PrivateKey.from_private_bytes(seed)
        self.name, self.key, self.sign = name, private.public_key().public_bytes_raw(), private.sign

    def checkpoint(self, size: int = 7, root: bytes = b"\x2a" * 32) -> bytes:
        return sign_checkpoint(Checkpoint(self.name, size, root), self.key, self.sign)

    def cosign(self, note: bytes, at_seconds: int = 1_408_083_600) -> bytes:
        return cosign(note, self.name, self.key, self.sign, at_seconds)


AUS, GBR, USA = (
    Keeper(f"{name}.example/ledger", name.encode().ljust(32)) for name in ("aus-low", "gbr-low", "usa-low")
)
NOTE = AUS.checkpoint()
COSIGNED = add_signature(NOTE, GBR.cosign(NOTE))


def test_a_real_checkpoint_and_its_cosignature_verify() -> None:
    checkpoint = verify_checkpoint(PUBLIC_NOTE, PUBLIC_LOG, PUBLIC_LOG_KEY)
    assert (checkpoint.origin, checkpoint.size) == (PUBLIC_LOG, 1_432_088_532)
    assert verify_cosignature(PUBLIC_NOTE, PUBLIC_WITNESS, PUBLIC_WITNESS_KEY) == 1_779_573_024
    assert parse_note(PUBLIC_NOTE).encode() == PUBLIC_NOTE


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_what_was_signed_is_what_verifies(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(AUS.name, size, root)
    note = sign_checkpoint(checkpoint, AUS.key, AUS.sign)
    assert note.startswith(checkpoint.body() + "\n— ".encode())
    assert verify_checkpoint(note, AUS.name, AUS.key) == checkpoint
    assert parse_note(note).encode() == note


def test_an_empty_ledger_has_a_checkpoint_with_one_root_only() -> None:
    assert verify_checkpoint(AUS.checkpoint(0, EMPTY_ROOT), AUS.name, AUS.key).size == 0
    with pytest.raises(InvalidInput):
        Checkpoint(AUS.name, 0, b"\x2a" * 32)


@pytest.mark.parametrize(("size", "root"), [(-1, EMPTY_ROOT), (2**63, EMPTY_ROOT), (1, b""), (1, b"\x00" * 33)])
def test_no_checkpoint_is_beyond_its_limits(size: int, root: bytes) -> None:
    with pytest.raises(InvalidInput):
        Checkpoint(AUS.name, size, root)


def test_a_change_to_any_byte_is_noticed() -> None:
    for place, bit in ((place, bit) for place in range(len(NOTE)) for bit in range(8)):
        forged = NOTE[:place] + bytes([NOTE[place] ^ (1 << bit)]) + NOTE[place + 1 :]
        with pytest.raises((VerificationFailed, InvalidInput)):
            verify_checkpoint(forged, AUS.name, AUS.key)


def test_a_truncated_note_is_refused() -> None:
    for end in range(len(COSIGNED)):
        if end != len(NOTE):
            with pytest.raises((VerificationFailed, InvalidInput)):
                verify_checkpoint(COSIGNED[:end], AUS.name, AUS.key)


def test_another_key_or_name_does_not_verify() -> None:
    for name, key in ((AUS.name, GBR.key), (GBR.name, AUS.key), (GBR.name, GBR.key)):
        with pytest.raises(NotAuthentic):
            verify_checkpoint(COSIGNED, name, key)


def test_a_key_id_alone_authenticates_nothing() -> None:
    forged = NOTE.replace(b"\n7\n", b"\n8\n")
    with pytest.raises(NotAuthentic, match="does not hold"):
        verify_checkpoint(forged, AUS.name, AUS.key)


def test_one_bad_signature_of_the_key_spoils_the_note() -> None:
    good = parse_note(NOTE).signatures[0]
    bad = Signature(good.name, good.key_id, bytes(64))
    for pair in (good.line() + bad.line(), bad.line() + good.line()):
        with pytest.raises(NotAuthentic):
            verify_checkpoint(parse_note(NOTE).text + b"\n" + pair, AUS.name, AUS.key)


def test_signatures_of_strangers_are_ignored() -> None:
    stranger = Signature("stranger.example", b"\x00" * 4, b"of no known kind")
    assert verify_checkpoint(add_signature(COSIGNED, stranger.line()), AUS.name, AUS.key).size == 7


def test_a_ledger_cannot_sign_for_another() -> None:
    foreign = parse_note(GBR.checkpoint())
    (own,) = parse_note(NOTE).signatures
    forged = foreign.text + b"\n" + Signature(own.name, own.key_id, AUS.sign(foreign.text)).line()
    with pytest.raises(NotAuthentic, match="checkpoint of"):
        verify_checkpoint(forged, AUS.name, AUS.key)


ROOT = base64.b64encode(b"\x2a" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{AUS.name}\n07\n{ROOT}\n",
        f"{AUS.name}\n+7\n{ROOT}\n",
        f"{AUS.name}\nseven\n{ROOT}\n",
        f"{AUS.name}\n\u0667\n{ROOT}\n",
        f"{AUS.name}\n{2**63}\n{ROOT}\n",
        f"{AUS.name}\n{10**19}\n{ROOT}\n",
        f"{AUS.name}\n0\n{ROOT}\n",
        f"{AUS.name}\n7\n{ROOT[:-2]}r=\n",
        f"{AUS.name}\n7\n{ROOT[:-1]}\n",
        f"{AUS.name}\n7\n{ROOT}\nextension\n",
        f"{AUS.name}\n7\n",
        f"\n7\n{ROOT}\n",
        f"{AUS.name}\n\n7\n{ROOT}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    (own,) = parse_note(NOTE).signatures
    note = text.encode() + b"\n" + Signature(own.name, own.key_id, AUS.sign(text.encode())).line()
    with pytest.raises(InvalidInput):
        verify_checkpoint(note, AUS.name, AUS.key)
    with pytest.raises(InvalidInput):
        GBR.cosign(note)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n",
        b"\n\n",
        b"text\n",
        b"text\n\n",
        b"text\n\n\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE + b"more\n",
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace(b"\n", b"\r\n"),
        "— name QUJDREU=\n".encode(),
        "te\x00xt\n\n— name QUJDREU=\n".encode(),
        "te\txt\n\n— name QUJDREU=\n".encode(),
        "text\n\n— na\x07me QUJDREU=\n".encode(),
        b"te\xffxt\n\n\xe2\x80\x94 name QUJDREU=\n",
        NOTE.replace("— ".encode(), b"- "),
        NOTE.replace("— ".encode(), "—  ".encode()),
        NOTE.replace("— aus-low".encode(), "— aus+low".encode()),
        NOTE.replace("— aus-low".encode(), "— aus\u2003low".encode()),
        "text\n\n— name QUJDRA==\n".encode(),
        "text\n\n— name QUJDREU\n".encode(),
        "text\n\n— name QUJDREV=\n".encode(),
        "text\n\n— name QUJD REU=\n".encode(),
        "text\n\n— name QUJD_EU=\n".encode(),
        f"text\n\n— {'n' * 256} QUJDREU=\n".encode(),
        "text\n\n—  QUJDREU=\n".encode(),
    ],
)
def test_what_is_no_note_is_refused(note: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_note(note)


def test_a_cosigned_text_that_is_no_checkpoint_is_refused() -> None:
    at_seconds, text = 5, b"any text\n"
    key_id = parse_note(COSIGNED).signatures[1].key_id
    value = at_seconds.to_bytes(8, "big") + GBR.sign(b"cosignature/v1\ntime 5\n" + text)
    with pytest.raises(InvalidInput):
        verify_cosignature(text + b"\n" + Signature(GBR.name, key_id, value).line(), GBR.name, GBR.key)


def test_the_text_ends_at_the_last_empty_line() -> None:
    note = parse_note("a\n\nb\n\n— name QUJDREU=\n".encode())
    assert note.text == b"a\n\nb\n"
    assert note.signatures == (Signature("name", b"ABCD", b"E"),)


def test_a_note_beyond_its_limits_is_refused_before_it_is_parsed() -> None:
    lines = [Signature(f"name{n}", b"\x00" * 4, b"x").line() for n in range(SIGNATURE_LIMIT)]
    full = b"text\n\n" + b"".join(lines)
    assert len(parse_note(full).signatures) == SIGNATURE_LIMIT
    with pytest.raises(TooLarge):
        add_signature(full, Signature("one.more", b"\x00" * 4, b"x").line())
    with pytest.raises(TooLarge):
        parse_note(b"\xff" * (NOTE_LIMIT + 1))


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\x00b", "n" * 256])
def test_a_ledger_has_a_name_that_a_key_can_bear(name: str) -> None:
    with pytest.raises(InvalidInput):
        sign_checkpoint(Checkpoint(name, 7, b"\x2a" * 32), AUS.key, AUS.sign)


def test_a_signer_without_the_private_key_is_found_out_at_once() -> None:
    with pytest.raises(NotAuthentic):
        sign_checkpoint(Checkpoint(AUS.name, 7, b"\x2a" * 32), AUS.key, GBR.sign)
    with pytest.raises(NotAuthentic):
        cosign(NOTE, GBR.name, GBR.key, AUS.sign, 1)
    with pytest.raises(InvalidInput):
        sign_checkpoint(Checkpoint(AUS.name, 7, b"\x2a" * 32), AUS.key[:-1], AUS.sign)


@given(st.integers(0, 2**63 - 1))
def test_a_cosignature_tells_when_it_was_made(at_seconds: int) -> None:
    note = add_signature(NOTE, GBR.cosign(NOTE, at_seconds))
    assert verify_cosignature(note, GBR.name, GBR.key) == at_seconds
    assert verify_checkpoint(note, AUS.name, AUS.key).size == 7


@pytest.mark.parametrize("at_seconds", [-1, 2**63])
def test_a_cosignature_needs_a_time(at_seconds: int) -> None:
    with pytest.raises(InvalidInput):
        GBR.cosign(NOTE, at_seconds)


def test_a_cosignature_with_another_time_or_checkpoint_does_not_verify() -> None:
    cosignature = parse_note(COSIGNED).signatures[1]
    late = Signature(cosignature.name, cosignature.key_id, bytes(8) + cosignature.value[8:])
    short = Signature(cosignature.name, cosignature.key_id, cosignature.value[:8])
    for forged in (
        add_signature(NOTE, late.line()),
        add_signature(NOTE, short.line()),
        add_signature(AUS.checkpoint(8), cosignature.line()),
    ):
        with pytest.raises(NotAuthentic):
            verify_cosignature(forged, GBR.name, GBR.key)


def test_a_signature_of_one_kind_never_passes_for_the_other() -> None:
    with pytest.raises(NotAuthentic):
        verify_cosignature(NOTE, AUS.name, AUS.key)
    own = add_signature(NOTE, AUS.cosign(NOTE))
    (signed, cosigned) = parse_note(own).signatures
    for kind, value in ((signed, cosigned.value), (signed, cosigned.value[8:]), (cosigned, bytes(8) + signed.value)):
        forged = parse_note(NOTE).text + b"\n" + Signature(AUS.name, kind.key_id, value).line()
        with pytest.raises(NotAuthentic):
            verify_checkpoint(forged, AUS.name, AUS.key)
        with pytest.raises(NotAuthentic):
            verify_cosignature(forged, AUS.name, AUS.key)


def test_the_latest_cosignature_of_a_key_takes_the_place_of_the_earlier() -> None:
    note = add_signature(COSIGNED, USA.cosign(NOTE))
    note = add_signature(note, GBR.cosign(NOTE, 1_408_083_700))
    assert [s.name for s in parse_note(note).signatures] == [AUS.name, USA.name, GBR.name]
    assert verify_cosignature(note, GBR.name, GBR.key) == 1_408_083_700
    both = NOTE + GBR.cosign(NOTE, 2) + GBR.cosign(NOTE, 1)
    assert verify_cosignature(both, GBR.name, GBR.key) == 2


@pytest.mark.parametrize("line", [b"", b"\n", b"text\n", GBR.cosign(NOTE)[:-1], b"text\n\n" + GBR.cosign(NOTE)])
def test_only_whole_signature_lines_are_added(line: bytes) -> None:
    with pytest.raises(InvalidInput):
        add_signature(NOTE, line)
