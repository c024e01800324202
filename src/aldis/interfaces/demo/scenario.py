"""What the three nations agree on and put into the demo: one arrangement, one licence, documents."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib.resources import files

from aldis.interfaces.demo.nations import Nations
from aldis.interfaces.demo.shares import PROJECT
from aldis.kernel.errors import Unavailable
from aldis.kernel.instruments import State
from aldis.kernel.labels import Label
from aldis.kernel.markings import parse
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.node import Node

__all__ = ["PACKAGE", "agree", "draft_instruments", "put_documents", "put_reply"]

PACKAGE = "towed-array-handling"
"""The technical data package that only the United States may have."""
_INSTRUMENTS = {"pa-northern-watch": ("aus", "gbr", "usa"), "lic-towed-array": ("aus", "usa")}
_AUTHOR = "programme office"
_PATIENCE_S = 60.0


def draft_instruments(nations: Nations) -> None:
    """Australia drafts both; they travel to their parties with the first bundles."""
    scenario = files("aldis.interfaces.demo") / "scenario"
    with nations.open("aus") as node:
        for name in ("northern-watch.toml", "sonar-licence.toml"):
            node.register.draft((scenario / name).read_text("utf-8"), _AUTHOR)


def agree(nations: Nations, said: Callable[[str], None]) -> None:
    """Each party signs at its own node as soon as the text has arrived there; returns when all is in force."""
    for name, parties in _INSTRUMENTS.items():
        for party in parties:
            with nations.open(party) as node:
                _wait(partial(_arrived, node, name), f"{name} at {party}")
                node.register.sign(name, _AUTHOR)
            said(f"{party} signed {name}")
    with nations.open("aus") as node:
        for name in _INSTRUMENTS:
            _wait(partial(_in_force, node, name), f"{name} in force")


def _arrived(node: Node, name: str) -> bool:
    return name in node.epochs.current().instruments.ids()


def _in_force(node: Node, name: str) -> bool:
    return node.register.status(name).state is State.IN_FORCE


def put_documents(nations: Nations) -> None:
    """Australia puts documents at several classifications, and a package under export control."""
    with nations.open("aus") as node:
        shared = _label(node, "OFFICIAL//REL AUS/GBR/USA")
        secret = _label(node, "SECRET//REL AUS/GBR/USA")
        bilateral = _label(node, "SECRET//REL AUS/GBR")
        own = _label(node, "SECRET//AGAO")
        packaged = _label(node, "PROTECTED//REL AUS/GBR/USA").narrowed(control=frozenset({"DSGL:6A001.a.2"}))
        _put(
            node,
            "trial-plan",
            "document",
            shared,
            {
                "title": (shared, "Northern Watch: trial plan"),
                "summary": (shared, "Three nations watch one strait with their own sensors and compare pictures."),
                "body": (secret, "Sensor stations are manned from 15 August; each nation keeps its own recording."),
                "annex": (bilateral, "Australian and British stations share a maintenance team."),
            },
        )
        _put(
            node,
            "station-siting",
            "document",
            shared,
            {
                "title": (shared, "Siting of receiving stations"),
                "body": (own, "Antenna heights and coverage of the Australian stations."),
            },
        )
        _put(
            node,
            PACKAGE,
            "technical-data",
            shared,
            {
                "title": (shared, "Towed array handling system"),
                "description": (packaged, "Winch loads and cable bend radii for vessels under 40 m."),
                "parts": (packaged, [{"part": "winch", "drawing": "TA-0117", "parameters": {"load": "18 kN"}}]),
            },
        )


def put_reply(nations: Nations) -> None:
    """Britain answers with a record of its own."""
    with nations.open("gbr") as node:
        label = _label(node, "OFFICIAL-SENSITIVE")
        _put(
            node,
            "trial-plan-comments",
            "document",
            label,
            {
                "title": (label, "Comments on the trial plan"),
                "body": (label, "The search area overlaps a firing practice area on 16 August: shift it by a day."),
            },
        )


def _put(node: Node, name: str, kind: str, header: Label, portions: dict[str, tuple[Label, object]]) -> None:
    node.records.put(
        Draft(
            kind=kind,
            id=name,
            originator=node.name,
            author=_AUTHOR,
            created=node.core.clock.now(),
            label=header,
            portions=[DraftPortion(portion, label, value) for portion, (label, value) in portions.items()],
            project=PROJECT,
        )
    )


def _label(node: Node, marking: str) -> Label:
    core = node.core
    return parse(core.config.policy, marking, at=core.clock.now(), policies=core.policies)


def _wait(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise Unavailable(
                f"{what} did not come about in {_PATIENCE_S:.0f} s", fix="See node.log in each node's folder"
            )
        time.sleep(0.05)
