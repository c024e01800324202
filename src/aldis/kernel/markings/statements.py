"""What a US marking says of releasability: NOFORN, REL TO, DISPLAY ONLY.

Source: IC Markings System Register and Manual, section 8; exclusions: ISM-ID-00033, ISM-ID-00169. Lists name USA
first, then countries in order, then groups in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import REFUSED, UNMARKED, Access, Releasability
from aldis.kernel.markings.tokens import Token, nameable, parties
from aldis.kernel.policies import Policies

__all__ = ["NAMES", "USA", "Statements", "code_order", "says_something", "write_statements"]

USA = "USA"
NAMES = ("NOFORN", "REL TO", "DISPLAY ONLY")
_NOFORN = ("NOFORN", "NOT RELEASABLE TO FOREIGN NATIONALS")
_NF = ("NF",)
_REL_TO = ("REL TO ", "AUTHORIZED FOR RELEASE TO ")
_DISPLAY_ONLY = ("DISPLAY ONLY ",)


@dataclass(slots=True)
class Statements:
    """The statements that a marking of `owner`'s information has made so far."""

    policies: Policies
    at: int
    portion: bool
    owner: str = USA
    listed: frozenset[str] = frozenset()
    display: frozenset[str] = frozenset()
    _said: dict[str, Token] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether the marking has said anything."""
        return bool(self._said)

    def take(self, token: Token) -> bool:
        """Whether `token` is a statement, now noted.

        Raises:
            UnknownTerm: a list names neither party nor group.
            InvalidInput: a list without USA first or without anybody, or statements that exclude each other.
        """
        if token.text in (_NF if self.portion else _NOFORN):
            self._note("NOFORN", token)
        elif (listed := _after(token, _REL_TO)) is not None:
            self._note("REL TO", token)
            self.listed = self._list(listed)
            if self.owner == USA and listed.split(", ")[0].text != USA:
                raise listed.wrong("does not begin with USA", fix="Write USA, then countries, then groups, in order")
        elif (shown := _after(token, _DISPLAY_ONLY)) is not None:
            self._note("DISPLAY ONLY", token)
            self.display = self._list(shown)
        elif token.text == "REL":
            raise token.wrong("does not say to whom", fix="Write REL TO USA and the others, as the banner does")
        else:
            return False
        return True

    @property
    def releasable(self) -> Releasability:
        """The state that the statements leave."""
        if "NOFORN" in self._said:
            return REFUSED
        return Releasability.to(*self.listed, display=self.display) if self else UNMARKED

    def _list(self, token: Token) -> frozenset[str]:
        listed = parties(token, ", ", self.policies, self.at) - {self.owner}
        if not listed:
            raise token.wrong("names nobody else", fix="Write NOFORN where nobody else may have it")
        return listed

    def _note(self, word: str, token: Token) -> None:
        if word == "NOFORN" and self.owner != USA:
            raise token.wrong(
                "is for US information", fix="Allowed after a non-US classification: REL TO, DISPLAY ONLY"
            )
        if self and (word == "NOFORN" or "NOFORN" in self._said or word in self._said):
            other = next(iter(self._said.values())).text
            raise token.wrong(f"cannot be with {other!r}", fix="NOFORN excludes REL TO and DISPLAY ONLY; keep one")
        self._said[word] = token


def says_something(word: str, portion: bool) -> bool:
    """Whether a segment that begins with `word` makes statements of releasability."""
    return word in (_NF if portion else _NOFORN) or word == "REL" or word.startswith((*_REL_TO, *_DISPLAY_ONLY))


def write_statements(said: Releasability, owner: str, at: int, policies: Policies, portion: bool) -> dict[str, str]:
    """The statements, by name, that `said` of `owner`'s information makes; a list with nobody on it reads as NOFORN.

    Raises:
        InvalidInput: a refusal of what is not US information.
    """
    listed, shown = (nameable(names, owner, at, policies) for names in (said.parties, said.display))
    if said.access is Access.UNMARKED:
        return {}
    if not listed and not shown:
        if owner != USA:
            raise InvalidInput(f"a US marking cannot say that {owner} information is for nobody else")
        return {"NOFORN": "NF" if portion else "NOFORN"}
    words = {}
    if listed:
        # The owner completes a group that holds it (an organisation does not), and USA is named although a group does.
        whole = listed if owner in policies.groups else listed | {owner}
        names = {*policies.contract(whole, at), *(whole & {USA})}
        words["REL TO"] = _REL_TO[0] + ", ".join(sorted(names, key=code_order))
    if shown:
        words["DISPLAY ONLY"] = _DISPLAY_ONLY[0] + ", ".join(sorted(policies.contract(shown, at), key=code_order))
    return words


def code_order(code: str) -> tuple[bool, int, str]:
    """USA first, then countries, then groups, each in order."""
    return code != USA, len(code), code


def _after(token: Token, prefixes: tuple[str, ...]) -> Token | None:
    return next((rest for prefix in prefixes if (rest := token.without(prefix)) is not None), None)
