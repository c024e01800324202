"""Which fields were released and which withheld, which a system was shown, and what its bytes made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aldis.apps.experiments.cases.evidence import Stream
from aldis.apps.experiments.cases.fidelity import FATES, Found
from aldis.apps.experiments.cases.seen import Seen
from aldis.apps.experiments.cases.way import Way, split

__all__ = ["fates_along", "groups", "not_released", "outside", "permits", "withheld"]

_Where = tuple[Stream, Seen]
_MANY = 12


def permits(allowed: Iterable[str], path: str) -> bool:
    """Whether a field is among those allowed, by its own name or its group's; a group's `at` goes with any of it."""
    group, _, name = path.partition(".")
    every = set(allowed)
    return path in every or group in every or (name == "at" and any(one.startswith(f"{group}.") for one in every))


def outside(way: Way, allowed: Sequence[str]) -> Mapping[str, _Where]:
    """The fields at the target's tap that are not among those allowed, and where each was first seen."""
    return {path: at for path, at in sorted(way.fields(way.sent).items()) if not permits(allowed, path)}


def not_released(way: Way) -> Mapping[str, _Where]:
    """The fields that are shown of a record at the target, or arrived there, and did not leave its originator."""
    if not way.left:
        return {}
    left: dict[str, set[str]] = {}
    whole = not set(way.lacking) & {split(way.source)[0]}
    for record, path, _, _ in way.each_field([*way.left, *([] if whole else way.arrived)]):
        left.setdefault(record, set()).add(path)
    found: dict[str, _Where] = {}
    for record, path, stream, seen in way.each_field([*way.arrived, *way.sent]):
        if record in way.records and path not in left.get(record, ()):
            found.setdefault(path, (stream, seen))
    return dict(sorted(found.items()))


def withheld(way: Way) -> Sequence[str]:
    """The fields that the source said and that were not released towards the target."""
    said = way.fields(way.source_streams())
    released = way.fields(way.left or way.arrived or way.sent)
    return sorted(path for path in said if path not in released)


def fates_along(way: Way) -> Mapping[str, tuple[Found, Stream]]:
    """The worst fate of each field in the bytes that the target was sent."""
    worst: dict[str, tuple[Found, Stream]] = {}
    for stream in way.sent:
        for mirror in stream.mirrors.values():
            for record, fields in mirror.fates.items():
                if record in way.records and (way.only is None or record in way.only):
                    for path, one in fields.items():
                        before = worst.get(path)
                        if before is None or FATES.index(one.fate) > FATES.index(before[0].fate):
                            worst[path] = one, stream
    return dict(sorted(worst.items()))


def groups(paths: Iterable[str], every: Iterable[str] = ()) -> str:
    """Fields in words: a group alone where all that is known of it is among them."""
    some = sorted(set(paths))
    known: dict[str, set[str]] = {}
    for path in (*every, *some):
        known.setdefault(path.partition(".")[0], set()).add(path)
    whole = {group for group, members in known.items() if every and members <= set(some)}
    named = list(
        dict.fromkeys(group if group in whole else path for path in some for group in [path.partition(".")[0]])
    )
    return ", ".join(named[:_MANY]) + (f" and {len(named) - _MANY} more" if len(named) > _MANY else "")
