"""Texts with which an instrument may begin: one for each form, with this node's party and the days of today."""

from __future__ import annotations

from datetime import UTC, datetime

from aldis.node.node import Node

__all__ = ["TEMPLATES", "begin"]

_HEAD = """\
instrument = "{form}"
id = "{id}"
title = "Say what it is about"
parties = ["{party}", "{other}"]
from = {start}
until = {end}
"""
_SHARES = """
[[clause]]
id = "1"
kinds = ["document"]  # "*": every kind
projects = [""]  # "": records without a project
purposes = ["evaluation"]
from = ["{party}"]  # who gives; leave the line out for every party
to = ["{other}"]
ceiling = {{ {policy} = "{rung}" }}
review = true  # a release officer decides each time
"""
_FREES = """
[[clause]]
id = "1"
tags = ["LIST:ENTRY"]  # such as USML:XI(c)
from = ["{party}"]
to = ["{other}"]
kinds = ["technical-data"]
provisos = ""
"""
_EVIDENCE = """\
rule = "22 CFR 126.7"

[evidence]
activity_covered = false
within_territory = false
eligible_parties = false
not_excluded_technology = false
within_value_limits = false
no_sme_manufacture_abroad = false
"""
TEMPLATES = {
    "arrangement": _HEAD + _SHARES,
    "agreement": _HEAD + _SHARES,
    "licence": _HEAD + _FREES,
    "exemption": _HEAD + _EVIDENCE + _FREES,
}
_BEGINS = {"arrangement": "pa-", "agreement": "ag-", "licence": "lic-", "exemption": "ex-"}
_YEARS = 3


def begin(form: str, node: Node, at: int) -> str:
    """The text with which one of this form begins: a person decides, at the lowest level."""
    today = datetime.fromtimestamp(at / 1000, UTC).date()
    core, partners = node.core, sorted({one.party for one in node.partners.all()} - {node.core.party})
    policy = core.policies.policy(core.config.policy)
    return TEMPLATES[form].format(
        form=form, id=node.register.suggested(f"{_BEGINS[form]}new"), party=core.party,
        other=partners[0] if partners else "XXX", start=today.isoformat(),
        end=f"{today.year + _YEARS}-12-31", policy=policy.name, rung=policy.routine,
    )  # fmt: skip
