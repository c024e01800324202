"""`aldis experiment task`, `accept`, `lend` and their like at the command line."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aldis.app import System, find_apps
from aldis.apps.experiments.entity import Decoded, Ledger, Position, Track
from aldis.apps.experiments.plot import Plot
from aldis.interfaces.cli.main import cli
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node

REL = "OFFICIAL//REL AUS/GBR"
MARKED = {
    "track": {"header": REL, "position": REL},
    **{kind: {"header": REL} for kind in ("answer", "lease", "tasking")},
}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with two paired nodes, and a track of the first."""
    folder = tmp_path_factory.mktemp("nodes")
    opened = {}
    for name, party, policy in (("aus", "AUS", "AUS"), ("gbr", "GBR", "UK")):
        config = Config(
            node=name, party=party, policy=policy, ceiling="SECRET", project="SEA",
            labels=MARKED if name == "aus" else {}, systems=[System(name="boat", address="udp://127.0.0.1:0")],
        )  # fmt: skip
        make_home(folder / name, config, now=time.time_ns() // 1_000_000)
        opened[name] = Node.open(folder / name, environment={}, apps=find_apps())
    _, reply = opened["gbr"].partners.join(opened["aus"].partners.invite("GBR"), lambda *_: True)
    assert reply is not None
    opened["aus"].partners.join(reply, lambda *_: True)
    plot = Plot(opened["aus"].context, "SEA")
    plot.take(Decoded(Track(key="mavlink:1/1@boat", position=Position(lat_deg=1, lon_deg=2)), Ledger()), "boat")
    plot.flush(opened["aus"].context.now())
    for node in opened.values():
        node.close()
    return folder, plot.id_of("track", "mavlink:1/1@boat")


def run(nodes: tuple[Path, str], *words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(nodes[0] / "aus"), "experiment", *words])
    assert result.exit_code == code, result.output
    return result


def data(nodes: tuple[Path, str], *words: str) -> Any:
    return json.loads(run(nodes, *words, "--json").stdout)


def test_a_task_is_written_listed_and_cancelled(nodes: tuple[Path, str]) -> None:
    track = nodes[1]
    made = data(nodes, "task", track, "survey", "-33.85,151.21", "--radius", "300", "--spacing", "40", "--until", "10m")
    (shown,) = [one for one in data(nodes, "tasks")["tasks"] if one["id"] == made["id"]]
    assert (shown["asker"], shown["asked"], shown["verb"], shown["state"]) == ("aus", "aus", "survey", "issued")
    assert 590_000 <= shown["until_ms"] - shown["asked_ms"] <= 600_000
    assert run(nodes, "cancel", made["id"]).stdout.startswith(f"{made['id']}  cancelled, OFFICIAL//REL AUS/GBR")
    (shown,) = [one for one in data(nodes, "tasks")["tasks"] if one["id"] == made["id"]]
    assert shown["state"] == "cancelled"
    assert "cancelled already" in run(nodes, "cancel", made["id"], code=2).stderr


def test_what_is_accepted_or_refused_is_answered_once(nodes: tuple[Path, str]) -> None:
    made = data(nodes, "task", nodes[1], "hold", "--remarks", "over the wreck")
    line = run(nodes, "accept", made["id"]).stdout
    assert " accepted, OFFICIAL//REL AUS/GBR" in line
    assert "was answered: accepted" in run(nodes, "refuse", made["id"], "--reason", "no", code=2).stderr
    other = data(nodes, "task", nodes[1], "come-home")
    run(nodes, "refuse", other["id"], "--reason", "it stays out")
    states = {one["id"]: one for one in data(nodes, "tasks")["tasks"]}
    assert states[made["id"]]["by"] == "operator"
    assert (states[other["id"]]["state"], states[other["id"]]["remarks"]) == ("refused", "it stays out")
    assert "refused: the operator refused" in run(nodes, "tasks").stdout


def test_a_system_is_lent_handed_over_and_taken_back(nodes: tuple[Path, str]) -> None:
    track = nodes[1]
    lent = run(nodes, "lend", track, "gbr", "--for", "10m", "--verbs", "go-to,hold")
    assert "lent to gbr until " in lent.stdout
    assert "gbr is not given it: `aldis" in lent.stderr, "no instrument lets it have a lease"
    again = data(nodes, "lend", track, "gbr", "--for", "1h", *(word for at in ("1,1", "1,3", "3,2") for word in
                                                             ("--within", at)))  # fmt: skip
    assert again["version"] == 2
    (shown,) = data(nodes, "leases")["leases"]
    assert (shown["holder"], shown["state"], shown["owner"]) == ("gbr", "in force", "aus")
    assert run(nodes, "take-back", track, "--reason", "needed here").stdout.count("ended: taken back") >= 1
    (shown,) = data(nodes, "leases")["leases"]
    assert (shown["state"], shown["why"], shown["remarks"]) == ("over", "taken back", "needed here")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("task", "trk-none", "hold"), "no record 'trk-none'"),
        (("task", "{track}", "go-to", "91,0"), "no place on Earth"),
        (("task", "{track}", "go-to", "here"), "'here' is no place"),
        (("task", "{track}", "fire"), "Invalid value"),
        (("task", "{track}", "hold", "--until", "soon"), "'soon' is no time"),
        (("task", "{track}", "hold", "--until", "2035-01-01T00:00"), "in no time zone"),
        (("task", "{track}", "hold", "--until", "2020-01-01T00:00Z"), "its time is over"),
        (("lend", "{track}", "usa", "--for", "10m"), "no partner 'usa'"),
        (("lend", "{track}", "gbr", "--for", "31d"), "within 30 days"),
        (("lend", "{track}", "gbr", "--for", "10m", "--verbs", "sink"), "no verb 'sink'"),
        (("lend", "{track}", "gbr", "--for", "10m", "--within", "1,1"), "3 to 64 corners"),
        (("accept", "nothing"), "no record 'nothing'"),
    ],
)
def test_what_cannot_be_is_told(nodes: tuple[Path, str], words: tuple[str, ...], told: str) -> None:
    result = run(nodes, *(word.replace("{track}", nodes[1]) for word in words), code=2)
    assert told in result.stderr
