"""Attacks with a live frame: forged, re-addressed, repeated, late, altered, or with values not for the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from aldis.kernel.encoding import sha256
from aldis.kernel.errors import AldisError
from aldis.kernel.frames import CONTEXT, FORMAT, FRAME_LIMIT, MAX_AGE, FrameManifest, Update
from aldis.kernel.labels import Label, encode_label
from aldis.kernel.signatures import Algorithm, Signer
from aldis.node.keys import generate, load
from aldis.testing.hostile import LIVE_KIND, Attack, Hostile, NotNow

__all__ = ["ATTACKS"]

_encode = msgspec.msgpack.Encoder().encode


def _update(h: Hostile, **changes: Any) -> Update:
    fitting = Update(f"live-{h.rng.randbytes(4).hex()}", LIVE_KIND, "title", h.now, "here")
    return msgspec.structs.replace(fitting, **changes)


def _frame(
    h: Hostile,
    groups: Mapping[Label, Sequence[Update]] | None = None,
    *,
    body: bytes | None = None,
    carried: bytes | None = None,
    signer: Signer | None = None,
    context: bytes = CONTEXT,
    **changes: Any,
) -> bytes:
    """A frame in order, but for what is given; `carried` travels in place of the signed body."""
    given = groups or {h.label(): [_update(h)]}
    packed = _encode([(encode_label(label), list(updates)) for label, updates in given.items()])
    signed = packed if body is None else body
    fitting = FrameManifest(
        origin=h.name,
        audience=h.target,
        epoch=h.node.exchange.epoch,
        number=h.next_number(),
        created=h.now,
        policy_epoch="",
        body=sha256(signed).hex(),
        algorithm=h.signer.public.algorithm.value,
    )
    manifest = msgspec.json.encode(msgspec.structs.replace(fitting, **changes))
    signature = (signer or h.signer).sign(context, manifest)
    return _encode((FORMAT, manifest, signature, signed if carried is None else carried))


def _sends(make: Callable[[Hostile], bytes]) -> Callable[[Hostile], None]:
    def run(h: Hostile) -> None:
        h.call("live", make(h))

    return run


def _group(label: Callable[[Hostile], Label], **changes: Any) -> Callable[[Hostile], None]:
    """A frame in order, with one value that is not."""
    return _sends(lambda h: _frame(h, {label(h): [_update(h, **changes)]}))


def _stranger(h: Hostile) -> bytes:
    return _frame(h, signer=load(Algorithm.ED25519, generate(Algorithm.ED25519)))


def _altered(h: Hostile) -> bytes:
    return _frame(h, carried=_encode([(encode_label(h.label()), [_update(h, value="there")])]))


def _honest(h: Hostile, number: int) -> bytes:
    update = _update(h)
    h.lawful.add(update.id)
    frame = _frame(h, {h.label(): [update]}, number=number)
    if h.call("live", frame) is None:
        raise NotNow("the target does not take an honest frame either")
    return frame


def _repeated(h: Hostile) -> None:
    before = len(h.coalition.watch(h.target, LIVE_KIND))
    frame = _honest(h, h.next_number())
    h.call("live", frame)
    if len(h.coalition.watch(h.target, LIVE_KIND)) > before + 1:
        raise AssertionError(f"{h.target} showed a live value twice")


def _overtaken(h: Hostile) -> None:
    """A frame with a lower number than one that came."""
    earlier = h.next_number()
    _honest(h, h.next_number())
    h.call("live", _frame(h, number=earlier))


def _of_another(h: Hostile) -> bytes:
    """The victim's real frame for the target, taken from the wire and sent by another."""
    core = h.coalition[h.victim].core
    return _frame(h, origin=h.victim, signer=core.signer)


def _for_itself(h: Hostile) -> None:
    """The victim's real frame for the hostile node, given to the target in the victim's place."""
    core = h.coalition[h.victim].core
    frame = _frame(h, origin=h.victim, audience=h.name, signer=core.signer)
    try:
        h.aim.answer(h.victim, "live", frame)
    except AldisError as error:
        h.refused.append(error.code)


def _deep(h: Hostile) -> bytes:
    return _frame(h, body=b"\x91" * 50_000)


ATTACKS = (
    Attack("frame by a stranger", "not-authentic", _sends(_stranger)),
    Attack("frame signed as another thing", "not-authentic", _sends(lambda h: _frame(h, context=b"aldis/bundle/1"))),
    Attack(
        "frame of another algorithm than pinned",
        "not-authentic",
        _sends(lambda h: _frame(h, algorithm=Algorithm.P384.value)),
    ),
    Attack("frame for somebody else", "not-authentic", _sends(lambda h: _frame(h, audience=h.victim))),
    Attack("frame of another", "not-authentic", _sends(_of_another)),
    Attack("frame for another in the victim's place", "not-authentic", _for_itself),
    Attack("frame in the victim's name", "not-authentic", _sends(lambda h: _frame(h, origin=h.victim))),
    Attack("frame from the past", "stale", _sends(lambda h: _frame(h, created=h.now - MAX_AGE - 1))),
    Attack("frame from the future", "stale", _sends(lambda h: _frame(h, created=h.now + MAX_AGE + 1))),
    Attack("frame repeated", "stale", _repeated),
    Attack("frame overtaken", "stale", _overtaken),
    Attack("frame altered", "verification-failed", _sends(_altered)),
    Attack("frame of noise", "invalid-input", _sends(lambda h: h.rng.randbytes(200))),
    Attack("frame with a body of noise", "invalid-input", _sends(lambda h: _frame(h, body=h.rng.randbytes(99)))),
    Attack("frame nested deeply", "invalid-input", _sends(_deep)),
    Attack("frame that is too large", "too-large", _sends(lambda h: _frame(h) + bytes(FRAME_LIMIT))),
    Attack("frame with a label of noise", "invalid-input", _sends(lambda h: _frame(h, body=_encode([(b"{", [])])))),
    Attack("live value for others", "", _group(lambda h: h.label(h.victim_party))),
    Attack("live value above the ceiling", "", _group(lambda h: h.label(rung="TOP SECRET"))),
    Attack("live value of an unknown policy", "", _group(lambda h: h.label(policy="ATLANTIS"))),
    Attack("live value of an unknown kind", "", _group(lambda h: h.label(), kind="gossip")),
    Attack("live value of an unknown portion", "", _group(lambda h: h.label(), portion="gossip")),
    Attack("live value of another shape", "", _group(lambda h: h.label(), value={"words": 3})),
)
