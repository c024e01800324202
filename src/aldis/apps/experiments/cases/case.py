"""A test case: a thread over several nations' systems, declared in TOML, with what each of its steps must come to.

Every step has a name, a verb, who does it, and what it is about. A number that a step names is a criterion: nothing
else is judged, and nothing is assumed where none is named. Units stand in the names.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from aldis.apps.experiments.gateways.layout import FIELDS
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, TooLarge, UnknownTerm

__all__ = [
    "CLASSES",
    "MOST_BYTES",
    "STEPS",
    "Act",
    "Case",
    "Class",
    "Confirm",
    "Report",
    "Sense",
    "Share",
    "Step",
    "Task",
    "case_of",
    "criteria_of",
    "read_case",
]

MOST_BYTES = 256 * 1024
_MOST_STEPS = 200
_AT_PATH = re.compile(r"^(.*?)(?: - at `(.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"`([^`]*)`")
_PLACE = re.compile(r"\$\.step(?:\[(\d+)\])?(?:\.(\w+))?")

Class = Literal["track", "area", "tasking", "report", "environment"]
CLASSES: Mapping[Class, str] = {
    "track": "track", "area": "area", "tasking": "task", "report": "report", "environment": "environment",
}  # fmt: skip
"""The classes of messages, and the entity of each."""

_Who = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}(/[A-Za-z0-9][A-Za-z0-9._:-]{0,63})?$")]
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Amount = Annotated[float, msgspec.Meta(ge=0, lt=1e9)]
_Count = Annotated[int, msgspec.Meta(ge=0, lt=1_000_000_000)]
_Text = Annotated[str, msgspec.Meta(max_length=2000)]
_Fields = Annotated[tuple[str, ...], msgspec.Meta(max_length=200)]


class _Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="does"):
    """`what` is a native key or a record's id, with `*` for anything; `of` names an earlier step whose things it is."""

    name: _Name
    who: _Who
    what: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "*"
    of: str = ""


class Sense(_Step, frozen=True, kw_only=True, tag="sense"):
    """A system says what it sees: at least `updates` reports; of its messages `decoded_share` are decoded undamaged."""

    kind: Class = "track"
    updates: Annotated[int, msgspec.Meta(ge=1)] = 1
    decoded_share: _Share | None = None


class Report(_Step, frozen=True, kw_only=True, tag="report"):
    """Somebody puts it in words, `within_s` of the first sight of what it is about."""

    within_s: _Amount | None = None


class Share(_Step, frozen=True, kw_only=True, tag="share"):
    """What one system says is what another is sent.

    `permitted` are the groups or fields that `to` may see, and nothing else; `needed` those that must arrive there.
    """

    to: _Who
    kind: Class = "track"
    permitted: _Fields | None = None
    needed: _Fields | None = None
    decoded_share: _Share | None = None
    fields_share: _Share | None = None
    latency_p50_s: _Amount | None = None
    latency_p95_s: _Amount | None = None
    age_p95_s: _Amount | None = None
    complete_share: _Share | None = None
    error_m: _Amount | None = None
    gospa_m: _Amount | None = None
    localisation_m2: _Amount | None = None
    missed_m2: _Amount | None = None
    false_m2: _Amount | None = None
    names_share: _Share | None = None
    switches: _Count | None = None
    outage_s: _Amount | None = None
    returns_s: _Amount | None = None
    false_tracks: _Count | None = None
    kept_share: _Share | None = None


class Task(_Step, frozen=True, kw_only=True, tag="task"):
    """One nation asks another's system to do something; it is accepted, and the vehicle is handed over, in time."""

    to: _Who
    accepted_s: _Amount | None = None
    handover_s: _Amount | None = None


class Act(_Step, frozen=True, kw_only=True, tag="act"):
    """It does so: is seen to move by `moved_m`, at most `starts_s` after it accepted, and to come within `near_m`."""

    moved_m: Annotated[float, msgspec.Meta(gt=0, lt=1e9)] = 10.0
    starts_s: _Amount | None = None
    near_m: _Amount | None = None


class Confirm(_Step, frozen=True, kw_only=True, tag="confirm"):
    """The one who asked learns at `to` that it was done, `within_s` of the acceptance."""

    to: _Who
    within_s: _Amount | None = None


Step = Sense | Report | Share | Task | Act | Confirm
STEPS: Mapping[str, type[Step]] = {
    "sense": Sense, "report": Report, "share": Share, "task": Task, "act": Act, "confirm": Confirm,
}  # fmt: skip
"""The steps by their verbs."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a file of a case holds."""

    case: _Name
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    text: _Text = ""
    cutoff_m: Annotated[float, msgspec.Meta(gt=0, lt=1e9)] = 100.0
    step: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1, max_length=_MOST_STEPS)]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it was read, and the bytes that it was read from. `cutoff_m` is c of GOSPA."""

    name: str
    title: str
    text: str
    cutoff_m: float
    steps: tuple[Step, ...]
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of its file, in hex."""
        return sha256(self.data).hex()

    def step(self, name: str) -> Step:
        """The step of that name, which there is."""
        return next(one for one in self.steps if one.name == name)


def criteria_of(step: Step) -> Iterator[tuple[str, Any]]:
    """The criteria that a step names, with their limits, in the order of the model."""
    for name in step.__struct_fields__:
        if name not in (*_Step.__struct_fields__, "to", "kind") and getattr(step, name) is not None:
            yield name, getattr(step, name)


def read_case(path: Path) -> Case:
    """The case in a file.

    Raises:
        InvalidInput, UnknownTerm, TooLarge: it is none; the message says at which line and key, and what may be there.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", fix="Name the file of a test case") from error
    if len(data) > MOST_BYTES:
        raise TooLarge(
            f"{path} has over {MOST_BYTES} bytes: no test case",
            fix="Split the case; a recording is named with --recording, once for each file",
        )
    return case_of(data, str(path))


def case_of(data: bytes, where: str) -> Case:
    """The case in the bytes of a file; `where` is what messages call it; raises as `read_case`."""
    try:
        text = data.decode()
        values = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput(f"{where} is no TOML: {error}", fix="Mend it there") from error
    try:
        file = msgspec.convert(values, _File)
    except msgspec.ValidationError as error:
        raise _refused(where, text, values, str(error)) from error
    _check(file, where, text)
    return Case(name=file.case, title=file.title, text=file.text, cutoff_m=file.cutoff_m, steps=file.step, data=data)


def _check(file: _File, where: str, text: str) -> None:
    """That what its steps refer to is there."""
    seen: dict[str, Step] = {}
    for number, step in enumerate(file.step):
        if step.name in seen:
            raise InvalidInput(
                f"{_at(where, text, number, 'name')}: two steps are named {step.name!r}", fix="Name one otherwise"
            )
        if step.of and step.of not in seen:
            raise UnknownTerm(
                f"{_at(where, text, number, 'of')}: no step before it is named {step.of!r}",
                fix=_choices(step.of, list(seen)) if seen else "The first step is of nothing",
            )
        if isinstance(step, Act | Confirm) and not isinstance(seen.get(step.of), Task):
            raise InvalidInput(
                f"{_at(where, text, number, 'of')}: it is of no task",
                fix="Write of = the name of a step that does `task`",
            )
        if isinstance(step, Sense | Share | Act | Report) and "/" not in step.who:
            raise InvalidInput(
                f"{_at(where, text, number, 'who')}: {step.who!r} is a node, and no system of one",
                fix="Write it as NODE/SYSTEM, as in aus/radar",
            )
        if isinstance(step, Share):
            for key in ("permitted", "needed"):
                for name in getattr(step, key) or ():
                    _known_field(name, step.kind, _at(where, text, number, key))
        seen[step.name] = step


def _known_field(name: str, kind: Class, where: str) -> None:
    paths = FIELDS[CLASSES[kind]]
    groups = {path.partition(".")[0] for path in paths}
    if name not in paths and name not in groups:
        raise UnknownTerm(f"{where}: a {kind} has no field {name!r}", fix=_choices(name, [*sorted(groups), *paths]))


def _choices(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names[:40])}"


def _refused(where: str, text: str, values: Mapping[str, Any], said: str) -> InvalidInput:
    """What msgspec says, with the line, the key and what may stand there."""
    found = _AT_PATH.match(said)
    what, place = (found[1], found[2] or "$") if found else (said, "$")
    at = _PLACE.match(place)
    number = int(at[1]) if at and at[1] else None
    field = _FIELD.search(what)
    key = (at[2] if at and at[2] else None) or (field[1] if field else place.removeprefix("$").strip(".") or "step")
    words = what.removeprefix("Object contains ").removeprefix("Object ")
    known = _keys(values, number)
    if key == "does" or "tag" in what.lower() or "`does`" in what:
        fix = f"Write does = one of {', '.join(STEPS)}"
    elif "unknown field" in what:
        return UnknownTerm(f"{_at(where, text, number, key)}: unknown key {key!r}", fix=_allowed(key, known))
    else:
        fix = f"Its keys are: {', '.join(known)}"
    return InvalidInput(f"{_at(where, text, number, key)}: {key}: {words}", fix=fix)


def _allowed(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"{f'Did you mean {near[0]!r}? ' if near else ''}Its keys are: {', '.join(known)}"


def _keys(values: Mapping[str, Any], number: int | None) -> Sequence[str]:
    """The keys that may stand in a table."""
    if number is None:
        return list(_File.__struct_fields__)
    steps = values.get("step")
    step = steps[number] if isinstance(steps, list) and number < len(steps) else {}
    type_ = STEPS.get(str(step.get("does"))) if isinstance(step, dict) else None
    return ["does", *(type_ or _Step).__struct_fields__]


def _at(where: str, text: str, number: int | None, key: str) -> str:
    """The file and, where it is found, the line of a key; `number` counts the tables `[[step]]` from 0."""
    table, header, fallback = -1, re.compile(r"^\s*\[\[\s*step\s*\]\]"), 0
    wanted = re.compile(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*=")
    for line, content in enumerate(text.splitlines(), 1):
        if header.match(content):
            table += 1
            fallback = line if table == number else fallback
        elif wanted.match(content) and (table == number if number is not None else table < 0):
            return f"{where}, line {line}"
    return f"{where}, line {fallback}" if fallback else where
