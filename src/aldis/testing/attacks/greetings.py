"""Attacks with a greeting: in another name, of another time, or with a ledger that was rewritten."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from aldis.kernel.admission import CLOCK_TOLERANCE
from aldis.kernel.ledger import Checkpoint, consistency_proof, sign_checkpoint, verify_checkpoint
from aldis.kernel.messages import Greeting, Receipt, Welcome, open_message, sign_message
from aldis.kernel.signatures import Algorithm
from aldis.node.core import ledger_name
from aldis.node.keys import generate, load
from aldis.testing.hostile import Attack, Hostile, NotNow

__all__ = ["ATTACKS"]


def _greeting(h: Hostile, **changes: object) -> Greeting:
    fitting = Greeting(h.name, h.target, h.now, h.node.exchange.epoch)
    return msgspec.structs.replace(fitting, **changes)


def _says(**changes: Callable[[Hostile], object]) -> Callable[[Hostile], None]:
    def run(h: Hostile) -> None:
        greeting = _greeting(h, **{name: make(h) for name, make in changes.items()})
        h.call("greet", sign_message(greeting, h.signer))

    return run


def _by_a_stranger(h: Hostile) -> None:
    h.call("greet", sign_message(_greeting(h), load(Algorithm.ED25519, generate(Algorithm.ED25519))))


def _receipt_for_a_greeting(h: Hostile) -> None:
    """Another message of its own, with the fields of a greeting, signed as what it is."""
    receipt = Receipt(h.name, h.target, h.now, h.cursor)
    h.call("greet", sign_message(receipt, h.signer))


def _signed_as_a_receipt(h: Hostile) -> None:
    """A real greeting under the signature of another context."""
    payload = msgspec.json.encode(_greeting(h))
    h.call("greet", msgspec.msgpack.encode((payload, h.signer.sign(Receipt.CONTEXT, payload))))


def _bundle_for_a_greeting(h: Hostile) -> None:
    h.call("greet", h.bundle([h.item(h.record())]))


def _greeting_for_a_bundle(h: Hostile) -> None:
    h.call("deliver", sign_message(_greeting(h), h.signer))


def _noise(h: Hostile) -> None:
    h.call("greet", h.rng.randbytes(300))


def _too_large(h: Hostile) -> None:
    h.call("greet", sign_message(_greeting(h, proof=["00" * 32] * 5_000), h.signer))


def _another_operation(h: Hostile) -> None:
    h.call("delete", sign_message(_greeting(h), h.signer))


# ledgers


def _cosigned(h: Hostile) -> int:
    """The size of its ledger that the target last cosigned; cosigned now, if it never was."""
    name = ledger_name(h.name)
    held = h.aim.core.store.ledger.checkpoint(name)
    if held is None:
        note = h.node.audit.checkpoint()
        if h.call("greet", sign_message(_greeting(h, checkpoint=note.decode()), h.signer)) is None:
            raise NotNow("the target does not take an honest greeting either")
        held = h.aim.core.store.ledger.checkpoint(name)
    if held is None:
        raise NotNow("the target has cosigned nothing")
    return verify_checkpoint(held[1], name, h.node.core.note_signer.public).size


def _note(h: Hostile, size: int, root: bytes) -> str:
    core = h.node.core
    checkpoint = Checkpoint(core.ledger, size, root)
    return sign_checkpoint(checkpoint, core.note_signer.public, core.note_signer.sign).decode()


def _presents(h: Hostile, note: str, since: int, proof: list[str]) -> None:
    """Greet with this checkpoint; an answer that cosigns it is a gain."""
    greeting = _greeting(h, checkpoint=note, since=since, proof=proof)
    answer = h.call("greet", sign_message(greeting, h.signer))
    if answer is not None:
        welcome = open_message(answer, Welcome, h.aim.core.signer.public)
        if welcome.cosignature:
            raise AssertionError(f"{h.target} cosigned a ledger that does not continue the one before")


def _rewritten(h: Hostile) -> None:
    since = _cosigned(h)
    _presents(h, _note(h, since + 5, h.rng.randbytes(32)), since, ["ab" * 32] * 4)


def _rewritten_at_the_same_size(h: Hostile) -> None:
    since = _cosigned(h)
    _presents(h, _note(h, since, h.rng.randbytes(32)), since, [])


def _cut_back(h: Hostile) -> None:
    since = _cosigned(h)
    if since < 2:
        raise NotNow("its ledger is too short")
    _presents(h, _note(h, since - 1, h.rng.randbytes(32)), since, [])


def _since_another_time(h: Hostile) -> None:
    """A consistency proof from a checkpoint that the target did not cosign last: no word, but no error either."""
    since = _cosigned(h)
    _presents(h, _note(h, since + 5, h.rng.randbytes(32)), since - 1, [])


def _proof_of_noise(h: Hostile) -> None:
    since = _cosigned(h)
    _presents(h, _note(h, since + 5, h.rng.randbytes(32)), since, ["not hexadecimal"])


def _by_another_key(h: Hostile) -> None:
    """The victim's ledger for its own."""
    core = h.coalition[h.victim].core
    checkpoint = Checkpoint(h.node.core.ledger, 3, bytes(32))
    note = sign_checkpoint(checkpoint, core.note_signer.public, core.note_signer.sign)
    h.call("greet", sign_message(_greeting(h, checkpoint=note.decode()), h.signer))


def _honest_then_shorter(h: Hostile) -> None:
    """An earlier state of its real ledger, which a restored backup would show."""
    since = _cosigned(h)
    if since < 3:
        raise NotNow("its ledger is too short")
    reader = h.node.core.store.ledger.reader()
    proof = [digest.hex() for digest in consistency_proof(reader, since - 2, since)]
    _presents(h, _note(h, since - 2, h.rng.randbytes(32)), since, proof)


ATTACKS = (
    Attack("greeting by a stranger", "not-authentic", _by_a_stranger),
    Attack("greeting in the victim's name", "not-authentic", _says(origin=lambda h: h.victim)),
    Attack("greeting for somebody else", "not-authentic", _says(audience=lambda h: h.victim)),
    Attack("greeting from the past", "stale", _says(at=lambda h: h.now - CLOCK_TOLERANCE - 1)),
    Attack("greeting from the future", "stale", _says(at=lambda h: h.now + CLOCK_TOLERANCE + 1)),
    Attack("greeting that is a receipt", "not-authentic", _receipt_for_a_greeting),
    Attack("greeting signed as a receipt", "not-authentic", _signed_as_a_receipt),
    Attack("greeting that is a bundle", "invalid-input", _bundle_for_a_greeting),
    Attack("bundle that is a greeting", "invalid-input", _greeting_for_a_bundle),
    Attack("greeting of noise", "invalid-input", _noise),
    Attack("greeting that is too large", "too-large", _too_large),
    Attack("another operation", "unknown-term", _another_operation),
    Attack("ledger rewritten", "forked", _rewritten),
    Attack("ledger rewritten at the same size", "forked", _rewritten_at_the_same_size),
    Attack("ledger cut back", "forked", _cut_back),
    Attack("ledger of an earlier time", "forked", _honest_then_shorter),
    Attack("ledger proven from another checkpoint", "", _since_another_time),
    Attack("ledger with a proof of noise", "invalid-input", _proof_of_noise),
    Attack("ledger signed by another", "not-authentic", _by_another_key),
    Attack("ledger that is no checkpoint", "invalid-input", _says(checkpoint=lambda _: "no checkpoint")),
)
