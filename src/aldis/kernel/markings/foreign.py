"""Non-US classifications in US markings: `//GBR SECRET//REL TO USA, GBR`, `(//NS)`; labels of the owner's policy.

Source: IC Markings System Register and Manual, section 3 (non-US classification markings).
"""

from __future__ import annotations

from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import Access, Label, Releasability
from aldis.kernel.markings import nato
from aldis.kernel.markings.statements import USA, Statements, write_statements
from aldis.kernel.markings.tokens import Token, distinct, level
from aldis.kernel.policies import Policies

__all__ = ["read_foreign", "write_foreign"]

_NATO = "NATO"


def read_foreign(token: Token, at: int, policies: Policies, portion: bool) -> Label:
    """The label that what follows the opening `//` states; only REL TO and DISPLAY ONLY may follow its classification.

    Raises:
        UnknownTerm: a party without a policy, or a word that its policy does not define.
        InvalidInput: words that do not go together.
    """
    head, *segments = token.split("//")
    code = head.part(0, head.text.index(" ")) if " " in head.text else head
    categories: tuple[tuple[str, frozenset[str]], ...] = ()
    if code.text in policies.parties - {_NATO}:
        owners = {policies.policy(name).owner for name in policies.names} - {"", USA}
        if code.text not in owners:
            raise code.unknown("a foreign party with a policy", owners)
        policy = policies.policy_of(code.text)
        rung, rest = level(head.part(len(code.text) + 1), policy, at, portion)
    else:
        policy = policies.policy(_NATO)
        rung, categories, rest = nato.read_level(head, at, policies, portion)
    if rest.text:
        raise rest.wrong("follows the classification", fix="Separate categories with //")
    statements = Statements(policies, at, portion, policy.owner)
    for word in distinct(word for segment in segments for word in segment.split("/")):
        if not statements.take(word):
            raise word.unknown("allowed after a non-US classification", ["REL TO", "DISPLAY ONLY"])
    said = statements.releasable
    if policy.owner == _NATO and not statements:
        said = Releasability.to(*policies.members(_NATO, at))
    label = Label(policy.name, rung.name, said, categories)
    policies.check(label)
    return label


def write_foreign(label: Label, at: int, policies: Policies, portion: bool) -> str:
    """The marking of a label of another policy than US; InvalidInput where a US marking has no words for it."""
    policy, said = policies.policy(label.policy), label.releasable
    if policy.owner == _NATO:
        text = f"//{nato.write_level(label, policies, portion)}"
        if said.access is Access.UNMARKED:
            raise InvalidInput("a NATO marking is for somebody", fix="List the members, or the parties it is only for")
        if not said.display and said.parties - {_NATO} == policies.members(_NATO, at):
            return text
    else:
        if label.categories or not policy.owner:
            what = ", ".join(tag for tag, _ in label.categories) or "the classifications"
            raise InvalidInput(f"a US marking has no words for {what} of policy {policy.name}")
        rung = policy.rung(label.classification)
        text = f"//{policy.owner} {rung.portion if portion else rung.name}"
    words = write_statements(said, policy.owner, at, policies, portion)
    return "//".join([text, "/".join(words.values())]) if words else text
