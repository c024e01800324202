"""Australian markings: `SECRET//AUSTEO`, `SECRET//REL AUS/GBR/USA`, `OFFICIAL: Sensitive//Personal-Privacy`.

Source: PSPF Release 2024, sections 9.2 to 9.5, and its guidelines, tables 23 and 24.
"""

from __future__ import annotations

from aldis.kernel.labels import REFUSED, UNMARKED, Access, Label, Releasability
from aldis.kernel.markings.tokens import Token, distinct, level, nameable, open_marking, parties, plain_list, wrap
from aldis.kernel.policies import Policies, Policy

__all__ = ["parse", "write"]

_AUSTEO, _AGAO, _REL = "AUSTEO", "AGAO", "REL "
_NATIONALITY = "Nationality"


def parse(text: str, *, at: int, policies: Policies, portion: bool = False) -> Label:
    """The label that an Australian marking made at `at` (ms since the epoch, UTC) states.

    A single caveat may follow the classification after a space, as in `SECRET AUSTEO`.

    Raises:
        UnknownTerm: a word that the policy does not define.
        InvalidInput: words that do not go together, or a classification not in use at `at`.
    """
    policy = policies.policy("AUS")
    head, *words = open_marking(text, portion).split("//")
    rung, rest = level(head, policy, at, portion)
    if (caveat := rest.without(" ")) is not None:
        words.insert(0, caveat)
    elif rest.text:
        raise rest.wrong("follows the classification", fix="Separate words with //, as in SECRET//AGAO")
    said = UNMARKED
    categories: dict[str, frozenset[str]] = {}
    for word in distinct(words):
        if word.text in (_AUSTEO, _AGAO) or word.text.startswith(_REL):
            if said is not UNMARKED:
                raise word.wrong("is a second releasability caveat", fix="Write one of AUSTEO, AGAO, REL")
            said = _read_list(word, policies, at) if word.text.startswith(_REL) else REFUSED
        if word.text != _AGAO and not word.text.startswith(_REL):
            tag = _tag(word, policy)
            categories[tag] = categories.get(tag, frozenset()) | {word.text}
    label = Label("AUS", rung.name, said, tuple(categories.items()))
    policies.check(label)
    return label


def write(label: Label, *, at: int, policies: Policies, portion: bool = False) -> str:
    """The canonical Australian marking of `label`; InvalidInput where it cannot say what is only shown."""
    policy = policies.policy("AUS")
    rung = policy.rung(label.classification)
    categories = dict(label.categories)
    words = [rung.portion if portion else rung.name, *sorted(categories.get("Special Handling", ()))]
    listed = nameable(plain_list(label.releasable, policy), policy.owner, at, policies, by_group=False)
    if listed:
        words.append(_REL + "/".join([policy.owner, *sorted(listed)]))
    elif label.releasable.access is not Access.UNMARKED:
        words.append(_AUSTEO if categories.get(_NATIONALITY) else _AGAO)
    return wrap("//".join([*words, *sorted(categories.get("Information Management", ()))]), portion)


def _tag(word: Token, policy: Policy) -> str:
    known = {name: category.tag for category in policy.categories.values() for name in category.values}
    if word.text not in known:
        raise word.unknown("a caveat or an information management marker", [*known, _AGAO, "REL AUS/..."])
    return known[word.text]


def _read_list(word: Token, policies: Policies, at: int) -> Releasability:
    names = word.part(len(_REL))
    listed = parties(names, "/", policies, at)
    if not names.text.startswith("AUS/"):
        raise names.wrong("does not begin with AUS and name another", fix="Write REL AUS/ and the others")
    return Releasability.to(*listed - {"AUS"})
