"""Cases and cells from recordings of two nations; each way of breaking a thread is seen, with its own reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from recorded import MARKING, START_US, signer
from thread_scene import SECOND, SHIPS, Nation, Scene, edited, record_of

import aldis.apps.experiments
from aldis.apps.experiments.cases import Case, Cell, Findings, Outcome, find, read_case
from aldis.apps.experiments.entity import Decoded, Ledger, Track
from aldis.apps.experiments.gateways.registry import offered
from aldis.apps.experiments.recorder.schemas import egress_schema
from aldis.apps.experiments.recorder.taps import Source
from aldis.kernel.errors import InvalidInput, VerificationFailed
from aldis.kernel.signatures import Key

CASE = """\
case = "sea-picture"
title = "The sea picture"

[[step]]
name = "seen"
does = "sense"
who = "aus/sea"
what = "mmsi:*"
decoded_share = 0.99

[[step]]
name = "shared"
does = "share"
who = "aus/sea"
to = "gbr/tak"
of = "seen"
permitted = ["position", "motion", "identity"]
needed = ["position.lat_deg", "position.lon_deg", "identity.name"]
decoded_share = 0.99
latency_p50_s = 1
latency_p95_s = 2
age_p95_s = 4
complete_share = 0.9
error_m = 1
gospa_m = 5
names_share = 1
switches = 0
false_tracks = 0
"""


def case_of(folder: Path, text: str = CASE) -> Case:
    path = folder / "case.toml"
    path.write_text(text)
    return read_case(path)


def found_in(files: Sequence[Path], keys: Mapping[str, Key] | Key | None, *cases: Case) -> Findings:
    return find(cases, files, keys, experiment="raft", node="aus", party="AUS")


def played(folder: Path, text: str = CASE, **broken: Any) -> tuple[Outcome, Cell]:
    scene = Scene(folder, **broken)
    found = found_in(*scene.play(), case_of(folder, text))
    return found.outcomes[0], cell(found, "aus/sea", "gbr/tak")


def cell(found: Findings, source: str, target: str, message: str = "track") -> Cell:
    (one,) = [one for one in found.cells if (one.source, one.target, one.message) == (source, target, message)]
    return one


def not_met(outcome: Outcome) -> dict[str, tuple[str, ...]]:
    return {one.criterion: one.reasons for one in outcome.measures if one.met is not True}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sequence[Path], Mapping[str, Key], Case]:
    folder = tmp_path_factory.mktemp("sound")
    return *Scene(folder).play(), case_of(folder)


def test_a_thread_that_holds_is_a_success_with_evidence_for_every_number(
    sound: tuple[Sequence[Path], Mapping[str, Key], Case],
) -> None:
    files, keys, case = sound
    found = found_in(files, keys, case)
    (outcome,) = found.outcomes
    assert not_met(outcome) == {}
    assert outcome.verdict == "success"
    heads = {one.head for one in found.recordings}
    for one in outcome.measures:
        assert one.evidence, one
        assert {evidence.recording for evidence in one.evidence} <= heads
    there = cell(found, "aus/sea", "gbr/tak")
    assert there.verdict == "success"
    assert there.protocols == ("nmea0183", "cot")
    assert [mark.rung for mark in there.marks] == ["bytes", "decoded", "fidelity", "state"]
    assert "withheld by label" in there.marks[2].reasons
    assert cell(found, "gbr/tak", "aus/sea").verdict == "not tested"
    assert {"gbr/tak", "egress gbr"} <= found.scores.keys()
    assert found.marking


def test_evidence_leads_to_the_message(sound: tuple[Sequence[Path], Mapping[str, Key], Case]) -> None:
    from aldis.apps.experiments.recorder import messages, verify

    files, keys, case = sound
    found = found_in(files, keys, case)
    latency = next(one for one in found.outcomes[0].measures if one.criterion == "latency_p95_s")
    (evidence,) = latency.evidence
    path = next(path for path in files if verify(path).head == evidence.recording)
    hits = [
        one for one in messages(path, verify(path).covered)
        if (one.topic, one.sequence) == (evidence.topic, evidence.sequence)
    ]  # fmt: skip
    assert [one.log_ns // 1000 for one in hits] == [evidence.at_us]
    assert evidence.topic == "/egress/tak/track"


def test_the_order_of_files_and_cases_does_not_matter(
    sound: tuple[Sequence[Path], Mapping[str, Key], Case], tmp_path: Path
) -> None:
    files, keys, case = sound
    other = case_of(tmp_path, CASE.replace("sea-picture", "another"))
    one = found_in(files, keys, case, other)
    two = found_in([*reversed(files), files[0]], keys, other, case, case)
    assert one.canonical == two.canonical


def test_two_different_cases_of_one_name_are_refused(
    sound: tuple[Sequence[Path], Mapping[str, Key], Case], tmp_path: Path
) -> None:
    files, keys, case = sound
    with pytest.raises(InvalidInput, match="sea-picture"):
        found_in(files, keys, case, case_of(tmp_path, CASE + "\n"))


def test_a_share_that_is_dropped_is_nothing_sent(tmp_path: Path) -> None:
    outcome, one = played(tmp_path, out=lambda track: None)
    assert outcome.verdict == one.verdict == "interoperability issue"
    assert not_met(outcome) == {"arrived": ("nothing sent",)}
    assert one.marks[0].reasons == ("nothing sent",)
    assert {mark.outcome for mark in one.marks[1:]} == {"unknown"}


def test_what_left_and_did_not_arrive_is_said(tmp_path: Path) -> None:
    outcome, one = played(tmp_path, arriving=lambda track: None)
    assert not_met(outcome) == {"arrived": ("nothing arrived",)}
    assert one.marks[0].reasons == ("nothing arrived",)


def test_what_a_node_keeps_from_its_system_is_said(tmp_path: Path) -> None:
    outcome, one = played(tmp_path, shown=lambda track: None)
    assert not_met(outcome) == {"arrived": ("nothing sent",)}
    assert "did not send it on" in one.marks[0].text


def test_a_withheld_field_is_named_and_no_failure_unless_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    nameless = CASE.replace(', "identity.name"]', "]").replace("names_share = 1\n", "")
    outcome, one = played(tmp_path / "a", nameless, release=("position", "motion"))
    assert (outcome.verdict, one.verdict) == ("success", "success")
    assert "withheld by label" in one.marks[2].reasons
    assert "identity" in one.marks[2].text
    outcome, _ = played(tmp_path / "b", CASE.replace("names_share = 1\n", ""), release=("position", "motion"))
    assert outcome.verdict == "limited success"
    assert not_met(outcome) == {"needed": ("field dropped",)}


def test_a_field_that_is_not_permitted_is_an_issue_with_its_evidence(tmp_path: Path) -> None:
    text = CASE.replace('permitted = ["position", "motion", "identity"]', 'permitted = ["position", "identity.name"]')
    outcome, _ = played(tmp_path, text)
    assert outcome.verdict == "interoperability issue"
    (measure,) = [one for one in outcome.measures if one.criterion == "permitted"]
    assert measure.reasons[0] == "field not permitted"
    assert "motion" in measure.text
    assert measure.evidence[0].topic == "/egress/tak/track"


def test_a_field_beyond_what_was_released_is_an_issue_even_where_no_case_asks(tmp_path: Path) -> None:
    from aldis.apps.experiments.entity import Voyage

    leak = lambda track: msgspec.structs.replace(track, voyage=Voyage(destination="HELSINKI"))  # noqa: E731
    found = found_in(*Scene(tmp_path, shown=leak).play())
    one = cell(found, "aus/sea", "gbr/tak")
    assert one.verdict == "interoperability issue"
    assert one.marks[2].reasons == ("field not permitted",)
    assert "voyage.destination" in one.marks[2].text


def test_what_is_late_is_too_late(tmp_path: Path) -> None:
    outcome, _ = played(tmp_path, late_us=6 * SECOND, text=CASE.replace("latency_p50_s = 1\n", "latency_p50_s = 9\n"))
    assert outcome.verdict == "limited success"
    assert not_met(outcome) == {"latency_p95_s": ("too late",), "age_p95_s": ("too old",)}


def test_a_clock_that_is_ahead_is_found_and_not_taken_for_latency(tmp_path: Path) -> None:
    outcome, one = played(tmp_path, ahead_us=40 * SECOND)
    assert (outcome.verdict, one.verdict) == ("success", "success"), not_met(outcome)
    (measure,) = [one for one in outcome.measures if one.criterion == "latency_p95_s"]
    assert measure.value == pytest.approx(0.004, abs=0.002)
    assert "40.0" in measure.text


def test_what_is_held_back_on_purpose_is_named_and_lowers_no_cell(tmp_path: Path) -> None:
    class Delayed(Scene):
        def _share(self, aus: Nation, gbr: Nation, track: Track, at: int, second: int) -> None:
            super()._share(aus, gbr, track, at + 8 * SECOND, second)

    one = cell(found_in(*Delayed(tmp_path).play(), case_of(tmp_path)), "aus/sea", "gbr/tak")
    assert one.verdict == "success"
    assert "delayed by instrument" in one.marks[2].reasons


def test_times_that_cannot_be_meant_break_no_score(tmp_path: Path) -> None:
    long_ago = edited("position", at=1_400_000_000_000)
    found = found_in(*Scene(tmp_path, seconds=3, arriving=long_ago).play(), case_of(tmp_path))
    assert found.scores["gbr/tak"].instants < 10
    assert "incomplete" in found.outcomes[0].reasons


def test_bytes_that_are_no_base64_are_damage_and_no_crash(tmp_path: Path) -> None:
    class Odd(Scene):
        def more(self, aus: Nation, gbr: Nation) -> None:
            track = Track(key=record_of(f"mmsi:{SHIPS[0]}"))
            body = {"entity": track, "record": track.key, "protocol": "cot", "messages": ["%%%"]}
            about = {"tap": "egress", "name": "tak", "kind": "track", "marking": "x"}
            channel = gbr.recorder.channel("/egress/tak/track", egress_schema("track"), about)
            for number in range(20):
                gbr.recorder.write(channel, (START_US + number) * 1000, msgspec.json.encode(body))

    one = cell(found_in(*Odd(tmp_path).play()), "aus/sea", "gbr/tak")
    assert one.marks[1].reasons == ("messages damaged",)


def test_a_legacy_protocol_is_decoded_again_by_the_mapping_that_stands_in_the_recording(tmp_path: Path) -> None:
    legacy = EXAMPLES.parent / "harbour-tracker.toml"
    speaks = offered(str(legacy))
    message = next(one.messages[0] for one in speaks.specimens())
    source = Source("tower", mapping=legacy.read_text())

    class Legacy(Scene):
        def more(self, aus: Nation, gbr: Nation) -> None:
            gateway = speaks.open()
            for second in range(5):
                at = START_US + second * SECOND
                aus.taps.native(source, MARKING, gateway.protocol, message, at, "serial", begins=second == 0)
                for decoded in gateway.feed(message, at):
                    aus.taps.entity("tower", MARKING, decoded, at, record="trk-t")
                    track = msgspec.structs.replace(decoded.entity, key="trk-t")
                    sent = gateway.encode(track, at).messages
                    aus.taps.egress(
                        "mast", MARKING, track, at + 1, protocol=gateway.protocol, messages=sent, record="trk-t"
                    )
            aus.taps.native(Source("mast", mapping=legacy.read_text()), MARKING, gateway.protocol, b"", START_US, "x")

    one = cell(found_in(*Legacy(tmp_path, seconds=1).play()), "aus/tower", "aus/mast")
    assert one.marks[1].outcome == "met"
    assert one.marks[1].text.startswith("5 of 5 messages of the source")
    assert "5 of 5 reports for the target" in one.marks[1].text
    assert one.marks[2].outcome in ("met", "partly")
    assert one.protocols == (speaks.protocol, speaks.protocol)


def test_a_switched_identity_is_seen(tmp_path: Path) -> None:
    first = record_of(f"mmsi:{SHIPS[0]}")
    half = START_US // 1000 + 10_000

    def switch(track: Track) -> Track | None:
        late = track.position is not None and (track.position.at or 0) >= half
        if track.key != first or not late:
            return track
        return edited("identity", mmsi=SHIPS[1], name="SHIP 1", callsign="OJ1")(track)

    outcome, one = played(tmp_path, shown=switch)
    assert outcome.verdict == one.verdict == "interoperability issue"
    assert not_met(outcome)["switches"] == ("identity switched",)
    assert not_met(outcome)["names_share"] == ("identity switched",)
    assert one.marks[-1].reasons == ("identity switched",)


def test_a_wrong_place_is_seen_and_so_is_what_it_does_to_the_score(tmp_path: Path) -> None:
    move = edited("position", lat_deg=59.97)
    outcome, _ = played(tmp_path, arriving=move)
    assert outcome.verdict == "interoperability issue"
    assert not_met(outcome) == {"error_m": ("wrong place",), "gospa_m": ("wrong place",)}


def test_updates_that_are_missing_are_incomplete(tmp_path: Path) -> None:
    outcome, _ = played(tmp_path, lost=range(5, 10))
    assert not_met(outcome)["complete_share"] == ("incomplete",)


def test_a_link_that_is_lost_comes_back_in_time_with_all_it_had(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    text = CASE.partition("decoded_share = 0.99\nlatency")[0] + "outage_s = 3\nreturns_s = 10\nkept_share = 1\n"
    outcome, one = played(tmp_path / "a", text, lost=range(5, 10))
    assert (outcome.verdict, one.verdict) == ("success", "success"), not_met(outcome)
    outcome, one = played(tmp_path / "b", text, seconds=30, lost=range(12, 30))
    assert not_met(outcome)["returns_s"] == ("lost and not back",)
    assert outcome.verdict == one.verdict == "interoperability issue"
    assert one.marks[-1].reasons == ("lost and not back",)
    outcome, _ = played(tmp_path / "c", text)
    assert outcome.verdict == "pending"
    assert not_met(outcome) == {"returns_s": (), "kept_share": ()}


def test_damaged_messages_are_counted(tmp_path: Path) -> None:
    class Damaged(Scene):
        def more(self, aus: Nation, gbr: Nation) -> None:
            for number in range(5):
                aus.heard("sea", "nmea0183", b"!AIVDM,1,1,,A,15M67F,0*00\r\n", START_US + number)

    found = found_in(*Damaged(tmp_path).play(), case_of(tmp_path))
    assert {"decoded_share"} == not_met(found.outcomes[0]).keys()
    assert found.outcomes[0].verdict == "limited success"
    assert cell(found, "aus/sea", "gbr/tak").marks[1].reasons == ("messages damaged",)


def test_a_recording_that_is_missing_leaves_it_pending(
    sound: tuple[Sequence[Path], Mapping[str, Key], Case],
) -> None:
    files, keys, case = sound
    for gone in (0, 1):
        found = found_in([path for at, path in enumerate(files) if at != gone], keys, case)
        assert found.outcomes[0].verdict == "pending"
        assert "recording missing" in found.outcomes[0].reasons
        one = cell(found, "aus/sea", "gbr/tak")
        assert one.verdict == "pending"
        assert one.marks[0].reasons == ("recording missing",)


@pytest.mark.parametrize("cut", ["aus", "gbr"])
def test_a_recording_that_was_cut_is_at_most_a_limited_success(
    sound: tuple[Sequence[Path], Mapping[str, Key], Case], tmp_path: Path, cut: str
) -> None:
    files, keys, case = sound
    cut_files = []
    for path in files:
        raw = path.read_bytes()
        made = tmp_path / path.name
        made.write_bytes(raw[: raw.index(b"aldis.close") - 13] if path.name.startswith(cut) else raw)
        cut_files.append(made)
    found = found_in(cut_files, keys, case)
    assert found.outcomes[0].verdict == "limited success"
    assert not_met(found.outcomes[0]) == {"recording": ("recording incomplete",)}
    one = cell(found, "aus/sea", "gbr/tak")
    assert one.verdict == "limited success"
    assert "recording incomplete" in one.marks[0].reasons


def test_a_node_that_was_killed_and_went_on_recording_is_at_most_a_limited_success(tmp_path: Path) -> None:
    """The next file goes on from the last seal of the one that was never closed: what came between is not there."""
    by = signer()

    class Killed(Scene):
        def more(self, aus: Nation, gbr: Nation) -> None:
            aus.recorder.close()
            cut = aus.recorder.segments[0].read_bytes()
            aus.recorder.segments[0].write_bytes(cut[: cut.index(b"aldis.close") - 13])
            self.went_on = Nation("aus", self.folder / "aus", by).close()

        def nation(self, node: str) -> Nation:
            return Nation(node, self.folder / node, by)

    scene = Killed(tmp_path, seconds=6)
    files, _ = scene.play()
    found = found_in([*files, scene.went_on], None, case_of(tmp_path))
    assert [one.state for one in found.recordings] == ["incomplete", "intact", "intact"]
    assert found.outcomes[0].verdict == "limited success"
    assert not_met(found.outcomes[0]) == {"recording": ("recording incomplete",)}
    assert cell(found, "aus/sea", "gbr/tak").verdict == "limited success"


def test_findings_are_marked_with_all_that_recordings_hold_also_of_partners(tmp_path: Path) -> None:
    """A file's own marking is that of what its node's systems may say: what came from a partner may be above it."""
    aus = Nation("aus", tmp_path)
    said = Decoded(Track(key="trk-1"), Ledger())
    for marking in ("SECRET", "PROTECTED; OFFICIAL", MARKING):
        aus.taps.entity("node:gbr", marking, said, START_US, record="trk-1")
    found = found_in([aus.close()], None)
    assert found.marking == found.recordings[0].marking == f"OFFICIAL; PROTECTED; SECRET; {MARKING}"


def test_a_recording_that_was_altered_or_sealed_by_another_is_refused(
    sound: tuple[Sequence[Path], Mapping[str, Key], Case], tmp_path: Path
) -> None:
    files, keys, case = sound
    with pytest.raises(VerificationFailed, match="another key"):
        found_in(files, {"aus": keys["gbr"]}, case)
    with pytest.raises(VerificationFailed):
        found_in(files, keys["aus"], case)
    raw = bytearray(files[0].read_bytes())
    raw[raw.index(b"SHIP 1")] ^= 1
    changed = tmp_path / "changed.mcap"
    changed.write_bytes(raw)
    with pytest.raises(VerificationFailed, match="is not what was recorded"):
        found_in([changed, files[1]], keys, case)


def test_where_nobody_tried_nothing_was_tested(tmp_path: Path) -> None:
    outcome, one = played(tmp_path, say=False)
    assert outcome.verdict == "not tested"
    assert one.verdict == "not tested"


def test_no_recording_at_all_is_pending_for_every_case(tmp_path: Path) -> None:
    found = found_in([], None, case_of(tmp_path))
    assert found.outcomes[0].verdict == "pending"
    assert found.began_us == found.ended_us == 0


EXAMPLES = Path(aldis.apps.experiments.__file__).parent / "examples" / "cases"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_can_be_read_and_is_named_as_its_file(path: Path) -> None:
    assert read_case(path).name == path.stem


@pytest.mark.parametrize(
    ("name", "broken", "verdict"),
    [
        ("sea-picture", {}, "success"),
        ("link-lost", {"lost": range(5, 10)}, "success"),
        ("withheld-identity", {"release": ("position", "motion")}, "success"),
        ("withheld-identity", {}, "interoperability issue"),
    ],
)
def test_the_examples_judge_as_they_say(tmp_path: Path, name: str, broken: dict[str, Any], verdict: str) -> None:
    found = found_in(*Scene(tmp_path, **broken).play(), read_case(EXAMPLES / f"{name}.toml"))
    assert found.outcomes[0].verdict == verdict, not_met(found.outcomes[0])
