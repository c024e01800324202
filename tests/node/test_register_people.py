"""The register for people who are signed in: who may draft, sign and end, of what they see, as they looked at it."""

from __future__ import annotations

import pytest
from nations import ARRANGEMENT, Coalition
from personnel import hire, signed_in

from aldis.kernel.authority import Role
from aldis.kernel.errors import Changed, InvalidInput, RefusedByPolicy, UnknownTerm
from aldis.kernel.instruments import Effect
from aldis.kernel.labels import Label, Releasability
from aldis.node.people import Person

DAY = 86_400_000
NAME = "pa-sea-trial-0123abcd"
TEXT = ARRANGEMENT.replace("pa-northern-watch", NAME).replace("NORTHERN-WATCH", "SEA-TRIAL")
HIGH = Label("AUS", "SECRET", Releasability.to("AUS", "GBR", "USA"))
BOTH = [Role.RELEASE_OFFICER, Role.SECURITY_OFFICER]


def person(coalition: Coalition, who: str, level: str = "OFFICIAL", **fields: object) -> Person:
    node = coalition["aus"]
    if who not in {account.id for account in node.people.all()}:
        hire(node, who, **{"roles": BOTH, **fields})
    return signed_in(node, who, AUS=level)


def test_a_person_drafts_amends_signs_and_ends_by_their_roles(coalition: Coalition) -> None:
    register = coalition["aus"].register
    both, drafter = person(coalition, "both"), person(coalition, "drafter", roles=[Role.RELEASE_OFFICER])
    signer = person(coalition, "signer", roles=[Role.SECURITY_OFFICER])
    foreign = person(coalition, "foreign", nationality="GBR", clearance={"AUS": "SECRET"})
    for by in (signer, foreign):
        with pytest.raises(RefusedByPolicy):
            register.draft(TEXT, by)
    first = register.draft(TEXT, drafter)
    assert first.header.author == "drafter"
    second = register.amend(TEXT.replace("2028", "2029"), drafter, digest=first.digest)
    with pytest.raises(Changed):
        register.sign(NAME, signer, first.digest)
    for by in (drafter, foreign):
        with pytest.raises(RefusedByPolicy):
            register.sign(NAME, by, second.digest)
        with pytest.raises(RefusedByPolicy):
            register.end(NAME, Effect.LEAVE, coalition.clock.now() + DAY, by)
    assert register.sign(NAME, signer, second.digest).header.author == "signer"
    assert [one.version for one in register.entries(NAME, both)] == [1, 2]
    with pytest.raises(InvalidInput, match="passed"):
        register.end(NAME, Effect.LEAVE, coalition.clock.now() - 2 * DAY, signer, "late")
    register.end(NAME, Effect.LEAVE, coalition.clock.now() + DAY, signer, "over")
    assert [(one.party, one.effect) for one in register.notices(NAME, both)] == [("AUS", Effect.LEAVE)]


def test_an_id_that_a_person_asks_for_tells_nothing_of_others(coalition: Coalition) -> None:
    register, by = coalition["aus"].register, person(coalition, "both")
    told = []
    for name in ("pa-northern-watch", "pa-nobody-has-it"):
        with pytest.raises(InvalidInput, match="does not end in eight digits") as refused:
            register.draft(TEXT.replace(NAME, name), by)
        told.append(type(refused.value))
    assert told[0] is told[1]
    assert register.draft(TEXT.replace(NAME, register.suggested("pa-sea-trial")), by).header.version == 1


def test_what_is_marked_above_a_person_is_not_there_and_stays_marked_so(coalition: Coalition) -> None:
    register, low, high = coalition["aus"].register, person(coalition, "both"), person(coalition, "both", "SECRET")
    with pytest.raises(RefusedByPolicy, match="could not read it"):
        register.draft(TEXT, low, HIGH)
    register.draft(TEXT, high, HIGH)
    assert NAME in register.shown(high) and NAME not in register.shown(low)
    for asked in (NAME, "pa-nobody-has-it"):
        with pytest.raises(UnknownTerm, match="no instrument"):
            register.entries(asked, low)
        with pytest.raises(UnknownTerm, match="no instrument"):
            register.amend(TEXT.replace(NAME, asked), low)
        with pytest.raises(UnknownTerm, match="no instrument"):
            register.sign(asked, low)
    assert register.amend(TEXT.replace("2028", "2029"), "operator").label == HIGH, "an operator's amendment too"
    register.end(NAME, Effect.TERMINATE, coalition.clock.now() + DAY, high, "over")
    assert register.notices(NAME, low) == ()
