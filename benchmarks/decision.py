"""Single release decisions with all reasons, against regorus (Rego) and cedarpy (Cedar).

The same policy and the same requests, every one with a label of its own; answers are checked equal on all of them:
the verdict and the code of every check that does not pass. What an engine is asked about is loaded into it beforehand
(regorus: `data.requests`, cedarpy: entities), which is the fastest way found for each; Aldis is called as `decide`.
Aldis keeps compiled tables (a clause by classification, a scope by kind and project), and no results.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import cedarpy
import regorus

from aldis.kernel.release import Decision, Request, decide
from benchmarks.releases import (
    AT,
    CEDAR,
    CEDAR_CODES,
    EPOCH,
    REGO,
    cedar_entities,
    cedar_request,
    codes_of,
    peer_data,
    plain_request,
    requests,
)
from benchmarks.report import median_spread, report

ROUNDS = 5
PASSES = 5
"""Of ours in a round, so that a round is long enough to time."""
Answer = tuple[str, tuple[str, ...]]


def rego_engine(asked: Sequence[Request]) -> regorus.Engine:
    engine = regorus.Engine()
    engine.add_policy("release.rego", REGO)
    engine.add_data_json(json.dumps({**peer_data(), "requests": [plain_request(request) for request in asked]}))
    return engine


def ask_rego(engine: regorus.Engine, number: int) -> object:
    engine.set_input(number)
    return engine.eval_rule("data.release.decision")


def rego_answers(answers: Sequence[Any]) -> list[Answer]:
    return [(answer["verdict"], tuple(answer["reasons"])) for answer in answers]


def cedar_answers(answers: Sequence[cedarpy.AuthzResult]) -> list[Answer]:
    found = []
    for answer in answers:
        assert not answer.diagnostics.errors, answer.diagnostics.errors
        codes = tuple(
            code[2:] for code in sorted(CEDAR_CODES[name] for name in answer.diagnostics.reasons if name != "policy0")
        )
        referred = all(code in ("unmapped", "unmarked", "concealed-origin", "review") for code in codes)
        found.append(("refuse" if not referred else "refer" if codes else "permit", codes))
    return found


def aldis_answers(answers: Sequence[Decision]) -> list[Answer]:
    return [(answer.verdict.value, codes_of(answer.reasons)) for answer in answers]


def rate(ask: Callable[[Any], object], questions: Sequence[Any], passes: int = 1) -> float:
    """Decisions a second; answers are dropped as soon as they are there."""
    started = time.perf_counter()
    for _ in range(passes):
        for question in questions:
            ask(question)
    return passes * len(questions) / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 requests instead of 20,000")
    count = 2_000 if parser.parse_args().quick else 20_000
    asked = list(requests(count))
    engine = rego_engine(asked)
    policies = cedarpy.PolicySet.from_str(CEDAR)
    entities = cedarpy.Entities.from_json_str(cedar_entities(asked))
    questions: dict[str, tuple[Callable[[Any], Any], Sequence[Any]]] = {
        "aldis": (lambda request: decide(request, EPOCH, AT), asked),
        "regorus": (lambda number: ask_rego(engine, number), range(count)),
        "cedarpy": (
            lambda question: cedarpy.is_authorized(question, policies, entities),
            [cedar_request(number) for number in range(count)],
        ),
    }
    read = {"aldis": aldis_answers, "regorus": rego_answers, "cedarpy": cedar_answers}
    answers = {name: read[name]([ask(question) for question in each]) for name, (ask, each) in questions.items()}
    expected = answers["aldis"]
    for name, given in answers.items():
        differing = [n for n in range(count) if given[n] != expected[n]]
        assert not differing, (name, len(differing), asked[differing[0]], expected[differing[0]], given[differing[0]])
    verdicts = Counter(verdict for verdict, _ in expected)
    print(f"{count:,} requests answered alike by all three: {dict(verdicts)}", file=sys.stderr)

    rates: dict[str, list[float]] = {name: [] for name in questions}
    for _ in range(ROUNDS):
        for name, (ask, each) in questions.items():
            rates[name].append(rate(ask, each, PASSES if name == "aldis" else 1))
    ours, spread = median_spread(rates["aldis"])
    for peer, target in (("regorus", 4), ("cedarpy", 16)):
        ratio = ours / median(rates[peer])
        report(f"decision-{peer}", peer, ratio, target, ratio >= target, ours, "decisions/s", spread)


if __name__ == "__main__":
    main()
