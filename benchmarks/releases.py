"""One release policy in three languages, and the requests that are put to all of them.

The epoch is one arrangement with a clause for each kind, a licence and an exemption, toward one recipient; dates
and equivalences are resolved beforehand for the peers, which makes their work lighter than ours. Codes are those of
`aldis.kernel.release`, one for each of the eight checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import Partner, PolicyEpoch
from aldis.kernel.errors import NeedsPerson
from aldis.kernel.instruments import Entry, Instruments, parse_instrument
from aldis.kernel.labels import Access, CategoryType, Label, Releasability
from aldis.kernel.policies import builtin
from aldis.kernel.release import Outcome, Reason, Request, RowScope

__all__ = [
    "AT",
    "CEDAR",
    "CEDAR_CODES",
    "EPOCH",
    "NODE",
    "PURPOSE",
    "REGO",
    "cedar_entities",
    "cedar_request",
    "codes_of",
    "labels",
    "peer_data",
    "plain_label",
    "plain_request",
    "plain_scope",
    "requests",
    "scopes",
]

AT = 1_780_272_000_000
"""2026-06-01 in ms since 1970 UTC."""
NODE, PURPOSE = "gbr-low", "surveillance"
KINDS = ("track", "document", "image")
PROJECTS = ("NORTHERN-WATCH", "SEA-TRIAL", "")
PORTIONS = ("", "position", "identity", "voyage")
PARTIES = ("AUS", "GBR", "USA", "CAN", "NZL")
LISTED = (
    *PARTIES,
    "DNK",
    "EST",
    "FIN",
    "FRA",
    "DEU",
    "ISL",
    "ITA",
    "JPN",
    "KOR",
    "LVA",
    "LTU",
    "NLD",
    "NOR",
    "POL",
    "SWE",
)
TAGS = ("DSGL:6A001", "USML:XI(c)", "UKML:9")
CATEGORIES = {
    "AUS": (("Special Handling", ("CABINET", "ORCON")), ("Information Management", ("Legal-Privilege",))),
    "US": (("SCI", ("SI", "TK")), ("Dissemination", ("ORCON", "PROPIN")), ("Administrative", ("FOUO",))),
}
_CLAUSE = """
[[clause]]
id = "{id}"
kinds = ["{kind}"]
projects = ["NORTHERN-WATCH", "SEA-TRIAL"]
purposes = ["surveillance", "search-and-rescue"]
from = ["AUS", "USA"]
to = ["AUS", "GBR"]
ceiling = {{ AUS = "SECRET", US = "SECRET" }}
categories = {{ "Special Handling" = ["CABINET", "ORCON"], "SCI" = ["SI"], "Dissemination" = ["ORCON", "PROPIN"] }}
onward = ["GBR"]
{more}
"""
_HEAD = """
instrument = "{form}"
id = "{id}"
title = "{id}"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2028-12-31
"""
_TEXTS = (
    _HEAD.format(form="arrangement", id="northern-watch")
    + _CLAUSE.format(id="1", kind="track", more="")
    + _CLAUSE.format(id="2", kind="document", more="review = true")
    + _CLAUSE.format(id="3", kind="image", more=""),
    _HEAD.format(form="licence", id="tdp-gbr") + '[[clause]]\nid = "1"\ntags = ["DSGL:6A001"]\n',
    _HEAD.format(form="exemption", id="aukus")
    + 'rule = "22 CFR 126.7"\n[evidence]\nactivity_covered = true\nwithin_territory = true\neligible_parties = true\n'
    + "not_excluded_technology = true\nwithin_value_limits = true\nno_sme_manufacture_abroad = true\n"
    + '[[clause]]\nid = "1"\ntags = ["USML:XI(c)"]\n',
)


def _epoch() -> PolicyEpoch:
    read = [parse_instrument(text, builtin()) for text in _TEXTS]
    return PolicyEpoch(
        party="AUS",
        node="aus-low",
        ceiling=(("AUS", "SECRET"),),
        policies=builtin(),
        instruments=Instruments(tuple(Entry(i, sha256(i.id.encode()), 1, i.parties) for i in read)),
        partners=(
            Partner(
                NODE,
                "GBR",
                (("UK", "SECRET"),),
                (("SCI", frozenset({"SI", "TK"})), ("Special Handling", frozenset({"CABINET"}))),
            ),
        ),
        holds=frozenset(f"record-{n}" for n in range(0, 1_000_000, 97)),
    )


EPOCH = _epoch()


def labels(count: int, seed: int = 1) -> list[Label]:
    """`count` labels, no two alike."""
    rng, found = Random(seed), dict[Label, None]()
    while len(found) < count:
        found[_label(rng)] = None
    return list(found)


def _label(rng: Random) -> Label:
    policy = rng.choices(("AUS", "US", "UK"), (6, 3, 1))[0]
    rung = rng.choice([r.name for r in builtin().policy(policy).ladder])
    said = rng.random()
    releasable = Releasability.to(
        *rng.sample(PARTIES, rng.randint(1, 4)),
        *rng.sample(LISTED, rng.randint(0, 6)),
        display=rng.sample(PARTIES, 1) if said < 0.1 else (),
    )
    if said > 0.85:
        releasable = Releasability() if said > 0.93 else Releasability(Access.REFUSED)
    return Label(
        policy=policy,
        classification=rung,
        releasable=releasable,
        categories=tuple(
            (tag, frozenset(rng.sample(values, rng.randint(1, len(values)))))
            for tag, values in CATEGORIES.get(policy, ())
            if rng.random() < 0.2
        ),
        control=frozenset(rng.sample(TAGS, rng.randint(1, 2))) if rng.random() < 0.15 else frozenset(),
        origins=frozenset(rng.sample((*PARTIES, "FGI"), rng.randint(1, 2))) if rng.random() < 0.25 else frozenset(),
    )


def scopes() -> list[RowScope]:
    """Every kind, project, portion and a few originators, some with a grant."""
    return [
        RowScope(kind, originator, project, portion, grants)
        for kind in KINDS
        for project in PROJECTS
        for portion in PORTIONS
        for originator, grants in (
            ("AUS", frozenset[str]()),
            ("AUS", frozenset[str]()),
            ("USA", frozenset({"GBR"})),
            ("GBR", frozenset[str]()),
            ("CAN", frozenset[str]()),
        )
    ]


def requests(count: int, seed: int = 2) -> Iterator[Request]:
    """Requests, no two with the same label."""
    rng, every = Random(seed), scopes()
    for number, label in enumerate(labels(count, seed)):
        scope = rng.choice(every)
        yield Request(
            label=label,
            kind=scope.kind,
            recipient=NODE,
            originator=scope.originator,
            project=scope.project,
            portion=scope.portion,
            purpose=PURPOSE,
            origin_grants=scope.origin_grants,
            record=f"record-{number}",
        )


def codes_of(reasons: tuple[Reason, ...]) -> tuple[str, ...]:
    """The codes of the checks that did not pass, in order."""
    return tuple(reason.code for reason in reasons if reason.outcome is not Outcome.PASS)


def plain_label(label: Label) -> dict[str, Any]:
    """A label as plain JSON, with its restricting categories as `tag=value`."""
    said, policy = label.releasable, builtin().policy(label.policy)
    return {
        "grade": f"{label.policy}/{label.classification}",
        "owner": policy.owner,
        "access": said.access.value,
        "parties": sorted(said.parties),
        "display": sorted(said.display),
        "restrictive": sorted(
            f"{tag}={value}"
            for tag, values in label.categories
            for value in values
            if policy.category_type(tag) is CategoryType.RESTRICTIVE
        ),
        "control": sorted(label.control),
        "origins": sorted(label.origins),
    }


def peer_data() -> dict[str, Any]:
    """The epoch for the peers: sets and maps of plain words, dates and equivalences already resolved."""
    policies, partner = EPOCH.policies, EPOCH.partner(NODE)
    clauses = {}
    for clause in EPOCH.instruments.versions("northern-watch")[0].instrument.clauses:
        clauses[next(iter(clause.kinds))] = {
            "id": clause.id,
            "projects": sorted(clause.projects),
            "purposes": sorted(clause.purposes),
            "givers": sorted(clause.givers),
            "takers": sorted(clause.takers),
            "onward": sorted(clause.onward),
            "review": clause.review,
            "categories": sorted(f"{tag}={value}" for tag, values in clause.categories for value in values),
            "ceiling": _grades(dict(clause.ceiling), mapped_up=True),
        }
    ladder = [(name, rung) for name in policies.names for rung in policies.policy(name).ladder]
    return {
        "party": EPOCH.party,
        "taker": partner.party,
        "ceiling": _grades(dict(partner.ceiling), mapped_up=False),
        "held": sorted(f"{tag}={value}" for tag, values in partner.categories for value in values),
        "clauses": clauses,
        "licensed": ["DSGL:6A001", "USML:XI(c)"],
        "person": sorted(f"{name}/{rung.name}" for name, rung in ladder if rung.unmarked.value == "person"),
        "originator_grades": sorted(f"{name}/{rung.name}" for name, rung in ladder if rung.originator),
        "originator_values": ["Dissemination=ORCON", "Special Handling=ORCON"],
    }


def _grades(ceiling: dict[str, str], *, mapped_up: bool) -> dict[str, str]:
    """What a ceiling says of every classification: pass, fail, or refer where nothing maps."""
    policies, found = EPOCH.policies, {}
    for name in policies.names:
        for rung in policies.policy(name).ladder:
            answers = []
            for policy, highest in ceiling.items() if name not in ceiling else [(name, ceiling[name])]:
                try:
                    if mapped_up:
                        here = policies.protect_as(Label(name, rung.name), policy, AT).classification
                        limit, ladder = highest, policies.policy(policy)
                    else:
                        here, limit = rung.name, policies.clearance_counts_as(policy, highest, name, AT)
                        ladder = policies.policy(name)
                except NeedsPerson:
                    continue
                answers.append(ladder.rank(here) <= ladder.rank(limit))
            good = all(answers) if mapped_up else any(answers)
            found[f"{name}/{rung.name}"] = "refer" if not answers else "pass" if good else "fail"
    return found


REGO = """
package release

import rego.v1

decision := decide(data.requests[input])

bulk := [answer |
    some row in input
    answer := decide(object.union(data.scopes[row[1]], {"label": data.labels[row[0]], "held": row[2]}))
]

decide(r) := {"verdict": verdict(outcomes), "reasons": reasons} if {
    clause := data.clauses[r.kind]
    checks := [
        control(r),
        classification(r.label, clause),
        releasability(r),
        instrument(r, clause),
        categories(r.label, clause),
        export(r.label),
        onward(r, clause),
        review(r, clause),
    ]
    outcomes := {check[0] | some check in checks}
    reasons := [check[1] | some check in checks; check[0] != "pass"]
}

verdict(outcomes) := "refuse" if {
    "fail" in outcomes
} else := "refer" if {
    "refer" in outcomes
} else := "permit"

control(r) := ["pass", "originator"] if {
    r.originator == data.party
} else := ["fail", "originator-controlled"] if {
    r.label.grade in data.originator_grades
} else := ["fail", "originator-controlled"] if {
    some value in r.label.restrictive
    value in data.originator_values
} else := ["pass", "returned"] if {
    r.originator == data.taker
} else := ["pass", "granted"] if {
    data.taker in r.grants
} else := ["fail", "no-grant"]

classification(label, clause) := ["fail", "above-clause-ceiling"] if {
    clause.ceiling[label.grade] == "fail"
} else := ["fail", "above-node-ceiling"] if {
    data.ceiling[label.grade] == "fail"
} else := ["refer", "unmapped"] if {
    "refer" in [clause.ceiling[label.grade], data.ceiling[label.grade]]
} else := ["pass", "within-ceilings"]

releasability(r) := ["pass", "listed"] if {
    data.taker in r.label.parties
} else := ["pass", "owner"] if {
    r.originator == data.taker
} else := ["fail", "refused"] if {
    r.label.access == "refused"
} else := ["refer", "unmarked"] if {
    r.label.access == "unmarked"
    r.label.grade in data.person
} else := ["pass", "by-agreement"] if {
    r.label.access == "unmarked"
} else := ["fail", "display-only"] if {
    data.taker in r.label.display
} else := ["pass", "owner"] if {
    r.label.owner == data.taker
} else := ["fail", "nobody"] if {
    count(r.label.parties) == 0
} else := ["fail", "not-listed"]

instrument(r, clause) := ["fail", "direction"] if {
    not data.party in clause.givers
} else := ["fail", "direction"] if {
    not data.taker in clause.takers
} else := ["fail", "project"] if {
    not r.project in clause.projects
} else := ["fail", "purpose"] if {
    not r.purpose in clause.purposes
} else := ["pass", "in-force"]

categories(label, clause) := ["fail", "category-not-permitted"] if {
    some value in label.restrictive
    not value in clause.categories
} else := ["fail", "category-not-held"] if {
    some value in label.restrictive
    not value in data.held
} else := ["pass", "categories"]

export(label) := ["fail", "unlicensed"] if {
    some tag in label.control
    not tag in data.licensed
} else := ["pass", "licensed"]

onward(r, clause) := ["fail", "origin-not-covered"] if {
    not data.taker in r.grants
    some origin in r.label.origins
    not origin in {data.party, data.taker, "FGI"}
    not covered(r, clause, origin)
} else := ["refer", "concealed-origin"] if {
    "FGI" in r.label.origins
} else := ["pass", "onward"]

covered(r, clause, origin) if {
    origin in clause.givers
    data.party in clause.takers
    data.taker in clause.onward
    r.project in clause.projects
    r.purpose in clause.purposes
}

review(r, clause) := ["fail", "held"] if {
    r.held
} else := ["refer", "review"] if {
    clause.review
} else := ["pass", "no-review"]
"""

CEDAR = """
permit (principal, action, resource);

@id("1 originator-controlled")
forbid (principal, action, resource) when {
    resource.originator != principal.giver &&
    (principal.originator_grades.contains(resource.grade) ||
     principal.originator_values.containsAny(resource.restrictive)) };
@id("1 no-grant")
forbid (principal, action, resource) when {
    resource.originator != principal.giver && resource.originator != principal.party &&
    !resource.grants.contains(principal.party) &&
    !principal.originator_grades.contains(resource.grade) &&
    !principal.originator_values.containsAny(resource.restrictive) };

@id("2 above-clause-ceiling")
forbid (principal, action, resource) when { resource.clause.above.contains(resource.grade) };
@id("2 above-node-ceiling")
forbid (principal, action, resource) when {
    !resource.clause.above.contains(resource.grade) && principal.above.contains(resource.grade) };
@id("2 unmapped")
forbid (principal, action, resource) when {
    (resource.clause.unmapped.contains(resource.grade) || principal.unmapped.contains(resource.grade)) &&
    !resource.clause.above.contains(resource.grade) && !principal.above.contains(resource.grade) };

@id("3 refused")
forbid (principal, action, resource) when {
    resource.access == "refused" && resource.originator != principal.party };
@id("3 unmarked")
forbid (principal, action, resource) when {
    resource.access == "unmarked" && principal.person.contains(resource.grade) &&
    resource.originator != principal.party };
@id("3 display-only")
forbid (principal, action, resource) when {
    resource.access == "listed" && resource.display.contains(principal.party) &&
    resource.originator != principal.party };
@id("3 nobody")
forbid (principal, action, resource) when {
    resource.access == "listed" && resource.parties.isEmpty() && !resource.display.contains(principal.party) &&
    resource.originator != principal.party && resource.owner != principal.party };
@id("3 not-listed")
forbid (principal, action, resource) when {
    resource.access == "listed" && !resource.parties.isEmpty() && !resource.parties.contains(principal.party) &&
    !resource.display.contains(principal.party) && resource.originator != principal.party &&
    resource.owner != principal.party };

@id("4 direction")
forbid (principal, action, resource) unless {
    resource.clause.givers.contains(principal.giver) && resource.clause.takers.contains(principal.party) };
@id("4 project")
forbid (principal, action, resource) when {
    resource.clause.givers.contains(principal.giver) && resource.clause.takers.contains(principal.party) &&
    !resource.clause.projects.contains(resource.project) };
@id("4 purpose")
forbid (principal, action, resource) when {
    resource.clause.givers.contains(principal.giver) && resource.clause.takers.contains(principal.party) &&
    resource.clause.projects.contains(resource.project) && !resource.clause.purposes.contains(resource.purpose) };

@id("5 category-not-permitted")
forbid (principal, action, resource) unless { resource.clause.categories.containsAll(resource.restrictive) };
@id("5 category-not-held")
forbid (principal, action, resource) when {
    resource.clause.categories.containsAll(resource.restrictive) && !principal.held.containsAll(resource.restrictive) };

@id("6 unlicensed")
forbid (principal, action, resource) unless { principal.licensed.containsAll(resource.control) };

@id("7 origin-not-covered")
forbid (principal, action, resource) when {
    !resource.grants.contains(principal.party) && !principal.ends.containsAll(resource.origins) &&
    !(resource.clause.covered.containsAll(resource.origins) && resource.clause.projects.contains(resource.project) &&
      resource.clause.purposes.contains(resource.purpose)) };
@id("7 concealed-origin")
forbid (principal, action, resource) when {
    resource.origins.contains("FGI") &&
    (resource.grants.contains(principal.party) || principal.ends.containsAll(resource.origins) ||
     (resource.clause.covered.containsAll(resource.origins) && resource.clause.projects.contains(resource.project) &&
      resource.clause.purposes.contains(resource.purpose))) };

@id("8 held")
forbid (principal, action, resource) when { resource.held };
@id("8 review")
forbid (principal, action, resource) when { resource.clause.review && !resource.held };
"""


CEDAR_CODES = {f"policy{n}": found for n, found in enumerate(re.findall(r'@id\("(\d [a-z-]+)"\)', CEDAR), 1)}
"""Cedar names policies by their place; the first is the permit."""


def plain_scope(scope: RowScope | Request) -> dict[str, Any]:
    """What is asked beside the label, as plain JSON."""
    return {
        "kind": scope.kind,
        "originator": scope.originator,
        "project": scope.project,
        "purpose": PURPOSE,
        "grants": sorted(scope.origin_grants),
    }


def plain_request(request: Request) -> dict[str, Any]:
    """A request as plain JSON; whether the record is on hold is looked up for the peers."""
    return {**plain_scope(request), "label": plain_label(request.label), "held": request.record in EPOCH.holds}


def cedar_entities(requests: Sequence[Request]) -> str:
    """Recipient, clauses and records as entities; every map is turned into the sets that Cedar asks for."""
    data = peer_data()

    def split(grades: dict[str, str], what: str) -> list[str]:
        return sorted(grade for grade, answer in grades.items() if answer == what)

    recipient = {
        "party": data["taker"],
        "giver": data["party"],
        "ends": [data["party"], data["taker"], "FGI"],
        "above": split(data["ceiling"], "fail"),
        "unmapped": split(data["ceiling"], "refer"),
        **{key: data[key] for key in ("held", "licensed", "person", "originator_grades", "originator_values")},
    }
    clauses = {
        kind: {
            **{key: row[key] for key in ("projects", "purposes", "givers", "takers", "review", "categories")},
            "above": split(row["ceiling"], "fail"),
            "unmapped": split(row["ceiling"], "refer"),
            "covered": sorted({*row["givers"], data["party"], data["taker"], "FGI"}),
        }
        for kind, row in data["clauses"].items()
    }
    records = {}
    for number, request in enumerate(requests):
        plain = plain_request(request)
        label = plain.pop("label")
        records[str(number)] = {**plain, **label, "clause": {"__entity": {"type": "Clause", "id": request.kind}}}
    rows = [("Node", NODE, recipient), *(("Clause", name, row) for name, row in clauses.items())]
    rows += [("Record", name, row) for name, row in records.items()]
    return json.dumps([{"uid": {"type": kind, "id": name}, "parents": [], "attrs": row} for kind, name, row in rows])


def cedar_request(number: int) -> dict[str, Any]:
    """The question whether the record with this number may go."""
    return {
        "principal": {"type": "Node", "id": NODE},
        "action": {"type": "Action", "id": "release"},
        "resource": {"type": "Record", "id": str(number)},
        "context": {},
    }
