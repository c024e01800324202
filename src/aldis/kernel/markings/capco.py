"""US markings after CAPCO: `SECRET//SI//ORCON/REL TO USA, AUS, GBR`, `(S//NF)`, `//JOINT SECRET GBR USA`.

Source: IC Markings System Register and Manual (ODNI, 31 December 2013); order of dissemination controls:
CVEnumISMDissem. Non-US classifications (`//GBR SECRET`) are in `foreign`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from aldis.kernel.labels import CONCEALED, Label
from aldis.kernel.markings.foreign import read_foreign, write_foreign
from aldis.kernel.markings.nested import read_nested, write_nested
from aldis.kernel.markings.statements import NAMES, USA, Statements, code_order, says_something, write_statements
from aldis.kernel.markings.tokens import Token, distinct, level, open_marking, wrap
from aldis.kernel.policies import Category, Policies, Policy

__all__ = ["parse", "write"]

_JOINT = "JOINT"
_FGI = "FGI"
_SAR = ("SAR-", "SPECIAL ACCESS REQUIRED-")
_SEGMENTS = ("SCI", "SAP", "AEA", _FGI, "CUI", "Dissemination", "Non-IC")
_DISSEMINATION_TAGS = ("Administrative", "Dissemination", "Disclosure")
_ORDER = (
    *("RSEN", "FOUO", "ORCON", "ORCON-USGOV", "IMCON", "NOFORN", "PROPIN", "REL TO", "RELIDO", "DSEN", "FISA"),
    "DISPLAY ONLY",
)


@dataclass(slots=True)
class _Reading:
    """What the segments of one marking have said so far."""

    policy: Policy
    policies: Policies
    portion: bool
    statements: Statements
    categories: dict[str, frozenset[str]] = field(default_factory=dict)
    origins: frozenset[str] = frozenset()

    def add(self, tag: str, names: Iterable[str]) -> None:
        """Add values, with what they imply."""
        self.categories[tag] = self.categories.get(tag, frozenset()) | self.policy.category(tag).closed(names)

    def words(self, *tags: str) -> dict[str, tuple[str, str]]:
        """What a marking writes, and the tag and value it means; banners may also use long names."""
        found = {}
        for tag in tags:
            for value in self.policy.category(tag).values.values():
                found[value.portion if self.portion else value.name] = (tag, value.name)
                if value.long and not self.portion:
                    found[value.long] = (tag, value.name)
        return found


def parse(text: str, *, at: int, policies: Policies, portion: bool = False) -> Label:
    """The label that a banner, or with `portion` a portion mark, made at `at` (ms since the epoch, UTC) states.

    Raises:
        UnknownTerm: a word that the policy does not define, or a party or group that nobody did.
        InvalidInput: words in the wrong order, or that do not go together.
    """
    whole = open_marking(text, portion)
    double = whole.without("//")
    if double is not None and not double.text.startswith(f"{_JOINT} "):
        return read_foreign(double, at, policies, portion)
    reading = _Reading(policies.policy("US"), policies, portion, Statements(policies, at, portion))
    head, *segments = (double or whole).split("//")
    joint = head.without(f"{_JOINT} ") if double else None
    rung, rest = level(joint or head, reading.policy, at, portion)
    if joint:
        _read_owners(rest, reading)
    elif rest.text:
        raise rest.wrong("follows the classification", fix="Separate categories with //")
    _read_segments(segments, reading, rung.name)
    label = Label(
        policy="US",
        classification=rung.name,
        releasable=reading.statements.releasable,
        categories=tuple(reading.categories.items()),
        origins=reading.origins,
    )
    policies.check(label)
    return label


def write(label: Label, *, at: int, policies: Policies, portion: bool = False) -> str:
    """The canonical CAPCO marking of `label`; groups are those of `at`. A label not of policy US is written as non-US.

    Raises:
        InvalidInput: CAPCO has no words for the label.
    """
    if label.policy != "US":
        return wrap(write_foreign(label, at, policies, portion), portion)
    policy = policies.policy("US")
    rung = policy.rung(label.classification)
    head = rung.portion if portion else rung.name
    origins = sorted(label.origins - {USA}, key=code_order)
    origin = "" if not origins else _FGI if CONCEALED in origins else f"{_FGI} {' '.join(origins)}"
    if label.values("Joint"):
        head = f"//{_JOINT} {head} {' '.join(sorted([*origins, USA]))}"
        origin = ""
    programs = write_nested(label.values("SAP") or ())
    segments = [
        "/".join(write_nested(label.values("SCI") or ())),
        _SAR[0] + "/".join(programs) if programs else "",
        "/".join(_write_category(policy.category("AEA"), label, portion)),
        origin,
        "/".join(sorted(label.values("CUI") or ())),
        "/".join(_write_dissemination(label, policy, at, policies, portion)),
        "/".join(_write_category(policy.category("Non-IC"), label, portion)),
    ]
    return wrap("//".join([head, *filter(None, segments)]), portion)


def _read_owners(rest: Token, reading: _Reading) -> None:
    owners = rest.without(" ")
    if owners is None or USA not in owners.text.split(" "):
        raise rest.wrong("does not name the owners, USA among them", fix="Write them in order, as in SECRET GBR USA")
    reading.origins = _read_codes(owners, reading)
    reading.add("Joint", [_JOINT])


def _read_codes(token: Token, reading: _Reading) -> frozenset[str]:
    codes = distinct(token.split(" "))
    for code in codes:
        if code.text not in reading.policies.parties:
            raise code.unknown("a party", reading.policies.parties)
    return frozenset(code.text for code in codes) - {USA}


def _read_segments(segments: list[Token], reading: _Reading, classification: str) -> None:
    done = -1
    for segment in segments:
        kind = _kind(segment, reading, classification)
        place = _SEGMENTS.index(kind)
        if place <= done:
            raise segment.wrong(f"is out of order after {_SEGMENTS[done]}", fix=f"The order is {', '.join(_SEGMENTS)}")
        done = place
        if kind == _FGI:
            _read_origins(segment, reading)
        elif kind == "Dissemination":
            _read_dissemination(segment, reading)
        else:
            _read_category(segment, kind, reading)


def _kind(segment: Token, reading: _Reading, classification: str) -> str:
    first = segment.split("/")[0]
    if first.text == _FGI or first.text.startswith(f"{_FGI} "):
        return _FGI
    if first.text.startswith(_SAR):
        return "SAP"
    if says_something(first.text, reading.portion):
        return "Dissemination"
    words = reading.words(*reading.policy.categories)
    tag, _ = words.get(first.text) or words.get(first.text.split("-")[0]) or ("", "")
    if not tag and classification == "CUI":
        return "CUI"
    if not tag:
        raise first.unknown("a control marking", [*words, *NAMES, _FGI, _SAR[0]])
    return "Dissemination" if tag in _DISSEMINATION_TAGS else tag


def _read_category(segment: Token, tag: str, reading: _Reading) -> None:
    category, words = reading.policy.category(tag), reading.words(tag)
    prefix = next((prefix for prefix in _SAR if tag == "SAP" and segment.text.startswith(prefix)), "")
    for token in distinct(segment.part(len(prefix)).split("/")):
        if category.nested:
            reading.add(tag, read_nested(token, category))
        elif token.text in words:
            reading.add(tag, [words[token.text][1]])
        elif category.pattern is not None and category.pattern.fullmatch(token.text):
            reading.add(tag, [token.text])
        else:
            raise token.unknown(f"a value of {tag}", words)


def _read_origins(segment: Token, reading: _Reading) -> None:
    if reading.categories.get("Joint"):
        raise segment.wrong("cannot follow JOINT", fix="Name every owner after JOINT")
    named = segment.without(f"{_FGI} ")
    reading.origins = frozenset({CONCEALED}) if named is None else _read_codes(named, reading)
    if not reading.origins:
        raise segment.wrong("names no foreign party", fix="Leave it out")


def _read_dissemination(segment: Token, reading: _Reading) -> None:
    words = reading.words(*_DISSEMINATION_TAGS)
    for token in distinct(segment.split("/")):
        if token.text in words:
            tag, name = words[token.text]
            reading.add(tag, [name])
        elif not reading.statements.take(token):
            raise token.unknown("a dissemination control", [*words, *NAMES])


def _write_category(category: Category, label: Label, portion: bool) -> list[str]:
    leaves = category.leaves(label.values(category.tag) or ())
    return [value.portion if portion else name for name, value in category.values.items() if name in leaves]


def _write_dissemination(label: Label, policy: Policy, at: int, policies: Policies, portion: bool) -> list[str]:
    words = write_statements(label.releasable, USA, at, policies, portion)
    for category in map(policy.category, _DISSEMINATION_TAGS):
        for name in category.leaves(label.values(category.tag) or ()):
            words[name] = category.value(name).portion if portion else name
    return [words[name] for name in _ORDER if name in words]
