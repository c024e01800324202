"""Attacks with an answer: lies to a partner that calls, about what has arrived or in whose name.

Here the target is the caller. It must note a problem and believe nothing: no receipt, no cosignature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from aldis.kernel.errors import AldisError
from aldis.kernel.messages import Cursor, Receipt, Welcome, sign_message
from aldis.kernel.signatures import Algorithm
from aldis.node.keys import generate, load
from aldis.testing.hostile import Attack, Hostile, NotNow

__all__ = ["ATTACKS"]


def _answers(make: Callable[[Hostile, str], bytes]) -> Callable[[Hostile], None]:
    """Let the target call once, greeting first, and hear `make` in the place of the real answer."""

    def run(h: Hostile) -> None:
        link, site = h.coalition.links[h.target, h.name], h.coalition.sites[h.name]
        exchange = h.aim.exchange
        if link.cut or not h.aim.partners.get(h.name).active:
            raise NotNow("the target does not call")
        held = h.aim.core.store.partners.acknowledged(h.name)
        exchange.state(h.name).greeted = False
        site.lies = lambda _sender, operation, _body: make(h, operation)
        try:
            call = exchange.next_call(h.name)
            if call is None:
                raise NotNow("the target has nothing to say")
            try:
                exchange.answered(h.name, call, site.answer(h.target, call.operation, bytes(call.body)))
            except AldisError as error:
                h.refused.append(error.code)
                exchange.failed(h.name, error)
        finally:
            site.lies = None
        if h.aim.core.store.partners.acknowledged(h.name) != held:
            raise AssertionError(f"{h.target} took a lie for a receipt")

    return run


def _welcome(h: Hostile, **changes: Any) -> bytes:
    return sign_message(_true(h, **changes), h.signer)


def _true(h: Hostile, **changes: Any) -> Welcome:
    held = h.node.inbound.cursor(h.target)
    fitting = Welcome(h.name, h.target, h.now, held)
    return msgspec.structs.replace(fitting, **changes)


def _beyond(h: Hostile, _operation: str) -> bytes:
    cursor = h.node.inbound.cursor(h.target)
    return _welcome(h, cursor=Cursor(h.aim.exchange.epoch, cursor.seq + 3, "ab" * 32))


def _another_digest(h: Hostile, _operation: str) -> bytes:
    """The number of a bundle that waits, with the digest of another."""
    last = h.aim.core.store.exchange.last_sealed(h.name)
    held = h.aim.core.store.partners.acknowledged(h.name)
    if last is None or (held is not None and held.seq >= last.last):
        raise NotNow("nothing waits for it")
    return _welcome(h, cursor=Cursor(h.aim.exchange.epoch, last.last, "ab" * 32))


def _another_epoch(h: Hostile, _operation: str) -> bytes:
    return _welcome(h, cursor=Cursor(h.aim.exchange.epoch + 1, 1, "ab" * 32))


def _going_back(h: Hostile, _operation: str) -> bytes:
    held = h.aim.core.store.partners.acknowledged(h.name)
    if held is None or held.seq < 2:
        raise NotNow("it has acknowledged nothing")
    return _welcome(h, cursor=Cursor(h.aim.exchange.epoch, held.seq - 1, "ab" * 32))


def _stranger(h: Hostile, _operation: str) -> bytes:
    return sign_message(_true(h), load(Algorithm.ED25519, generate(Algorithm.ED25519)))


def _receipt(h: Hostile, _operation: str) -> bytes:
    """A receipt where a welcome is due."""
    return sign_message(Receipt(h.name, h.target, h.now, h.node.inbound.cursor(h.target)), h.signer)


ATTACKS = (
    Attack("answer beyond what was sent", "forked", _answers(_beyond)),
    Attack("answer with another digest", "forked", _answers(_another_digest)),
    Attack("answer of another epoch", "forked", _answers(_another_epoch)),
    Attack("answer that takes a receipt back", "forked", _answers(_going_back)),
    Attack("answer by a stranger", "not-authentic", _answers(_stranger)),
    Attack("answer in the victim's name", "not-authentic", _answers(lambda h, _: _welcome(h, origin=h.victim))),
    Attack("answer for somebody else", "not-authentic", _answers(lambda h, _: _welcome(h, audience=h.victim))),
    Attack("answer that is a receipt", "not-authentic", _answers(_receipt)),
    Attack("answer of noise", "invalid-input", _answers(lambda h, _: h.rng.randbytes(100))),
    Attack("answer with a cosignature of noise", "invalid-input", _answers(lambda h, _: _welcome(h, cosignature="x"))),
    Attack(
        "answer with a digest of noise",
        "invalid-input",
        _answers(lambda h, _: _welcome(h, cursor=Cursor(h.aim.exchange.epoch, 1 << 60, "x"))),
    ),
)
