"""The vectors of `spec/vectors/release.json`, which any implementation can run."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from release_reference import reference_decide

from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import Partner, PartnerStatus, PolicyEpoch
from aldis.kernel.instruments import Effect, Entry, Instruments, Notice, parse_instrument
from aldis.kernel.labels import decode_label
from aldis.kernel.policies import builtin
from aldis.kernel.release import Outcome, Request, decide

VECTORS = json.loads((Path(__file__).parents[2] / "spec" / "vectors" / "release.json").read_text(encoding="utf-8"))


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def read_epoch(given: dict[str, Any]) -> PolicyEpoch:
    entries = [
        Entry(
            parse_instrument(row["text"], builtin()),
            sha256(row["text"].encode()),
            row["version"],
            frozenset(row["signed"]),
        )
        for row in given["instruments"]
    ]
    notices = [
        Notice(row["instrument"], row["party"], Effect(row["effect"]), instant(row["on"]), row["version"])
        for row in given["notices"]
    ]
    partners = [
        Partner(
            node=row["node"],
            party=row["party"],
            ceiling=tuple(row["ceiling"].items()),
            categories=tuple((tag, frozenset(values)) for tag, values in row["categories"].items()),
            projects=frozenset(row["projects"]),
            status=PartnerStatus(row["status"]),
        )
        for row in given["partners"]
    ]
    instruments = Instruments(tuple(entries), tuple(notices))
    holds = frozenset(given["holds"])
    return PolicyEpoch(given["party"], given["node"], (), builtin(), instruments, tuple(partners), holds)


def read_request(given: dict[str, Any]) -> Request:
    return Request(
        **{
            **given,
            "label": decode_label(msgspec.json.encode(given["label"])),
            "origin_grants": frozenset(given["origin_grants"]),
            "created": instant(given["created"]),
        }
    )


@pytest.mark.parametrize("case", VECTORS["cases"], ids=[case["name"] for case in VECTORS["cases"]])
def test_a_vector_is_decided_as_it_says(case: dict[str, Any]) -> None:
    epoch = read_epoch({**VECTORS["epoch"], **case.get("epoch", {})})
    request = read_request({**VECTORS["request"], **case["request"]})
    at = instant(case.get("at", VECTORS["at"]))
    decision = decide(request, epoch, at)
    assert [reason.code for reason in decision.reasons] == case["codes"]
    assert decision.verdict.value == case["verdict"]
    assert (decision.basis.instrument, decision.basis.clause) == (case["instrument"], case["clause"])
    slow = reference_decide(request, epoch, at)
    assert (list(slow.codes), slow.verdict) == (case["codes"], case["verdict"])


def test_every_name_is_given_once_and_every_outcome_is_met() -> None:
    assert Counter(case["name"] for case in VECTORS["cases"]).most_common(1)[0][1] == 1
    assert {case["verdict"] for case in VECTORS["cases"]} == {"permit", "refer", "refuse"}
    assert len(Outcome) == 3
