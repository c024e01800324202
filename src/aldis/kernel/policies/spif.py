"""XML SPIF: another party's labelling policy, as a policy table of this node.

What restricts access is kept or the file is refused; what only concerns looks (colours, page markings, privacy marks)
and how many values a label may be given is left out. What the file says of other ladders is a claim, never a rule.
Sources: Open XML SPIF 2.0, 2.1 and 3.0 (xmlspif.org schema); STANAG 4774 for the types of categories.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import CategoryType
from aldis.kernel.trees import Element, parse_xml

__all__ = ["Imported", "read_spif"]

_NS = "{http://www.xmlspif.org/spif}"
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_PORTION = "portionMarking"
_AUDIENCE = frozenset({"Releasable To"})
"""Permissive tags that say to whom a label is releasable, where their values are parties."""
_CLASSIFICATION = frozenset({"markingData", "equivalentClassification"})
_VALUE = frozenset({"markingData", "excludedClass", "requiredCategory", "equivalentSecCategoryTag"})
_BOUND_TO = frozenset({"notBefore", "notAfter", "userInput", "requiredClass", "dateFormat"})
_TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Imported:
    """A policy read: its name, its table (TOML), and what the table leaves to people, a sentence each."""

    name: str
    table: bytes
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Class:
    """One classification as the file has it."""

    name: str
    lacv: str
    hierarchy: int
    portion: str
    obsolete: bool
    claims: tuple[str, ...]


def read_spif(data: bytes, owner: str, parties: frozenset[str]) -> Imported:
    """The policy that an XML SPIF states, of `owner` ("" where it is no party's alone); `parties` are the codes known.

    Raises:
        InvalidInput: no SPIF, or one with a rule that a policy here cannot keep; the message names it.
        TooLarge: over a limit of the XML reader.
    """
    root = parse_xml(data)
    if root.name != _NS + "SPIF":
        raise InvalidInput(f"{root.local} is not an XML SPIF", fix="Its root is SPIF of http://www.xmlspif.org/spif")
    policy = root.only(_NS + "securityPolicyId")
    name, oid = policy.attribute("name").strip(), policy.attribute("id")
    if not name or not _OID.fullmatch(oid):
        raise InvalidInput(
            f"policy {name!r} has the identifier {oid!r}", fix="It needs a name and an object identifier"
        )
    version, made = root.attributes.get("version", "unsaid"), root.attributes.get("creationDate", "undated")
    source = f"SPIF {oid}, version {version}, {made}"
    classes = _classes(root, _named_policies(root))
    notes: list[str] = []
    lines = [
        "# Taken from an XML SPIF. Its claims about other ladders are no rules: an officer accepts them one by one.",
        "",
        "[policy]",
        *_fields({"name": name, "owner": owner, "authority": source, "uri": f"urn:oid:{oid}"}),
    ]
    for one in classes:
        fields = {"name": one.name, "portion": one.portion, "unmarked": "person", "source": source}
        lines += ["", "[[rungs]]", *_fields(fields)]
        if one.obsolete:
            lines.append(f"until = {_day(root)}")
    for tag in _tags(root):
        lines += _category(tag, classes, source, parties, notes)
    for one in classes:
        lines += [line for claim in one.claims for line in ("", "[[claims]]", f"level = {_text(one.name)}", claim)]
    return Imported(name, ("\n".join(lines) + "\n").encode("utf-8"), tuple(notes))


def _classes(root: Element, policies: dict[str, str]) -> list[_Class]:
    found = []
    for one in root.only(_NS + "securityClassifications").all(_NS + "securityClassification"):
        name = one.attribute("name")
        _only(one, _CLASSIFICATION, f"classification {name!r}")
        claims = []
        for row in one.all(_NS + "equivalentClassification"):
            ref = row.attribute("policyRef")
            what = f"{policies.get(ref, ref)} level {row.attribute('lacv')} ({row.attributes.get('applied', 'both')})"
            claims.append(f"says = {_text(what)}")
        obsolete = one.attributes.get("obsolete", "false") in _TRUE
        rank = _whole(one.attribute("hierarchy"), f"the hierarchy of {name!r}")
        found.append(_Class(name, one.attribute("lacv"), rank, _portion(one, name), obsolete, tuple(claims)))
    found.sort(key=lambda one: one.hierarchy)
    for what, values in (
        ("hierarchy", [one.hierarchy for one in found]),
        ("name", [one.name for one in found]),
        ("lacv", [one.lacv for one in found]),
        ("portion mark", [one.portion for one in found]),
    ):
        if len(set(values)) != len(values):
            raise InvalidInput(
                f"two classifications have one {what}", fix="A ladder here has one classification on each rung"
            )
    if not found:
        raise InvalidInput("the SPIF has no classification")
    return found


def _named_policies(root: Element) -> dict[str, str]:
    known = root.maybe(_NS + "equivalentPolicies")
    rows = known.all(_NS + "equivalentPolicy") if known else ()
    return {row.attribute("name"): f"{row.attribute('name')} ({row.attribute('id')})" for row in rows}


def _tags(root: Element) -> Iterator[Element]:
    sets = root.maybe(_NS + "securityCategoryTagSets")
    seen: set[str] = set()
    for group in sets.all(_NS + "securityCategoryTagSet") if sets else ():
        for tag in group.all(_NS + "securityCategoryTag"):
            name = tag.attribute("name")
            if name in seen:
                raise InvalidInput(f"category {name!r} is there twice", fix="Tags need different names here")
            seen.add(name)
            yield tag


def _category(tag: Element, classes: list[_Class], source: str, parties: frozenset[str], notes: list[str]) -> list[str]:
    name, kind = tag.attribute("name"), _type(tag)
    values = list(tag.all(_NS + "tagCategory"))
    if name in _AUDIENCE and kind is CategoryType.PERMISSIVE:
        known = [value.attribute("name") for value in values if value.attribute("name") in parties]
        notes.append(f"{name} is releasability here: {len(known)} of its {len(values)} values are parties known here")
        return []
    if name in ("Only", "Display Only", "Context", "Export Control", "Origin"):
        raise InvalidInput(f"category {name!r} has a meaning of its own in labels here", fix="Ask for another name")
    lines = ["", "[[categories]]", *_fields({"tag": name, "type": kind.value, "source": source}), "values = ["]
    names = {value.attribute("lacv"): value.attribute("name") for value in values}
    if len(set(names.values())) != len(values):
        raise InvalidInput(f"category {name!r} has two values of one name or number")
    for value in values:
        lines.append(f"    {{ {', '.join(_value(value, name, names, classes, source))} }},")
        if value.attributes.get("obsolete", "false") in _TRUE:
            notes.append(f"{name} {value.attribute('name')} is obsolete there, and still read here")
    return [*lines, "]"]


def _type(tag: Element) -> CategoryType:
    said = tag.attribute("tagType").lower()
    if said == "enumerated":
        said = tag.attribute("enumType").lower()
    known = {
        "restrictive": CategoryType.RESTRICTIVE,
        "permissive": CategoryType.PERMISSIVE,
        "tagtype7": CategoryType.INFORMATIVE,
    }
    if said not in known:
        raise InvalidInput(f"category {tag.attribute('name')!r} is of type {said!r}", fix=f"Known: {', '.join(known)}")
    return known[said]


def _value(value: Element, tag: str, names: dict[str, str], classes: list[_Class], source: str) -> Iterator[str]:
    name = value.attribute("name")
    where = f"{tag} {name}"
    _only(value, _VALUE, where)
    if bound := sorted(_BOUND_TO & value.attributes.keys()):
        raise InvalidInput(f"{where}: {bound[0]} is not kept here, and leaving it out would change who has access")
    yield from _fields({"name": name, "portion": _portion(value, name), "source": source})
    yield from _range(value, where, classes)
    needs = [need for rule in value.all(_NS + "requiredCategory") for need in _needed(rule, tag, names, where)]
    if needs:
        yield f"needs = {json.dumps(needs, ensure_ascii=False)}"


def _range(value: Element, where: str, classes: list[_Class]) -> Iterator[str]:
    """`excludedClass` as the lowest and highest rung that are left; they must be next to each other."""
    excluded = {one.text for one in value.all(_NS + "excludedClass")}
    allowed = [place for place, one in enumerate(classes) if one.name not in excluded]
    unknown = excluded - {one.name for one in classes}
    if unknown or not allowed or allowed != list(range(allowed[0], allowed[-1] + 1)):
        raise InvalidInput(f"{where}: its excluded classes leave no single range of the ladder")
    if allowed[0] > 0:
        yield f"lowest = {_text(classes[allowed[0]].name)}"
    if allowed[-1] < len(classes) - 1:
        yield f"highest = {_text(classes[allowed[-1]].name)}"


def _needed(rule: Element, tag: str, names: dict[str, str], where: str) -> Iterator[str]:
    groups = list(rule.all(_NS + "categoryGroup"))
    if rule.attributes.get("operation", "all") != "all" and len(groups) != 1:
        raise InvalidInput(f"{where}: a choice among required categories is not kept here", fix="Import it by hand")
    for group in groups:
        if group.attributes.get("tagSetRef", tag) != tag or group.attributes.get("lacv") not in names:
            raise InvalidInput(f"{where}: it requires a value of another tag set, which is not kept here")
        yield f"{tag}:{names[group.attributes['lacv']]}"


def _portion(one: Element, name: str) -> str:
    for row in one.all(_NS + "markingData"):
        if any(code.text == _PORTION for code in row.all(_NS + "code")):
            return row.attribute("phrase").strip("()") or name
    return name


def _only(one: Element, known: Iterable[str], where: str) -> None:
    for child in one.children:
        if child.name.startswith(_NS) and child.local not in known:
            raise InvalidInput(
                f"{where}: {child.local} is a rule that is not kept here, and leaving it out could widen access",
                fix="Write the policy table by hand",
            )


def _day(root: Element) -> str:
    said = root.attributes.get("creationDate", "")[:10]
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError:
        raise InvalidInput(f"creationDate {said!r} is no day, and an obsolete classification needs one") from None


def _whole(text: str, what: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise InvalidInput(f"{what} is {text!r}, not a whole number")
    return int(text)


def _fields(values: dict[str, str]) -> list[str]:
    return [f"{key} = {_text(value)}" for key, value in values.items()]


def _text(value: str) -> str:
    """A string as TOML; JSON writes it so, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
