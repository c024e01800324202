"""The slow reference, the single and the bulk decision give the same answer on every input."""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from random import Random

import numpy as np
import pytest
from release_reference import Answer, known_clauses, reference_decide
from worlds import World, make_request, make_world

from aldis.kernel.release import Decision, Request, RowScope, compile_terms, decide, verdicts

PER_WORLD = 500


def as_answer(decision: Decision) -> Answer:
    return Answer(
        verdict=decision.verdict.value,
        outcomes=tuple(int(reason.outcome) for reason in decision.reasons),
        codes=tuple(reason.code for reason in decision.reasons),
        instrument=decision.basis.instrument,
        clause=decision.basis.clause,
        purposes=decision.purposes,
        transforms=decision.transforms,
        onward=decision.onward,
        not_before=decision.not_before,
    )


def bulk_decisions(requests: list[Request], world: World, at: int) -> list[tuple[Decision, int, int]]:
    """Each request's decision, verdict number and outcomes, as the bulk gives them."""
    found: list[tuple[Decision, int, int] | None] = [None] * len(requests)
    for key in {(request.recipient, request.purpose) for request in requests}:
        rows = [n for n, request in enumerate(requests) if (request.recipient, request.purpose) == key]
        mine = [requests[n] for n in rows]
        labels = {label: n for n, label in enumerate({r.label: None for r in mine})}
        asked = [RowScope(r.kind, r.originator, r.project, r.portion, r.origin_grants) for r in mine]
        scopes = {scope: n for n, scope in enumerate(dict.fromkeys(asked))}
        answers = verdicts(
            compile_terms(world.epoch, *key, at),
            list(labels),
            list(scopes),
            np.array([labels[r.label] for r in mine]),
            np.array([scopes[scope] for scope in asked]),
            held=np.array([r.record in world.epoch.holds for r in mine]),
            approved=np.array([r.approved for r in mine]),
        )
        for place, n in enumerate(rows):
            decision = answers.decisions[int(answers.number[place])]
            found[n] = (decision, int(answers.verdict[place]), int(answers.outcomes[place]))
    return [row for row in found if row is not None]


def agree(seed: int) -> Counter[str]:
    """Decide `PER_WORLD` requests of one world in the three ways; the codes met."""
    rng = Random(seed)
    world = make_world(rng)
    at = rng.choice(world.instants)
    requests = [make_request(rng) for _ in range(PER_WORLD)]
    known, met = known_clauses(world.epoch, at), Counter[str]()
    for request, (gathered, verdict, outcomes) in zip(requests, bulk_decisions(requests, world, at), strict=True):
        expected = reference_decide(request, world.epoch, at, known)
        single = decide(request, world.epoch, at)
        assert as_answer(single) == expected, (seed, request)
        assert gathered.reasons == single.reasons, (seed, request)
        assert (gathered.verdict, gathered.basis) == (single.verdict, single.basis), (seed, request)
        assert ("permit", "refer", "refuse")[verdict] == expected.verdict
        assert outcomes == single.outcomes == sum(o << 2 * n for n, o in enumerate(expected.outcomes))
        met.update((expected.verdict, *expected.codes))
    return met


def test_reference_single_and_bulk_agree() -> None:
    met = sum((agree(seed) for seed in range(20)), Counter())
    assert met["permit"] > 1000
    assert met["refer"] > 250


@pytest.mark.slow
def test_reference_single_and_bulk_agree_on_a_million_cases() -> None:
    started, met = time.monotonic(), Counter[str]()
    worlds = 1_000_000 // PER_WORLD
    with ProcessPoolExecutor() as pool:
        for done, codes in enumerate(pool.map(agree, range(1_000_000, 1_000_000 + worlds), chunksize=10), 1):
            met += codes
            if done % 50 == 0 or done == worlds:
                cases = done * PER_WORLD
                rate = cases / (time.monotonic() - started)
                sys.stderr.write(f"\r{cases:,} of 1,000,000 agree, {rate:,.0f}/s ")
    sys.stderr.write("\n")
    assert not (missed := CODES - met.keys()), f"the cases never met {sorted(missed)}"


CODES = frozenset({
    "own-party", "originator", "originator-controlled", "unknown-label", "returned", "granted", "no-grant",
    "no-clause", "within-ceilings", "unknown-classification", "unmapped", "above-clause-ceiling",
    "above-node-ceiling", "listed", "owner", "refused", "unmarked", "by-agreement", "display-only", "not-listed",
    "nobody", "direction", "kind", "project", "purpose", "portion", "not-signed", "not-begun", "expired",
    "terminated", "not-in-force", "no-instrument", "in-force", "recipient-unknown", "recipient-suspended",
    "recipient-departed", "not-a-member", "unknown-category", "category-nobody", "category-not-permitted",
    "category-not-held", "categories-permitted", "no-categories", "no-tags", "licensed", "unlicensed",
    "evidence-missing", "no-third-party", "origin-not-covered", "concealed-origin", "onward", "origin-purpose",
    "held", "review", "downward", "no-review", "approved",
})  # fmt: skip
"""Every code that a reason may have."""
