"""Bulk decisions for 1,000,000 records with all reasons, against regorus.

Rows are what a store holds: the number of an interned label, the number of a scope (kind, project, portion,
originator), and whether the record is on hold; 2,000 labels, each in the four portions of one scope. Both get the
labels and scopes beforehand and the rows as numbers. Aldis starts each round from an epoch that nothing was compiled
for, and decides every combination that occurs once; regorus decides row by row in one query, a fifth of the rows a
round. Answers (verdict, and the code of every check that does not pass) are checked equal on every row.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import regorus
from numpy.typing import NDArray

from aldis.kernel.release import VERDICTS, Verdicts, compile_terms, verdicts
from benchmarks.releases import (
    AT,
    EPOCH,
    NODE,
    PURPOSE,
    REGO,
    codes_of,
    labels,
    peer_data,
    plain_label,
    plain_scope,
    scopes,
)
from benchmarks.report import median_spread, report

ROUNDS = 5
LABELS = 2_000
SLICE = 20_000
TARGET = 100

LABEL_LIST, SCOPES = labels(LABELS), scopes()


def rows(count: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Label, scope and hold of each row; a label is met in one kind and project, in any of its portions."""
    rng = np.random.default_rng(3)
    families: dict[tuple[str, str, str, frozenset[str]], list[int]] = {}
    for number, each in enumerate(SCOPES):
        families.setdefault((each.kind, each.project, each.originator, each.origin_grants), []).append(number)
    table = np.array([family[:4] for family in families.values()])
    family = rng.integers(len(table), size=LABELS)
    label = rng.integers(LABELS, size=count, dtype=np.int32)
    scope = table[family[label], rng.integers(4, size=count)].astype(np.int32)
    return label, scope, rng.random(count) < 0.01


def decide_rows(label: NDArray[np.int32], scope: NDArray[np.int32], held: NDArray[np.bool_]) -> Verdicts:
    terms = compile_terms(replace(EPOCH), NODE, PURPOSE, AT)
    return verdicts(terms, LABEL_LIST, SCOPES, label, scope, held=held)


def worst_case() -> float:
    """Records a second where no two rows have the same label and scope."""
    number = np.arange(0, LABELS * len(SCOPES), 3)
    label, scope = number // len(SCOPES), number % len(SCOPES)
    started = time.perf_counter()
    decide_rows(label.astype(np.int32), scope.astype(np.int32), np.zeros(len(number), np.bool_))
    return len(number) / (time.perf_counter() - started)


def rego_engine() -> regorus.Engine:
    engine = regorus.Engine()
    engine.add_policy("release.rego", REGO)
    data = {"labels": [plain_label(label) for label in LABEL_LIST], "scopes": [plain_scope(scope) for scope in SCOPES]}
    engine.add_data_json(json.dumps({**peer_data(), **data}))
    return engine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="regorus decides 20,000 of the rows, not all")
    count, per_round = 1_000_000, 4_000 if parser.parse_args().quick else 200_000
    label, scope, held = rows(count)
    engine = rego_engine()
    plain: list[list[Any]] = [list(row) for row in zip(label.tolist(), scope.tolist(), held.tolist(), strict=True)]
    ours: list[float] = []
    theirs: list[float] = []
    met: Counter[str] = Counter()
    for turn in range(ROUNDS):
        started = time.perf_counter()
        found = decide_rows(label, scope, held)
        ours.append(count / (time.perf_counter() - started))
        spent = 0.0
        for first in range(turn * per_round, (turn + 1) * per_round, SLICE):
            part = plain[first : min(first + SLICE, (turn + 1) * per_round)]
            text = json.dumps(part)
            started = time.perf_counter()
            engine.set_input_json(text)
            answers = engine.eval_rule("data.release.bulk")
            spent += time.perf_counter() - started
            for row, answer in enumerate(answers, first):
                mine = found.decisions[int(found.number[row])]
                assert VERDICTS[int(found.verdict[row])].value == answer["verdict"], (row, mine, answer)
                assert list(codes_of(mine.reasons)) == answer["reasons"], (row, mine, answer)
                met[answer["verdict"]] += 1
            print(f"\r{met.total():,} rows answered alike", end="", file=sys.stderr, flush=True)
        theirs.append(per_round / spent)
    print(f": {dict(met)}; {len(found.decisions):,} combinations", file=sys.stderr)
    print(f"where every row is a combination of its own: {worst_case():,.0f} records/s", file=sys.stderr)
    rate, spread = median_spread(ours)
    ratio = rate / median(theirs)
    report("bulk-regorus", "regorus", ratio, TARGET, ratio >= TARGET, rate, "records/s", spread)


if __name__ == "__main__":
    main()
