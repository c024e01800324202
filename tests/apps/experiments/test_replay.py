"""A recording decoded again comes to what was recorded, whatever was heard; and where it does not, that is named."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import MARKING, START_US, recorder, signer

from aldis.app import System
from aldis.apps.experiments import hearing
from aldis.apps.experiments.app import ExperimentsApp
from aldis.apps.experiments.entity import Decoded
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.nmea.synthetic import generate
from aldis.apps.experiments.gateways.registry import offered, recognise
from aldis.apps.experiments.hearing import Hearing
from aldis.apps.experiments.links.link import Piece
from aldis.apps.experiments.recorder import Message, Recorder, Source, Taps, key_text, recorded, verify
from aldis.apps.experiments.replay import Replay
from aldis.interfaces.cli.main import cli
from aldis.kernel.errors import UnknownTerm, VerificationFailed
from aldis.node.config import Config
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.testing import START, VirtualClock

PROTOCOLS = ("cot", "dis", "mavlink", "nmea0183", "nmea2000", "geojson", "csv", "tak", "tak-mesh")
HARBOUR = Path(hearing.__file__).parent / "examples" / "harbour-tracker.toml"
SAID = {name: [data for one in offered(name).specimens() for data in one.messages] for name in PROTOCOLS}


class Ear:
    """Hears pieces as a running node does, and records them."""

    def __init__(self, made: Recorder, system: str = "usv", *, protocol: str = "", played: bool = False) -> None:
        self.taps, self.source = Taps(made), Source(system, played=played)
        self.hearing = Hearing(system, played=played)
        self.offered = offered(protocol) if protocol else None

    def speaks(self, said: bytes, last: bytes) -> Offered | None:
        self.offered = self.offered or recognise(said) or recognise(last)
        return self.offered

    def hear(self, piece: Piece, at_us: int, most: int | None = None) -> Sequence[Decoded]:
        begins = not self.hearing.knows(piece.peer)
        protocol, said = self.hearing.hear(piece, at_us, self.speaks)
        if piece.data or not (begins and piece.ended):
            self.taps.native(
                self.source, MARKING, protocol, piece.data, at_us, piece.peer, begins=begins, ended=piece.ended
            )
        for one in said[:most]:
            self.taps.entity(self.source.name, MARKING, one, at_us, record=f"trk-{one.entity.key}")
        return said


def replayed(path: Path) -> Replay:
    made, found = Replay(), verify(path)
    for message in recorded(path, found.covered):
        assert made.take(message) == message
    made.end(closed=found.state == "intact")
    return made


def typed(*words: str | Path) -> Result:
    return CliRunner(env={"ALDIS_HOME": "/nowhere"}).invoke(cli, ["experiment", *map(str, words)])


@st.composite
def heard(draw: st.DrawFn) -> tuple[str, list[tuple[str, bytes, bool]]]:
    """What several peers of one system say: whole, cut, damaged, strange, and ended now and then."""
    name = draw(st.sampled_from(PROTOCOLS))
    chance = random.Random(draw(st.integers(0, 2**32)))
    pieces = []
    for _ in range(draw(st.integers(1, 40))):
        data = chance.choice(SAID[name])
        match chance.randrange(8):
            case 0:
                data = chance.randbytes(chance.randrange(40))
            case 1:
                data = data[: chance.randrange(len(data) + 1)]
            case 2:
                data = data[chance.randrange(len(data)) :] + chance.choice(SAID[name])
        pieces.append((f"10.0.0.{chance.randrange(6)}", data, not chance.randrange(6)))
    return name if draw(st.booleans()) else "", pieces


@settings(max_examples=60)
@given(heard())
def test_whatever_is_heard_decodes_again_to_the_same(said: tuple[str, list[tuple[str, bytes, bool]]]) -> None:
    messages: list[Message] = []
    protocol, pieces = said
    ear = Ear(_Kept(messages), protocol=protocol)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hearing, "_PEERS", 3)
        count = 0
        for number, (peer, data, ended) in enumerate(pieces):
            count += len(ear.hear(Piece(data, peer, ended), START_US + number * 50_000))
        made = Replay()
        assert [made.take(message) for message in messages] == messages
        made.end(closed=True)
    assert made.entities == count


class _Kept:
    """A recorder that keeps messages in memory."""

    def __init__(self, kept: list[Message]) -> None:
        self._kept, self._channels = kept, list[tuple[str, dict[str, str]]]()

    def channel(self, topic: str, _schema: object, about: dict[str, str]) -> int:
        self._channels.append((topic, about))
        return len(self._channels) - 1

    def write(self, channel: int, log_ns: int, data: bytes) -> None:
        self._kept.append(Message(*self._channels[channel], len(self._kept) + 1, log_ns, data))


def sentences(seconds: int = 3) -> Iterable[bytes]:
    return generate(seed=5, vessels=60, seconds=seconds, start_ms=START_US // 1000)


def test_what_was_said_before_it_was_recognised_is_recorded_and_replayed(tmp_path: Path) -> None:
    first = next(iter(sentences()))
    with recorder(tmp_path, signer()) as made:
        ear = Ear(made)
        assert ear.hear(Piece(b"\x00\x01 strange", "a"), START_US) == ()
        for at, part in enumerate((first[:20], first[20:])):
            said = ear.hear(Piece(part, "b"), START_US + at)
        assert said, "both halves were fed"
    found = replayed(made.segments[0])
    assert (found.pieces, found.entities) == (3, len(said))


def test_a_clock_that_is_set_back_changes_nothing(tmp_path: Path) -> None:
    with recorder(tmp_path, signer()) as made:
        ear = Ear(made, protocol="nmea0183")
        for number, line in enumerate(sentences()):
            ear.hear(Piece(line, "a"), START_US + (1 if number % 2 else -1) * number * 1_000_000)
    assert replayed(made.segments[0]).entities > 10


def test_a_mapped_protocol_is_replayed_from_the_recording_alone(tmp_path: Path) -> None:
    file, text = tmp_path / "tracker.toml", HARBOUR.read_text("utf-8")
    file.write_text(text)
    with recorder(tmp_path, signer()) as made:
        ear = Ear(made, protocol=str(file))
        ear.source = Source("usv", mapping=text)
        said = [ear.hear(Piece(data, "a"), START_US) for one in offered(str(file)).specimens() for data in one.messages]
    file.unlink()
    assert replayed(made.segments[0]).entities == sum(map(len, said)) > 0


def test_a_protocol_that_a_recording_names_is_never_a_file(tmp_path: Path) -> None:
    with recorder(tmp_path, signer()) as made:
        Taps(made).native("usv", MARKING, "/etc/passwd.toml", b"x", START_US, "a", begins=True)
    with pytest.raises(UnknownTerm, match="not known here"):
        replayed(made.segments[0])


def changed(made: Recorder, *, alter: str = "", leave: int = -1) -> None:
    """A recording whose entities were not what its bytes say, sealed all the same."""
    ear, taps = Ear(made, protocol="nmea0183"), Taps(made)
    for number, line in enumerate(sentences()):
        said = ear.hear(Piece(line, "a"), START_US + number, most=0)
        for one in said if number != leave else ():
            entity = one.entity
            if alter and number == 3:
                entity = msgspec.structs.replace(entity, key="mmsi:1") if alter == "key" else entity
            record = str(number) if alter == "record" else entity.key
            taps.entity("usv", MARKING, Decoded(entity, one.ledger), START_US + number, record=record)


@pytest.mark.parametrize(
    ("alter", "leave", "told"),
    [
        ("key", -1, r"message \d+ of /entity/usv/track.*: key was recorded as 'mmsi:1' and decodes to 'mmsi:"),
        ("", 3, r"message 4 of /native/usv says 1 more than was recorded of it"),
    ],
)
def test_the_first_difference_is_named(tmp_path: Path, alter: str, leave: int, told: str) -> None:
    with recorder(tmp_path, signer()) as made:
        changed(made, alter=alter, leave=leave)
    with pytest.raises(VerificationFailed, match=told):
        replayed(made.segments[0])
    assert typed("replay", made.segments[0]).exit_code == 4


def test_one_thing_under_two_records_is_named(tmp_path: Path) -> None:
    with recorder(tmp_path, signer()) as made:
        changed(made, alter="record")
    with pytest.raises(VerificationFailed, match="record was recorded as"):
        replayed(made.segments[0])


def test_an_entity_that_no_bytes_say_is_named(tmp_path: Path) -> None:
    with recorder(tmp_path, signer()) as made:
        ear = Ear(made, protocol="nmea0183")
        for line in sentences():
            if said := ear.hear(Piece(line, "a"), START_US):
                ear.taps.entity("usv", MARKING, said[0], START_US)
                break
    with pytest.raises(VerificationFailed, match="follows from no bytes"):
        replayed(made.segments[0])


def test_a_recording_that_was_cut_is_limited_and_one_that_went_on_decodes_from_its_new_beginning(
    tmp_path: Path,
) -> None:
    """The kill comes amid what a piece said and amid a sentence; the next run hears the same peer anew."""
    by, lines = signer(), list(sentences(4))
    with recorder(tmp_path, by) as made:
        ear = Ear(made, protocol="nmea0183")
        for number, line in enumerate(lines[:10]):
            ear.hear(Piece(line, "a"), START_US + number)
        said = ear.hear(Piece(b"".join(lines[10:20]) + lines[20][:9], "a"), START_US, most=1)
        made.flush()
    (first,) = made.segments
    raw = first.read_bytes()
    first.write_bytes(raw[: raw.index(b"aldis.close") - 13])
    with recorder(tmp_path, by) as made:
        ear = Ear(made, protocol="nmea0183")
        for number, line in enumerate(lines[20:]):
            ear.hear(Piece(line, "a"), START_US + number)
    key = ("--sealed-by", key_text(by.public))
    result = typed("replay", first, *key, "--json")
    assert (result.exit_code, json.loads(result.stdout)["complete"]) == (1, False), result.output
    assert json.loads(result.stdout)["unfinished"] == len(said) - 1 > 0
    result = typed("replay", first, *made.segments, *key, "--json")
    assert (result.exit_code, json.loads(result.stdout)["complete"]) == (1, False), "something was lost between them"
    assert json.loads(result.stdout)["entities"] > 15


def test_segments_of_a_recording_replay_as_one(tmp_path: Path) -> None:
    with recorder(tmp_path, signer(), segment_bytes=20_000, sync_ms=5) as made:
        ear = Ear(made, protocol="nmea0183")
        for number, line in enumerate(sentences(10)):
            ear.hear(Piece(line[:11], "a"), START_US + number)
            made.flush()
            ear.hear(Piece(line[11:], "a"), START_US + number)
    assert len(made.segments) > 2
    assert typed("replay", *reversed(made.segments)).exit_code == 0


def test_what_a_node_recorded_of_its_systems_replays_with_its_score(tmp_path: Path) -> None:
    labels = {"track": dict.fromkeys(("header", "position"), "OFFICIAL//REL AUS/GBR/USA")}
    config = Config(
        node="aus", party="AUS", policy="AUS", ceiling="SECRET", listen="127.0.0.1:0", project="WATCH", labels=labels,
        record=True,
    )  # fmt: skip
    make_home(tmp_path / "aus", config, now=START)
    systems = []
    for number in range(2):
        path = tmp_path / f"{number}.nmea"
        path.write_bytes(b"".join(generate(number, vessels=25 + number, seconds=1, start_ms=START)))
        systems.append(System(name=f"s{number}", address=str(path)))
    with Node.open(tmp_path / "aus", clock=VirtualClock(START), environment={}, apps={}) as node:
        asyncio.run(ExperimentsApp().run(node.context, systems))
        key = key_text(node.core.signer.public)
    (file,) = (tmp_path / "aus" / "recordings").glob("*.mcap")
    result = typed("replay", file, "--sealed-by", key, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["entities"] > 5
