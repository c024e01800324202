"""The main job, run as a person would: real processes, real sockets, real reports, and what each nation sees."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from aldis.apps.experiments.cases.findings import Cell, Mark, Reason, Verdict
from aldis.apps.experiments.gateways.nmea.synthetic import generate
from aldis.apps.experiments.recording import cached_recording, default_cache
from aldis.interfaces.demo.ending import check_out
from aldis.interfaces.demo.nations import NATIONS, Nations
from aldis.interfaces.demo.pictures import values_of
from aldis.interfaces.demo.proofs import Finding, summed
from aldis.interfaces.demo.telling import footnotes, matrix
from aldis.kernel.errors import InvalidInput
from aldis.node.node import Node

KEPT = {"sensor", "residue"}
"""What of a track stays in Australia: who heard it, and the bytes that nobody understood."""
DMA = Path(os.environ.get("ALDIS_TEST_DATA", "../shared/data")) / "ais" / "dma-stream-2010-06-11.nmea"


def run(folder: Path, *arguments: str, search: bool = False) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aldis", "demo", "--folder", str(folder), *arguments]
    command += [] if search else ["--sea-only"]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "COLUMNS": "120"}
    )


def tracks(node: Node) -> dict[str, dict[str, dict[str, Any]]]:
    found, cursor = dict[str, dict[str, dict[str, Any]]](), ""
    while True:
        page = node.records.page(kind="track", cursor=cursor, limit=200)
        found |= {row.id: values_of(row) for row in page.rows}
        if not page.next:
            return found
        cursor = page.next


def raw_bytes(node: Node) -> bytes:
    """All that a node holds of tracks, as it is stored."""
    rows = node.core.store.records.since(0, 1_000_000)
    return b"".join(part for row in rows for part in (row.header, *row.portions, *(p for p, _ in row.substitutes)))


def check_pictures(folder: Path, done: subprocess.CompletedProcess[str], *, moving: bool = False) -> dict[str, int]:
    """What every run of the demo must show, whatever it listened to; `moving` where it never ends."""
    assert done.returncode == 0, done.stderr
    assert "FAILS" not in done.stdout
    assert done.stdout.count("holds  ") == 4
    assert "3 ledgers recomputed" in done.stdout
    assert "6 ways between nodes" in done.stdout
    assert "no licence or exemption covers DSGL:6A001.a.2 from AUS to GBR" in done.stdout
    assert "What would change it: license DSGL:6A001.a.2 to GBR" in done.stdout
    nations = Nations(folder)
    with nations.open("aus") as aus, nations.open("gbr") as gbr, nations.open("usa") as usa:
        ours = tracks(aus)
        for other in (gbr, usa):
            assert tracks(other).keys() == ours.keys()
            assert not other.core.store.quarantine.all()
        for track, portions in ours.items():
            there = tracks_of(usa, track)
            assert there.keys() == portions.keys() - KEPT
            assert moving or there == {name: value for name, value in portions.items() if name not in KEPT}
        for track, portions in tracks(gbr).items():
            assert portions.keys() <= {"position", "identity", "type"}
            here, told = ours[track].get("identity"), portions.get("identity")
            assert told == here or (moving and here and told and {**told, "at": here["at"]} == here)
            if "position" in portions:
                assert portions["position"]["grid_m"] == 2000
                assert portions["position"].keys() <= {"lat_deg", "lon_deg", "at", "grid_m"}
        held = raw_bytes(gbr)
        assert b"winch" not in held
        assert b"Antenna heights" not in held
        for field in (b'"destination"', b'"speed_mps"', b'"heading_deg"', b'"nav_status"', b'"received_us"'):
            assert field not in held
        bound_for = {str(portions.get("voyage", {}).get("destination") or "") for portions in ours.values()}
        names = " ".join(
            str(portions.get("identity", {}).get("name")) for portions in ours.values()
        )  # CITY OF AMSTERDAM
        for destination in {place for place in bound_for if len(place) > 7 and place not in names}:
            assert destination.encode() not in held
        assert usa.records.get("towed-array-handling").record().portion("parts") is not None
        assert gbr.records.get("towed-array-handling").record().portion("parts") is None
        assert aus.records.get("trial-plan-comments").source == "gbr"
        return {node: len(tracks(nations_node)) for node, nations_node in zip(NATIONS, (aus, gbr, usa), strict=True)}


def tracks_of(node: Node, track: str) -> dict[str, dict[str, Any]]:
    row = node.core.store.records.get(track)
    assert row is not None
    return values_of(row)


def test_a_generated_stream_shows_each_nation_exactly_what_it_may_see(tmp_path: Path) -> None:
    stream = tmp_path / "stream.nmea"
    stream.write_bytes(b"".join(line + b"\r\n" for line in generate(7, 12, 40, 1_400_000_000_000)))
    done = run(tmp_path / "demo", "--input", str(stream), "--seconds", "3")
    assert check_pictures(tmp_path / "demo", done)["gbr"] == 12


def test_the_outcome_is_one_json_document_and_nothing_else(tmp_path: Path) -> None:
    stream = tmp_path / "stream.nmea"
    stream.write_bytes(b"".join(line + b"\r\n" for line in generate(7, 5, 30, 1_400_000_000_000)))
    done = run(tmp_path / "demo", "--input", str(stream), "--seconds", "2", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "Paired aus and gbr" in done.stderr
    assert {node: one["party"] for node, one in told["nations"].items()} == {"aus": "AUS", "gbr": "GBR", "usa": "USA"}
    counts = {node: one["counts"] for node, one in told["nations"].items()}
    assert [counts[node]["tracks"] for node in counts] == [5, 5, 5]
    assert [counts[node]["sensor"] for node in counts] == [5, 0, 0]
    seen = {node: one["vessel"] for node, one in told["nations"].items()}
    assert seen["aus"].keys() == {
        "position", "motion", "identity", "type", "status", "voyage", "sensor", "timing",
    }  # fmt: skip
    assert seen["usa"] == {name: value for name, value in seen["aus"].items() if name != "sensor"}
    assert seen["gbr"].keys() <= {"position", "identity", "type"}
    with Nations(tmp_path / "demo").open("usa") as usa:
        assert tracks_of(usa, told["vessel"]) == seen["usa"]
    assert len(told["proof"]) == 11
    assert all(one["holds"] is True and one["text"] for one in told["proof"])


def test_when_it_fails_the_nodes_and_their_logs_are_kept_and_named(tmp_path: Path) -> None:
    stream = tmp_path / "stream.nmea"
    stream.write_bytes(b"".join(generate(1, vessels=9, seconds=9, start_ms=0)))
    environment = {**os.environ, "COLUMNS": "60", "TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import sys\nif 'up' in sys.orig_argv:\n    sys.stderr.write('no power here\\n')\n    sys.exit(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "aldis", "demo", "--sea-only", "--input", str(stream), "--seconds", "1"],
        capture_output=True, text=True, timeout=120, check=False,
        env={**environment, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])},
    )  # fmt: skip
    assert done.returncode == 5
    assert "did not start" in done.stderr
    [kept] = tmp_path.glob("aldis-demo-*")
    assert f"{kept}/*/node.log" in done.stderr
    assert "no power here" in (kept / "aus" / "node.log").read_text("utf-8")


@pytest.mark.slow
def test_an_allied_search_beside_the_recorded_sea_ends_in_a_report_that_three_nations_signed(tmp_path: Path) -> None:
    if cached_recording(default_cache()) is None:
        pytest.skip("the recording is not in the cache: `make setup` fetches it")
    folder, out = tmp_path / "nations", tmp_path / "out"
    done = run(folder, "--seconds", "20", "--out", str(out), search=True)
    assert done.returncode == 0, done.stdout + done.stderr
    story = " ".join(done.stdout.split())
    assert "its position exact; withheld: sensor" in story
    for step in ("its operator accepts", "executing: it is seen to move as asked", "completed: it is seen to be there"):
        assert step in story
    assert "GBR → AUS │ its lookout (Cursor-on-Target) reports: “A vessel is" in story
    assert "│ aus: tasking │ · │ success │" in story
    assert "│ aus/radio: track │ success │" in story
    assert "24 of 24 criteria met, success" in story
    assert "signed by AUS (made) and GBR (recomputed) and USA (recomputed); verified offline: intact" in story
    with Nations(folder).open("aus") as aus, Nations(folder).open("gbr") as gbr, Nations(folder).open("usa") as usa:
        for node in (aus, gbr, usa):
            assert len(tracks(node)) == 126, "122 of the sea, raft, vessel, helicopter and lookout"
        assert b'"battery_percent"' not in raw_bytes(gbr), "what state the vessel is in is for AUS alone"
        assert b'"dead_reckoning"' not in raw_bytes(aus), "how the helicopter moves is for USA alone"
        assert b'"dead_reckoning"' in raw_bytes(usa)
    keys = [part for node in NATIONS for part in ("--sealed-by", str(out / "keys" / f"{node}.json"))]
    verify = [sys.executable, "-m", "aldis", "experiment", "verify", str(out / "report"), *keys]
    assert subprocess.run(verify, capture_output=True, timeout=60, check=False).returncode == 0
    page = out / "report" / "report.html"
    page.write_bytes(page.read_bytes().replace(b"success", b"success!", 1))
    assert subprocess.run(verify, capture_output=True, timeout=60, check=False).returncode == 4


def test_the_demo_writes_its_report_over_nothing_but_a_report_of_its_own(tmp_path: Path) -> None:
    check_out(tmp_path / "absent")
    (tmp_path / "report").mkdir()
    (tmp_path / "recordings").mkdir()
    check_out(tmp_path)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InvalidInput, match="no report of a demo"):
        check_out(tmp_path)


def test_proofs_of_one_kind_are_told_as_one_and_what_fails_by_itself() -> None:
    found = [
        Finding("a", holds=True, about="items", counts=(2,)),
        Finding("b", holds=True, about="items", counts=(3,)),
        Finding("c: 1 left, 0 arrived", holds=False, about="items", counts=(1,)),
        Finding("d", holds=True),
    ]
    told = [(one.text, one.holds) for one in summed(found)]
    assert told == [
        ("2 ways between nodes: 5 items left and arrived, each way one chain of bundles", True),
        ("c: 1 left, 0 arrived", False),
        ("d", True),
    ]


def test_the_matrix_shows_what_was_tried_and_says_why_it_fell_short() -> None:
    def cell(target: str, verdict: Verdict, *reasons: Reason) -> Cell:
        marks = (Mark(rung="fidelity", outcome="partly", reasons=reasons),) if reasons else ()
        return Cell(
            source="aus/radio", target=target, message="track", protocols=("ais", "cot"), marks=marks, verdict=verdict
        )

    cells = [
        cell("gbr/lookout", "limited success", "field dropped", "withheld by label"),
        cell("usa/usv", "success"),
        cell("aus/sea", "not tested"),
    ]
    console = Console(width=100, record=True, file=StringIO())
    console.print(matrix(cells))
    shown = " ".join(console.export_text().split())
    assert "│ aus/radio: track │ limited │ success │" in shown
    assert "aus/sea" not in shown
    assert footnotes(cells) == [
        "limited, field dropped, withheld by label: aus/radio → gbr/lookout",
        "not tested: nothing is sent to aus/sea, which have no account",
    ]


@pytest.mark.slow
def test_the_danish_stream_gives_1847_tracks_to_each_nation(tmp_path: Path) -> None:
    if not DMA.exists():
        pytest.skip(f"{DMA} is absent: set ALDIS_TEST_DATA to the folder of test data")
    done = run(tmp_path, "--input", str(DMA), "--seconds", "8")
    assert check_pictures(tmp_path, done) == {"aus": 1847, "gbr": 1847, "usa": 1847}


@pytest.mark.slow
def test_live_reports_over_udp_reach_both_partners(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stop = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not stop.is_set():
                for line in generate(3, 5, 20, int(time.time() * 1000)):
                    out.sendto(line + b"\r\n", ("127.0.0.1", port))
                    if stop.wait(0.01):
                        return

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        done = run(tmp_path, "--input", f"udp://127.0.0.1:{port}", "--seconds", "8")
    finally:
        stop.set()
        sender.join(5)
    assert check_pictures(tmp_path, done, moving=True)["usa"] == 5


def test_an_input_that_is_no_recording_is_named_with_what_to_do(tmp_path: Path) -> None:
    wrong = tmp_path / "notes.txt"
    wrong.write_text("dear diary\n" * 60)
    done = run(tmp_path / "demo", "--input", str(wrong))
    assert done.returncode == 2
    assert "notes.txt" in done.stderr
    assert "NMEA" in done.stderr
    assert "Traceback" not in done.stderr
