"""UK markings: `UK OFFICIAL-SENSITIVE – HMG USE ONLY – COMMERCIAL`, `UK SECRET – UK / US EYES ONLY`.

What may go abroad bears the prefix UK. Source: Government Security Classifications Policy (2014; 2024): prefixes and
national caveats, handling instructions, descriptors.
"""

from __future__ import annotations

from aldis.kernel.labels import REFUSED, UNMARKED, Access, Label, Releasability
from aldis.kernel.markings.tokens import Token, distinct, level, nameable, open_marking, plain_list, wrap
from aldis.kernel.policies import Policies, Policy

__all__ = ["parse", "write"]

_DASH = " [–-] "
_EYES_ONLY = " EYES ONLY"
_FIVE = "FIVE"
_PREFIX = "UK "


def parse(text: str, *, at: int, policies: Policies, portion: bool = False) -> Label:
    """The label that a UK marking made at `at` (ms since the epoch, UTC) states; the prefix may be absent.

    Raises:
        UnknownTerm: a word that the policy does not define.
        InvalidInput: words that do not go together, or a classification not in use at `at`.
    """
    policy = policies.policy("UK")
    head, *words = open_marking(text, portion).split(_DASH)
    rung, rest = level(head.without(_PREFIX) or head, policy, at, portion)
    if (descriptor := rest.without(" ")) is not None:
        words.insert(0, descriptor)
    elif rest.text:
        raise rest.wrong("follows the classification", fix="Separate words with a dash, as in SECRET – UK EYES ONLY")
    said = UNMARKED
    categories: dict[str, frozenset[str]] = {}
    for word in distinct(words):
        if word.text.endswith(_EYES_ONLY):
            if said is not UNMARKED:
                raise word.wrong("is a second national caveat", fix="Write one, with every country it allows")
            said = _read_caveat(word, policy, policies, at)
        else:
            tag = _tag(word, policy)
            categories[tag] = categories.get(tag, frozenset()) | {word.text}
    if said is UNMARKED and _refuses(categories, policy):
        said = REFUSED
    label = Label("UK", rung.name, said, tuple(categories.items()))
    policies.check(label)
    return label


def write(label: Label, *, at: int, policies: Policies, portion: bool = False) -> str:
    """The canonical UK marking of `label`; groups are those of `at`. InvalidInput where it cannot say what is shown."""
    policy = policies.policy("UK")
    rung = policy.rung(label.classification)
    listed = nameable(plain_list(label.releasable, policy), policy.owner, at, policies, by_group=False)
    abroad = label.releasable.access is Access.UNMARKED or bool(listed)
    words = [(_PREFIX if abroad else "") + (rung.portion if portion else rung.name)]
    categories = dict(label.categories)
    words += [name for tag in policy.categories for name in sorted(categories.get(tag, ()))]
    if listed:
        words.append(_write_caveat(listed, policy, policies, at))
    elif not abroad and not _refuses(categories, policy):
        words.append(f"UK{_EYES_ONLY}")
    return wrap(" – ".join(words), portion)


def _tag(word: Token, policy: Policy) -> str:
    known = {name: category.tag for category in policy.categories.values() for name in category.values}
    if word.text not in known:
        raise word.unknown("a handling instruction, descriptor or national caveat", [*known, f"UK{_EYES_ONLY}"])
    return known[word.text]


def _refuses(categories: dict[str, frozenset[str]], policy: Policy) -> bool:
    return any(policy.category(tag).value(name).refused for tag, names in categories.items() for name in names)


def _read_caveat(word: Token, policy: Policy, policies: Policies, at: int) -> Releasability:
    codes = {written: code for code, written in policy.notation.items()}
    listed: set[str] = set()
    for name in distinct(word.part(0, -len(_EYES_ONLY)).split(" ?/ ?")):
        if name.text == _FIVE:
            listed |= policies.members("FVEY", at)
            continue
        code = codes.get(name.text, name.text)
        known = policies.expand([policy.owner], at) if code == policy.owner else _country(name, code, policies, at)
        listed |= known
    if policy.owner not in listed:
        raise word.wrong("does not name the UK", fix=f"Write UK first, as in UK / US{_EYES_ONLY}")
    return Releasability.to(*listed - {policy.owner}) if len(listed) > 1 else REFUSED


def _country(name: Token, code: str, policies: Policies, at: int) -> frozenset[str]:
    if name.text in policies.policy("UK").notation:
        raise name.wrong("is not how a national caveat names a country", fix="Write UK, US, NZ")
    known = policies.parties - policies.groups
    if code not in known:
        raise name.unknown("a country", known)
    return policies.expand([code], at)


def _write_caveat(listed: frozenset[str], policy: Policy, policies: Policies, at: int) -> str:
    if policies.contract(listed | {policy.owner}, at) == ("FVEY",):
        return f"{_FIVE}{_EYES_ONLY}"
    names = sorted(policy.notation.get(code, code) for code in listed)
    return " / ".join(["UK", *names]) + _EYES_ONLY
