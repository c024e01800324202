"""What a probe found, check by check: how it stands, by which clause of which standard, and what would mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from aldis.apps.experiments.participants.clock import Offset
from aldis.apps.experiments.participants.heartbeats import heartbeat_of
from aldis.apps.experiments.participants.probe import Probe
from aldis.apps.experiments.translation import losses

__all__ = ["Check", "Probed", "probed"]

_FEW = 0.01  # this share may be damaged before it is more than noise
_MANY = 0.2
_OFF_US, _WRONG_US, _BEHIND_US = 1_000_000, 10_000_000, 600_000_000  # the last two are those of the picture
_SECOND = 1_000_000


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One thing that was held against the protocol; `unknown` where too little came to tell."""

    name: str
    outcome: Literal["pass", "warn", "fail", "unknown"]
    text: str
    clause: str = ""
    fix: str = ""
    value: float | None = None
    limit: float | None = None
    unit: str = ""


class Probed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A probe's findings: what came in that time, of which kinds about how many things, and the checks."""

    protocol: str
    title: str
    seconds: float
    pieces: int
    messages: int
    decoded: int
    damaged: int
    passed_over: int
    things: int
    kinds: dict[str, int]
    reasons: dict[str, int]
    clock: Offset | None = None
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Literal["pass", "warn", "fail"]:
        """The worst of all checks."""
        worst = {one.outcome for one in self.checks}
        return "fail" if "fail" in worst else "warn" if worst & {"warn", "unknown"} else "pass"


_CLAUSES: Mapping[str, Mapping[str, str]] = {
    "dis": {
        "decoded": "IEEE 1278.1-2012, 7.2.2", "ids": "IEEE 1278.1-2012, 6.2.28", "fields": "IEEE 1278.1-2012, 7.2.2",
        "clock": "IEEE 1278.1-2012, 6.2.88",
    },
    "mavlink": {
        "decoded": "mavlink.io/en/guide/serialization.html", "ids": "mavlink.io/en/services/heartbeat.html",
        "fields": "common.xml, GLOBAL_POSITION_INT", "clock": "mavlink.io/en/services/timesync.html",
    },
    "nmea0183": {
        "decoded": "IEC 61162-1, 7.1; ITU-R M.1371-5, Annex 8", "ids": "ITU-R M.585-9",
        "fields": "ITU-R M.1371-5, Annex 8", "clock": "ITU-R M.1371-5, Annex 8, time stamp",
    },
    "cot": {
        "decoded": "Event.xsd 2.0", "ids": "Event.xsd 2.0, uid", "fields": "Event.xsd 2.0, point",
        "clock": "Event.xsd 2.0, time",
    },
}  # fmt: skip


def probed(probe: Probe, at_us: int) -> Probed:
    """All checks of what a probe has heard up to now."""
    probe.settle()
    seconds = (at_us - probe.began_us) / _SECOND
    offset = probe.offset(at_us)
    clauses = _CLAUSES.get(probe.offered.protocol, {})
    checks = [
        _recognised(probe),
        _decoded(probe, clauses.get("decoded", "")),
        _fields(probe, clauses.get("fields", "")),
        _rate(probe, at_us),
        _ids(probe, clauses.get("ids", "")),
        _clock(offset, clauses.get("clock", ""), probe.live),
        _back(probe),
    ]
    return Probed(
        protocol=probe.offered.protocol,
        title=probe.offered.title,
        seconds=round(seconds, 3),
        pieces=probe.pieces,
        messages=probe.seen,
        decoded=sum(probe.kinds.values()),
        damaged=probe.damaged,
        passed_over=probe.passed,
        things=len(probe.things),
        kinds=dict(sorted(probe.kinds.items())),
        reasons=dict(probe.reasons.most_common(20)),
        clock=offset,
        checks=tuple(checks),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _recognised(probe: Probe) -> Check:
    protocol = probe.offered.protocol
    if not probe.pieces:
        return Check(name="recognised", outcome="fail", text="nothing arrived", fix="See that it sends to this address")
    text = f"{probe.pieces} pieces of {protocol}"
    if probe.foreign:
        others = f", and {probe.foreign} senders that began otherwise"
        fix = "Give each system a port of its own"
        return Check(name="recognised", outcome="warn", text=text + others, fix=fix)
    return Check(name="recognised", outcome="pass", text=text)


def _decoded(probe: Probe, clause: str) -> Check:
    share = _share(probe.damaged, probe.seen)
    worst = ", ".join(f"{reason} {count}" for reason, count in probe.reasons.most_common(3))
    text = f"{probe.damaged} of {probe.seen} messages damaged" + (f" ({worst})" if probe.damaged else "")
    if probe.passed:
        text += f", {probe.passed} of kinds that are passed over"
    if not probe.seen or not probe.kinds:
        fix = "See that it sends tracks, and not only messages about itself"
        return Check(name="decoded", outcome="fail", text=f"nothing usable; {text}", clause=clause, fix=fix)
    outcome: Literal["pass", "warn", "fail"] = "pass" if share <= _FEW else "warn" if share <= _MANY else "fail"
    fix = "" if outcome == "pass" else "Look at the sender's version and at what lies between it and here"
    return Check(name="decoded", outcome=outcome, text=text, clause=clause, fix=fix, value=share, limit=_FEW)


def _fields(probe: Probe, clause: str) -> Check:
    tracks = [one for one in probe.things.values() if one.kind == "track"]
    if not tracks:
        return Check(name="fields", outcome="unknown", text="no track was heard", clause=clause)
    bare = [one.key for one in tracks if not one.placed]
    text = f"{len(tracks) - len(bare)} of {len(tracks)} things have a position"
    if not bare:
        return Check(name="fields", outcome="pass", text=text, clause=clause)
    fix = "Listen for longer, or let it send positions"
    worst: Literal["warn", "fail"] = "fail" if len(bare) == len(tracks) else "warn"
    return Check(name="fields", outcome=worst, text=f"{text}; not {', '.join(bare[:3])}", clause=clause, fix=fix)


def _rate(probe: Probe, at_us: int) -> Check:
    beat = heartbeat_of(probe.offered.protocol)
    rate = probe.seen / max((at_us - probe.began_us) / _SECOND, 0.001)
    text = f"{rate:.1f} messages a second"
    if beat.every_ms is None:
        return Check(name="rate", outcome="pass", text=text, clause=beat.source, value=rate, unit="1/s")
    pauses = [max(one.pause_us, at_us - one.last_us) for one in probe.things.values()]
    longest = max(pauses, default=0) / _SECOND
    limit = beat.silent_ms / 1000
    told = Check(
        name="rate", outcome="pass", text=f"{text}; the longest pause of a thing {longest:.1f} s", clause=beat.source,
        value=longest, limit=limit, unit="s",
    )  # fmt: skip
    if longest <= limit:
        return told
    fix = f"Let it speak of each thing at least every {beat.every_ms / 1000:g} s"
    return msgspec.structs.replace(told, outcome="warn", fix=fix)


def _ids(probe: Probe, clause: str) -> Check:
    things = probe.things.values()
    shared = [one.key for one in things if len(one.peers) > 1]
    if shared:
        text = f"{', '.join(shared[:3])}: said by several senders"
        return Check(name="ids", outcome="warn", text=text, clause=clause, fix="Give each thing an id of its own")
    lost, numbered = probe.sequence["lost"], probe.sequence["numbered"]
    if lost and _share(lost, lost + numbered) > _FEW:
        text = f"{lost} of {lost + numbered} numbered messages are missing"
        return Check(name="ids", outcome="warn", text=text, clause=clause, fix="See what drops messages on the way")
    again = sum(one.count > 1 for one in things)
    if not again:
        text = f"{len(probe.things)} things, each heard once"
        return Check(name="ids", outcome="unknown", text=text, clause=clause, fix="Listen for longer")
    text = f"{again} of {len(probe.things)} things heard again under the same id"
    return Check(name="ids", outcome="pass", text=text + (f", {lost} numbers missing" if lost else ""), clause=clause)


def _clock(offset: Offset | None, clause: str, live: bool) -> Check:
    if not live:
        return Check(name="clock", outcome="unknown", text="a recording, whose stamps are not of now", clause=clause)
    if offset is None:
        fix = "Nothing: the time of receipt stands in"
        return Check(name="clock", outcome="unknown", text="it says no time of its own", clause=clause, fix=fix)
    low, high = offset.low_us / _SECOND, None if offset.high_us is None else offset.high_us / _SECOND
    text = f"ahead of this node's by {low:+.3f} s or more" if high is None else f"{low:+.3f} to {high:+.3f} s ahead"
    if offset.jumps:
        text += f"; it was set {offset.jumps} times"
    told = Check(name="clock", outcome="pass", text=text, clause=clause, value=low, unit="s")
    if offset.low_us > _WRONG_US or (offset.high_us or offset.low_us) < -_BEHIND_US:
        fix = "Set its clock: its stamps are not believed, and the time of receipt stands in"
        return msgspec.structs.replace(told, outcome="fail", fix=fix)
    if abs(offset.low_us) > _OFF_US or offset.jumps:
        return msgspec.structs.replace(told, outcome="warn", fix="Set its clock by NTP or GPS")
    return told


def _back(probe: Probe) -> Check:
    """What arrived, decoded, encoded and decoded again: the same, but for what a ledger names."""
    heard = probe.heard()
    if not heard.specimens():
        return Check(name="same again", outcome="unknown", text="no whole messages about one thing alone")
    found = [loss for crossing in losses(heard, heard).crossings for loss in crossing.losses]
    odd = sorted({loss.field for loss in found if loss.fate == "unexplained"})
    text = f"{len(found) - len(odd)} of {len(found)} fields came back, or a ledger says why not"
    if not odd:
        return Check(name="same again", outcome="pass", text=text, clause="ADR 29")
    fix = "This is a fault of the gateway, not of the system: report it with these fields"
    return Check(name="same again", outcome="warn", text=f"{text}; not {', '.join(odd[:5])}", clause="ADR 29", fix=fix)
