"""ADatP-4774 confidentiality labels: XML in, label out, and back.

All of a label is carried. Releasability is PERMISSIVE `Releasable To` (the owner always named), a refusal `Only` the
owner, `Display Only` whoever may be shown or given it; export control is RESTRICTIVE, so that a system that does not
know the tag refuses; origins are INFORMATIVE. NATO labels use
`Context`, `Only` and `Releasable To` as the NATO policy does.
Sources: ADatP-4774(A)(1) App. 1 (syntax, tables 5 to 9, XSD 1.3) and App. 2 (NATO policy); ADatP-4774.1 section 4.2.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import REFUSED, UNMARKED, Access, CategoryType, Label, Releasability
from aldis.kernel.markings.tokens import nameable
from aldis.kernel.policies import Policies, Policy
from aldis.kernel.trees import Element, parse_xml, write_xml

__all__ = ["NAMESPACE", "RESERVED", "Confidentiality", "Role", "carried", "element", "read", "read_element", "write"]

NAMESPACE = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"
_PREFIX = "slab"
_NS = f"{{{NAMESPACE}}}"
_CONTEXT, _RELEASABLE, _ONLY, _DISPLAY = "Context", "Releasable To", "Only", "Display Only"
_CONTROL, _ORIGIN = "Export Control", "Origin"
RESERVED = frozenset({_CONTEXT, _RELEASABLE, _ONLY, _DISPLAY, _CONTROL, _ORIGIN})
"""Tags that say here what is not a category of the policy."""
_TYPES = {
    _CONTEXT: CategoryType.PERMISSIVE,
    _RELEASABLE: CategoryType.PERMISSIVE,
    _ONLY: CategoryType.PERMISSIVE,
    _DISPLAY: CategoryType.PERMISSIVE,
    _CONTROL: CategoryType.RESTRICTIVE,
    _ORIGIN: CategoryType.INFORMATIVE,
}
_ID_TYPES = frozenset(
    {"rfc822Name", "dNSName", "directoryName", "uniformResourceIdentifier", "iPAddress", "x400Address",
     "userPrincipalName", "jID"}
)  # fmt: skip
_URL = "uniformResourceIdentifier"
_URI = re.compile(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_NATO = "NATO"
_NATO_URI = "urn:oid:1.3.26.1.3.1"


class Role(enum.Enum):
    """Whose label it is: the roots of ADatP-4774."""

    ORIGINATOR = "originatorConfidentialityLabel"
    """The originator's, never overwritten."""
    ALTERNATIVE = "alternativeConfidentialityLabel"
    """An equivalent in another policy, beside the originator's."""
    METADATA = "metadataConfidentialityLabel"
    """Of the metadata themselves."""


@dataclass(frozen=True, slots=True)
class Confidentiality:
    """A label with what ADatP-4774 says around it; times are ms since the epoch, UTC.

    `originator` is an identifier of type `originator_type`; from `succeeds_at` on, `successor` is the label instead.
    """

    label: Label
    created: int
    role: Role = Role.ORIGINATOR
    review: int | None = None
    privacy_mark: str = ""
    originator: str = ""
    originator_type: str = _URL
    succeeds_at: int | None = None
    successor: Label | None = None

    def in_force(self, at: int) -> Label:
        """The label at `at`: from the date of succession on, the successor's."""
        passed = self.succeeds_at is not None and self.succeeds_at <= at
        return self.successor if passed and self.successor is not None else self.label


def read(data: bytes, policies: Policies) -> Confidentiality:
    """The label that an XML document states.

    Raises:
        UnknownTerm: a policy, classification, category or value that nobody defined.
        InvalidInput: not such a label, or one with a part that cannot be kept.
        TooLarge: over a limit of the XML reader.
    """
    return read_element(parse_xml(data), policies)


def read_element(root: Element, policies: Policies) -> Confidentiality:
    """`read`, of an element inside another document."""
    role = next((role for role in Role if root.name == _NS + role.value), None)
    if role is None:
        known = ", ".join(role.value for role in Role)
        raise InvalidInput(f"{root.local or 'this'} is not an ADatP-4774 label", fix=f"Its root is one of: {known}")
    parts = ("ConfidentialityInformation", "OriginatorID", "CreationDateTime", "SuccessionHandling")
    root.closed(frozenset(_NS + part for part in parts), frozenset({"Id", "ReviewDateTime"}))
    created = _instant(_text(root.only(_NS + "CreationDateTime")))
    information = root.only(_NS + "ConfidentialityInformation")
    review = root.attributes.get("ReviewDateTime")
    who, id_type = _originator(root.maybe(_NS + "OriginatorID"))
    succeeds_at, successor = _succession(root.maybe(_NS + "SuccessionHandling"), policies)
    mark = information.maybe(_NS + "PrivacyMark")
    return Confidentiality(
        label=_label(information, created, policies),
        created=created,
        role=role,
        review=None if review is None else _instant(review),
        privacy_mark=_text(mark) if mark else "",
        originator=who,
        originator_type=id_type,
        succeeds_at=succeeds_at,
        successor=successor,
    )


def write(stated: Confidentiality, policies: Policies) -> bytes:
    """The XML document of a label; it names a review only where one was stated.

    Raises:
        UnknownTerm, InvalidInput: a label that its policy does not admit, or that ADatP-4774 has no words for.
    """
    return write_xml(element(stated, policies), {NAMESPACE: _PREFIX})


def element(stated: Confidentiality, policies: Policies) -> Element:
    """`write`, as an element for another document."""
    attributes = {} if stated.review is None else {"ReviewDateTime": _written(stated.review)}
    children = [_information(stated.label, stated.created, policies, stated.privacy_mark)]
    if stated.originator:
        children.append(Element(_NS + "OriginatorID", {"IDType": stated.originator_type}, stated.originator))
    children.append(Element(_NS + "CreationDateTime", text=_written(stated.created)))
    if stated.succeeds_at is not None and stated.successor is not None:
        base = (
            _information(stated.successor, stated.succeeds_at, policies, ""),
            Element(_NS + "CreationDateTime", text=_written(stated.succeeds_at)),
        )
        when = Element(_NS + "SuccessionDateTime", text=_written(stated.succeeds_at))
        next_ = Element(_NS + "SuccessorConfidentialityLabel", children=base)
        children.append(Element(_NS + "SuccessionHandling", children=(when, next_)))
    return Element(_NS + stated.role.value, attributes, children=tuple(children))


def carried(label: Label, at: int, policies: Policies) -> Label:
    """What of `label` its XML made at `at` says: all of it, but for two things that a list does not name.

    These are the policy's owner, who is always on it, and an organisation that is on it without all of its members.
    """
    if label.releasable.access is not Access.LISTED:
        return label
    listed, shown = _lists(label, at, policies)
    return label.narrowed(releasable=Releasability(Access.LISTED, listed, shown - listed))


def _lists(label: Label, at: int, policies: Policies) -> tuple[frozenset[str], frozenset[str]]:
    """Who may have a copy, and who may be given or shown one."""
    owner, said = policies.policy(label.policy).owner, label.releasable
    listed = nameable(said.parties, owner, at, policies)
    return listed, listed | nameable(said.parties | said.display, owner, at, policies)


# ConfidentialityInformation


def _information(label: Label, at: int, policies: Policies, privacy_mark: str) -> Element:
    policies.check(label)
    policy = policies.policy(label.policy)
    if clash := RESERVED & policy.categories.keys():
        raise InvalidInput(f"policy {policy.name} has a category {min(clash)}, which means releasability here")
    uri = _uri(policy)
    children = [
        Element(_NS + "PolicyIdentifier", {"URI": uri} if uri else {}, policy.name),
        Element(_NS + "Classification", text=label.classification),
    ]
    if privacy_mark:
        children.append(Element(_NS + "PrivacyMark", text=privacy_mark))
    rows = [(tag, policy.category_type(tag), values) for tag, values in label.categories]
    rows += [(tag, _TYPES[tag], values) for tag, values in _audience(label, at, policies).items()]
    for tag, values in ((_CONTROL, label.control), (_ORIGIN, label.origins)):
        if values:
            rows.append((tag, _TYPES[tag], values))
    children += [_category(tag, kind, values) for tag, kind, values in rows]
    return Element(_NS + "ConfidentialityInformation", children=tuple(children))


def _category(tag: str, kind: CategoryType, values: frozenset[str]) -> Element:
    if padded := [value for value in (tag, *values) if value != value.strip() or not value]:
        raise InvalidInput(f"{padded[0]!r} begins or ends with white space, which XML labels do not keep")
    found = tuple(Element(_NS + "GenericValue", text=value) for value in sorted(values))
    return Element(_NS + "Category", {"Type": kind.name, "TagName": tag}, children=found)


def _audience(label: Label, at: int, policies: Policies) -> dict[str, frozenset[str]]:
    said, owner = label.releasable, frozenset({policies.policy(label.policy).owner} - {""})
    if label.policy == _NATO:
        return _nato_audience(label, at, policies)
    if said.access is Access.UNMARKED:
        return {}
    if said.access is Access.REFUSED:
        return {_ONLY: owner}
    listed, shown = _lists(label, at, policies)
    return {_RELEASABLE: listed | owner, **({_DISPLAY: shown | owner} if shown > listed else {})}


def _nato_audience(label: Label, at: int, policies: Policies) -> dict[str, frozenset[str]]:
    said, context, members = label.releasable, {_CONTEXT: frozenset({_NATO})}, policies.members(_NATO, at)
    listed = _lists(label, at, policies)[0]
    if said.access is not Access.LISTED or said.display or not listed:
        raise InvalidInput("a NATO label lists who may have it", fix="List the members, or the parties it is only for")
    if listed == members:
        return context
    return {**context, **({_RELEASABLE: listed - members} if listed > members else {_ONLY: listed})}


def _label(information: Element, at: int, policies: Policies) -> Label:
    parts = ("PolicyIdentifier", "Classification", "PrivacyMark", "Category")
    information.closed(frozenset(_NS + part for part in parts))
    policy = _policy(information.only(_NS + "PolicyIdentifier"), policies)
    said = information.only(_NS + "Classification").closed(frozenset())
    classification = _known(_text(said), (rung.name for rung in policy.ladder), policy)
    stated: dict[str, frozenset[str]] = {}
    for row in information.all(_NS + "Category"):
        tag, values = _read_category(row, policy)
        if tag in stated:
            raise InvalidInput(f"category {tag} is there twice", fix="Give it once, with all its values")
        stated[tag] = values
    releasable = _releasability(stated, policy, at, policies)
    label = Label(
        policy=policy.name,
        classification=classification,
        releasable=releasable,
        categories=tuple((tag, values) for tag, values in stated.items() if tag not in RESERVED),
        control=stated.get(_CONTROL, frozenset()),
        origins=stated.get(_ORIGIN, frozenset()),
    )
    policies.check(label)
    return label


def _policy(identifier: Element, policies: Policies) -> Policy:
    identifier.closed(frozenset(), frozenset({"URI"}))
    name, uri = _text(identifier), identifier.attributes.get("URI", "")
    if uri and not _URI.fullmatch(uri):
        raise InvalidInput(f"policy URI {uri!r} is not an object identifier", fix="It reads urn:oid:1.3.26.1.3.1")
    policy = policies.policy(_NATO if name.upper() == _NATO else name)
    ours = _uri(policy)
    if uri and ours and uri != ours:
        raise InvalidInput(
            f"policy {name} is {uri} there and {ours} here", fix="They are different policies: import theirs"
        )
    return policy


def _uri(policy: Policy) -> str:
    return _NATO_URI if policy.name == _NATO else policy.uri


def _read_category(row: Element, policy: Policy) -> tuple[str, frozenset[str]]:
    row.closed(frozenset({_NS + "GenericValue"}), frozenset({"Type", "TagName", "URI"}))
    tag = _known(row.attribute("TagName"), (*policy.categories, *RESERVED), policy)
    expected = _TYPES[tag] if tag in RESERVED else policy.category_type(tag)
    if row.attribute("Type") != expected.name:
        raise InvalidInput(
            f"category {tag} is {row.attribute('Type')} there and {expected.name} in policy {policy.name}"
        )
    found = [_text(value.closed(frozenset())) for value in row.children]
    if tag not in RESERVED:
        found = [_known(value, policy.category(tag).values, policy) for value in found]
    if len(set(found)) != len(found):
        raise InvalidInput(f"category {tag} names a value twice")
    if not found and expected is not CategoryType.PERMISSIVE:
        raise InvalidInput(f"category {tag} has no value", fix="Leave the category out")
    return tag, frozenset(found)


def _releasability(stated: Mapping[str, frozenset[str]], policy: Policy, at: int, policies: Policies) -> Releasability:
    if _RELEASABLE in stated and _ONLY in stated:
        raise InvalidInput(
            "a label names both Releasable To and Only", fix="Keep one: together they deny whom they name"
        )
    audience = {tag: _parties(stated[tag], policy, at, policies) for tag in (_RELEASABLE, _ONLY) if tag in stated}
    if policy.name == _NATO:
        if stated.get(_CONTEXT) != frozenset({_NATO}) or _DISPLAY in stated:
            raise InvalidInput("a label of policy NATO has the Context NATO here, and no Display Only")
        members = policies.members(_NATO, at)
        return Releasability.to(*audience.get(_ONLY, members | audience.get(_RELEASABLE, frozenset())))
    if _CONTEXT in stated:
        raise InvalidInput(f"policy {policy.name} has no Context")
    if _ONLY in stated:
        if audience[_ONLY] - {policy.owner} or _DISPLAY in stated:
            raise InvalidInput(f"Only is for the owner alone in policy {policy.name}", fix="Use Releasable To")
        return REFUSED
    if _RELEASABLE not in stated:
        if _DISPLAY in stated:
            raise InvalidInput("Display Only without Releasable To", fix="Say who may have a copy, if only the owner")
        return UNMARKED
    listed, shown = audience[_RELEASABLE], frozenset[str]()
    if _DISPLAY in stated:
        shown = _parties(stated[_DISPLAY], policy, at, policies)
        if not listed <= shown:
            raise InvalidInput("Display Only leaves out who may have a copy", fix="Name them too: categories narrow")
    return Releasability(Access.LISTED, listed - {policy.owner}, shown - listed - {policy.owner})


def _parties(names: frozenset[str], policy: Policy, at: int, policies: Policies) -> frozenset[str]:
    if policy.name != _NATO:
        return policies.expand(names, at)
    upper = {name.upper() for name in names}
    return policies.expand(upper, at) - {_NATO}


def _known(text: str, names: Iterable[str], policy: Policy) -> str:
    """The name as the policy writes it; values of the NATO policy are the same in any case."""
    if policy.name != _NATO:
        return text
    return next((name for name in names if name.upper() == text.upper()), text)


# around it


def _text(one: Element) -> str:
    if not one.text:
        raise InvalidInput(f"{one.local} is empty")
    return one.text


def _originator(one: Element | None) -> tuple[str, str]:
    if one is None:
        return "", _URL
    one.closed(frozenset(), frozenset({"IDType"}))
    if one.attribute("IDType") not in _ID_TYPES:
        raise InvalidInput(f"IDType {one.attribute('IDType')!r} is not one of {', '.join(sorted(_ID_TYPES))}")
    return _text(one), one.attribute("IDType")


def _succession(one: Element | None, policies: Policies) -> tuple[int | None, Label | None]:
    if one is None:
        return None, None
    one.closed(frozenset({_NS + "SuccessionDateTime", _NS + "SuccessorConfidentialityLabel"}))
    when = _instant(_text(one.only(_NS + "SuccessionDateTime")))
    after = one.only(_NS + "SuccessorConfidentialityLabel")
    parts = ("ConfidentialityInformation", "OriginatorID", "CreationDateTime")
    after.closed(frozenset(_NS + part for part in parts), frozenset({"Id", "ReviewDateTime"}))
    return when, _label(after.only(_NS + "ConfidentialityInformation"), when, policies)


def _instant(text: str) -> int:
    if not _INSTANT.fullmatch(text):
        raise InvalidInput(f"{text!r} is not an instant", fix="Write it as 2026-01-31T12:00:00Z, with a time zone")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is not an instant: {error}") from error
    if moment.year < 1970:
        raise InvalidInput(f"{text!r} is before 1970")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _written(at: int) -> str:
    try:
        moment = _EPOCH + timedelta(milliseconds=at)
    except OverflowError as error:
        raise InvalidInput(f"{at} ms is after the year 9999") from error
    precision = "milliseconds" if at % 1000 else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")
