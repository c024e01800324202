"""Inviting and joining: the file, what is refused, the settings, and others' libraries at the other end of a socket."""

from __future__ import annotations

import asyncio
import socket
import threading
import tomllib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cli_nations import Nation

from aldis.app import System
from aldis.apps.experiments.links.address import read_address
from aldis.apps.experiments.participants.listening import Heard, hear
from aldis.apps.experiments.participants.listing import listed
from aldis.apps.experiments.participants.roll import Attendance, participant_id
from aldis.interfaces.joining.home import add_system, default_markings
from aldis.interfaces.joining.invitation import ExperimentInvitation, Offering, open_invitation
from aldis.interfaces.joining.inviting import arrangement_text, covered
from aldis.interfaces.joining.missing import comparable
from aldis.kernel.errors import AldisError, InvalidInput, Unavailable
from aldis.kernel.messages import read_unverified, sign_message
from aldis.kernel.policies import builtin
from aldis.node.node import Node
from aldis.node.people import Person
from aldis.node.people.accounts import Account

SPEAKING = Path(__file__).parents[2] / "benchmarks/speaking.py"
AT = 1_790_000_000_000
PROJECT = 'project = "HARBOUR"\n'
SYSTEM = '\n[[systems]]\nname = "tak"\naddress = "cot+udp://127.0.0.1:1"\n'


def speakers() -> Any:
    """The module that others' libraries speak by; one that they warn in is theirs."""
    spec = spec_from_file_location("speaking", SPEAKING)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nation:
    monkeypatch.chdir(tmp_path)
    made = Nation("AUS", tmp_path)
    made.run("init", "AUS", "--listen", "127.0.0.1:0")
    settings = made.home / "aldis.toml"
    settings.write_text(settings.read_text() + PROJECT + SYSTEM)
    return made


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def spoken(protocol: str, port: int, module: Any) -> Iterator[None]:
    """A system that speaks while the block lasts."""
    ending = threading.Event()

    def speak() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outlet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            number = 0
            while not ending.wait(0.03):
                for message in module.SPEAKERS[protocol](number):
                    outlet.sendto(message, ("127.0.0.1", port))
                number += 1

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(10)


def listened(address: str, mapping: str = "", wait_s: float = 10) -> Heard:
    work = hear(read_address(address), mapping, wait_s=wait_s, probe_s=0.25, told=lambda _what, _count: None)
    return asyncio.run(work)


# the file


def test_an_invitation_holds_what_is_needed_to_join_and_is_signed(host: Nation) -> None:
    invited = host.ask("experiment", "invite", "NZL", "--out", "nzl.experiment")
    assert (invited["project"], invited["party"], invited["protocols"]) == ("HARBOUR", "NZL", ["cot"])
    assert len(invited["fingerprint"].split()) == 6
    data = Path("nzl.experiment").read_bytes()
    invitation, pairing, sheet = open_invitation(data)
    assert (invitation.project, invitation.party, sheet.node, sheet.party) == ("HARBOUR", "NZL", "aus", "AUS")
    assert "track" in invitation.protocols[0].takes
    assert invitation.instruments == (Path("nzl.toml").read_text(),) and pairing
    for place in range(0, len(data), max(1, len(data) // 60)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(AldisError):
            open_invitation(changed)
    with pytest.raises(InvalidInput):
        open_invitation(data + bytes(300 * 1024))


def test_an_invitation_that_another_signed_or_whose_instrument_is_of_others_is_not_believed(host: Nation) -> None:
    host.ask("experiment", "invite", "NZL", "--out", "nzl.experiment")
    claimed = read_unverified(Path("nzl.experiment").read_bytes(), ExperimentInvitation)
    other = Nation("GBR", host.folder)
    other.run("init", "GBR")
    with Node.open(other.home, environment={}) as node, pytest.raises(AldisError):
        open_invitation(sign_message(claimed, node.core.signer))
    text = claimed.instruments[0].replace("NZL", "GBR")
    with Node.open(host.home, environment={}) as node:
        swapped = msgspec.structs.replace(claimed, instruments=(text,))
        with pytest.raises(InvalidInput, match="not between its two parties"):
            open_invitation(sign_message(swapped, node.core.signer))


def test_a_protocol_in_an_invitation_that_names_a_file_opens_none(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("a canary of this machine")
    here = (Offering(str(file), "", ()), Offering("cot", "", ()), Offering("morse", "", ()))
    found, lacking = comparable(ExperimentInvitation("HARBOUR", "NZL", "", here, (), AT))
    assert [one.protocol for one in found] == ["cot"]
    assert lacking == [(str(file), "it is not known"), ("morse", "it is not known")]


def test_the_draft_in_an_invitation_can_be_drafted_and_signed(host: Nation) -> None:
    host.ask("experiment", "invite", "NZL", "--out", "nzl.experiment")
    host.run("instrument", "draft", "nzl.toml")
    with Node.open(host.home, environment={}) as node:
        assert not covered(node, "HARBOUR", "NZL", "track"), "nobody has signed it"
        assert 'projects = ["HARBOUR"]' in arrangement_text(node, "HARBOUR", "NZL")


def test_an_invitation_without_a_project_or_to_ones_own_party_is_refused(host: Nation) -> None:
    assert "own party" in host.fails(3, "experiment", "invite", "AUS")
    (host.home / "aldis.toml").write_text((host.home / "aldis.toml").read_text().replace(PROJECT, ""))
    assert "has no name" in host.fails(2, "experiment", "invite", "NZL")


# joining


def test_what_is_not_safe_is_refused_before_anything_is_made(host: Nation) -> None:
    invited = host.ask("experiment", "invite", "NZL", "--out", "nzl.experiment")
    joiner = Nation("NZL", host.folder)
    join = ("experiment", "join", "nzl.experiment", "--fingerprint", invited["fingerprint"], "--wait", "0.2")
    assert "--expose" in joiner.fails(3, *join, "--system", "udp://0.0.0.0:10110")
    assert "for NZL" in host.fails(3, *join, "--system", "udp://127.0.0.1:10110"), "the folder is of another party"
    assert not joiner.home.exists()
    wrong = "00000 00000 00000 00000 00000 00000"
    said = joiner.fails(4, *join[:4], wrong, "--system", f"udp://127.0.0.1:{free_port()}")
    assert "nothing was changed" in said
    assert joiner.ask("partner", "list")["partners"] == []


def test_silence_ends_with_what_to_do_and_what_was_done_is_taken_up_again(host: Nation) -> None:
    invited = host.ask("experiment", "invite", "NZL", "--out", "nzl.experiment")
    joiner = Nation("NZL", host.folder)
    join = ("experiment", "join", "nzl.experiment", "--fingerprint", invited["fingerprint"], "--wait", "0.2")
    address = f"udp://127.0.0.1:{free_port()}"
    said = joiner.fails(5, *join, "--system", address)
    assert f"nothing arrived at {address}" in said and "paired with aus" not in said
    reply = Path("nzl-aus.reply").read_bytes()
    again = joiner.run(*join, "--system", address, code=5)
    assert "found node nzl" in again.stdout and "paired with aus of AUS already" in again.stdout
    assert Path("nzl-aus.reply").read_bytes() == reply


def test_bytes_of_another_kind_are_told_by_what_they_look_like() -> None:
    port = free_port()

    class Web:
        SPEAKERS = {"http": lambda _number: [b"GET / HTTP/1.1\r\n\r\n"]}

    with spoken("http", port, Web), pytest.raises(InvalidInput, match="look like HTTP"):
        listened(f"udp://127.0.0.1:{port}", wait_s=0.3)
    with pytest.raises(Unavailable, match="nothing arrived"):
        listened(f"udp://127.0.0.1:{free_port()}", wait_s=0.1)


@pytest.mark.parametrize(
    ("speaks", "protocol"),
    [("cot", "cot"), ("tak", "tak-mesh"), ("nmea0183", "nmea0183"), ("dis", "dis"), ("mavlink", "mavlink")],
)
def test_what_anothers_own_library_says_is_recognised_and_passes(speaks: str, protocol: str) -> None:
    port = free_port()
    with spoken(speaks, port, speakers()):
        heard = listened(f"udp://127.0.0.1:{port}")
    assert heard.offered.protocol == protocol and heard.confidence == 1
    bad = [one for one in heard.probed.checks if one.outcome in ("fail", "warn")]
    assert not bad, bad
    assert heard.probed.kinds["track"] > 2 and heard.probed.damaged == 0


def test_a_legacy_format_is_heard_by_its_mapping_file(tmp_path: Path) -> None:
    module, port = speakers(), free_port()
    mapping = tmp_path / "harbour.toml"
    mapping.write_text(module.LEGACY)
    with spoken("legacy", port, module):
        heard = listened(f"udp://127.0.0.1:{port}", str(mapping))
    assert heard.offered.protocol == "harbour-text" and list(heard.probe.things) == [("track", "pilot:3")]
    assert heard.probed.outcome != "fail"


# settings


def test_a_system_is_written_into_settings_and_what_people_wrote_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "aldis.toml"
    ours = '# ours\nnode = "nzl"  # low\nparty = "NZL"\npolicy = "NZL"\nceiling = "UNCLASSIFIED"\n'
    path.write_text(ours + '\n[labels.track]\nheader = "X"\n')
    labels = default_markings(builtin(), "AUS", ("AUS", "NZL"), AT)
    one = System(name="pilot", address='cot+udp://127.0.0.1:1?to="', mapping="/a b.toml")
    assert add_system(tmp_path, one, 'P "1"', labels)
    text = path.read_text()
    held = tomllib.loads(text)
    assert text.startswith(ours)
    assert held["project"] == 'P "1"' and held["labels"]["track"] == {"header": "X"}
    assert held["systems"] == [{"name": "pilot", "address": one.address, "mapping": "/a b.toml"}]
    assert held["labels"]["participant"]["state"] == "OFFICIAL: Sensitive//REL AUS/NZL"
    assert not add_system(tmp_path, one, "P", labels) and path.read_text() == text
    with pytest.raises(InvalidInput, match="cannot be called"):
        add_system(tmp_path, System(name="a\nb", address="udp://127.0.0.1:2"), "P", labels)
    assert path.read_text() == text
    with pytest.raises(InvalidInput, match="with the address"):
        add_system(tmp_path, System(name="pilot", address="udp://127.0.0.1:2"), "P", labels)


@pytest.mark.parametrize("policy", ["AUS", "UK", "US", "NZL", "CAN"])
def test_default_markings_name_both_nations_and_no_other(policy: str) -> None:
    party = builtin().policy(policy).owner
    marks = default_markings(builtin(), policy, (party, "JPN"), AT)["track"]
    assert {"header", "position", "identity"} <= marks.keys()
    assert "JP" in marks["position"] and all("JP" not in mark for name, mark in marks.items() if name == "sensor")


# participants


def test_participants_are_listed_as_far_as_their_labels_allow(host: Nation) -> None:
    settings = host.home / "aldis.toml"
    settings.write_text(
        settings.read_text()
        + '\n[labels.participant]\nheader = "OFFICIAL"\nstate = "OFFICIAL"\ntraffic = "OFFICIAL"\n'
        + 'clock = "OFFICIAL: Sensitive"\n'
    )
    with Node.open(host.home, environment={}) as node:
        attendance = Attendance(node.context, System(name="tak", address="udp://127.0.0.1:1"))
        attendance.participant.hear(node.context.now(), "cot", messages=7, damaged=2)
        now = node.context.now() * 1000
        attendance.clock.one_way(now + 987_654_321, now)
        attendance.publish("HARBOUR")
        name = participant_id(node.context, "tak")
        assert {live.update.id for live in node.context.latest("participant")} == {name}
        level = {"AUS": "OFFICIAL"}
        account = Account(id="ada", name="Ada", nationality="AUS", clearance=level, projects=["HARBOUR"])
        (seen,) = listed(node.context.bound(Person(account, level)), "HARBOUR")
        assert seen.state is not None and seen.state.state == "joined" and seen.clock is None
        (whole,) = listed(node.context)
        assert whole.clock is not None and whole.clock.low_us > 900_000_000
        assert str(whole.clock.low_us) not in msgspec.json.encode(seen).decode()
        other = Account(id="bob", name="Bob", nationality="AUS", clearance=level, projects=["ELSEWHERE"])
        assert listed(node.context.bound(Person(other, level)), "HARBOUR") == []
    (one,) = host.ask("experiment", "participants")["participants"]
    assert (one["name"], one["state"]["state"], one["state"]["protocol"]) == ("aus/tak", "joined", "cot")
    assert one["traffic"]["heard"] == 7 and one["traffic"]["damaged"] == 2
    row = host.run("experiment", "participants").stdout.split("\t")
    assert row[:3] == ["aus/tak", "cot", "joined"] and row[-1].startswith(">= +987.6")


def test_partners_are_told_that_a_system_failed_and_neither_where_it_is_nor_what_it_said(host: Nation) -> None:
    with Node.open(host.home, environment={}) as node:
        attendance = Attendance(node.context, System(name="tak", address="udp://127.0.0.1:1"))
        for error in (
            Unavailable("cannot listen at udp://10.66.7.8:9, a canary"),
            InvalidInput("/home/canary/file speaks no protocol known here"),
            ValueError("canary"),
        ):
            attendance.failed(error)
            said = msgspec.json.encode(attendance.said()).decode()
            assert '"failed"' in said and '"reason"' in said
            assert "canary" not in said and "10.66" not in said
