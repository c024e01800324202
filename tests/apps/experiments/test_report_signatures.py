"""Signatures of a report: what was signed is what is there, by whom it was to be, and not a byte of it is another."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from made_findings import CASES, findings, recorded

from aldis.apps.experiments.cases.findings import Findings
from aldis.apps.experiments.report import (
    CONTEXT,
    ReportFindings,
    compare,
    join_signatures,
    sign_report,
    verify_report,
    write_report,
)
from aldis.apps.experiments.report.manifest import Sheet, Signed
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import AldisError, InvalidInput, Unavailable, VerificationFailed
from aldis.kernel.signatures import Algorithm, Key
from aldis.node.keys import NodeSigner, generate, load

AT = 1_763_900_000_000
SIGNERS = {name: load(Algorithm.ED25519, generate(Algorithm.ED25519)) for name in ("aus", "gbr", "usa")}
KEYS: Mapping[str, Key] = {name: one.public for name, one in SIGNERS.items()}
PARTIES = {"aus": "AUS", "gbr": "GBR", "usa": "USA"}


def small(**more: Any) -> Findings:
    made = findings()
    return msgspec.structs.replace(made, cells=made.cells[:1], outcomes=made.outcomes[:1], scores={}, **more)


def report(folder: Path, made: Findings | None = None, parties: Sequence[str] = ("GBR",), *, pdf: bool = False) -> Path:
    write_report(made or small(), CASES[:1] if made is None else CASES, folder, parties=parties, pdf=pdf)
    return folder


def sign(folder: Path, node: str, own: Findings | None = None, **more: Any) -> str:
    return sign_report(folder, node.upper(), node, SIGNERS[node], at_ms=AT, own=own, **more).said


def signed(folder: Path, **more: Any) -> Path:
    report(folder, **more)
    sign(folder, "aus", small())
    sign(folder, "gbr", as_received=True)
    return folder


def checked(folder: Path, keys: Any = KEYS) -> ReportFindings:
    return verify_report(folder, keys, parties=PARTIES)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signed(tmp_path_factory.mktemp("report") / "r")


def test_a_report_that_all_signed_is_intact_and_says_what_each_said(whole: Path) -> None:
    found = checked(whole)
    assert (found.verdict, found.vouched, found.wrong, found.missing) == ("intact", True, (), ())
    assert [(one.party, one.said, one.at_ms) for one in found.signatures] == [
        ("AUS", "made", AT), ("GBR", "received", AT),
    ]  # fmt: skip
    assert found.findings == small()
    assert found.otherwise == ()


def test_without_keys_nobody_vouched_and_with_another_it_is_foreign(whole: Path) -> None:
    nobody = checked(whole, None)
    assert (nobody.verdict, nobody.vouched) == ("intact", False)
    assert not checked(whole, {"aus": KEYS["aus"]}).vouched
    other = checked(whole, {**KEYS, "gbr": KEYS["usa"]})
    assert other.verdict == "foreign" and "'gbr'" in other.wrong[0]
    assert checked(whole, KEYS["usa"]).verdict == "foreign"
    assert checked(whole, [KEYS["gbr"], KEYS["aus"]]).vouched


def test_a_node_signs_for_its_own_party_alone(tmp_path: Path) -> None:
    folder = report(tmp_path / "r", parties=("GBR", "USA"))
    sign_report(folder, "USA", "gbr", SIGNERS["gbr"], at_ms=AT, as_received=True)
    assert checked(folder).verdict == "foreign"
    with pytest.raises(VerificationFailed):
        sign(folder, "aus", small(), keys=KEYS, parties=PARTIES)


def test_a_party_that_has_not_signed_is_missed_also_where_its_signature_was_taken_away(tmp_path: Path) -> None:
    folder = report(tmp_path / "r")
    assert checked(folder).missing == ("AUS", "GBR") and not checked(folder).vouched
    sign(folder, "aus", small())
    one = (folder / "signatures.json").read_bytes()
    assert (checked(folder).verdict, checked(folder).missing) == ("incomplete", ("GBR",))
    sign(folder, "gbr", as_received=True)
    assert checked(folder).verdict == "intact"
    (folder / "signatures.json").write_bytes(one)
    assert checked(folder).verdict == "incomplete"


def test_only_those_who_are_to_sign_do_and_once(tmp_path: Path) -> None:
    folder = signed(tmp_path / "r")
    for node in ("usa", "gbr"):
        with pytest.raises(InvalidInput):
            sign(folder, node, as_received=True)
    sheet = Sheet.read((folder / "signatures.json").read_bytes())
    extra = msgspec.structs.replace(sheet.signatures[0].statement, party="USA")
    forged = msgspec.structs.replace(
        sheet, signatures=(*sheet.signatures, Signed.of(sheet.manifest, extra, SIGNERS["usa"]))
    )
    (folder / "signatures.json").write_bytes(forged.canonical)
    assert checked(folder).verdict == "altered"


def flipped(folder: Path, path: Path, at: int, mask: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= mask
    path.write_bytes(data)
    assert checked(folder).verdict in ("altered", "foreign"), (path.name, at, mask)


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def every_byte(folder: Path, places: Callable[[int], Any], chance: random.Random) -> int:
    count = 0
    for path in files_of(folder):
        data = path.read_bytes()
        for at in places(len(data)):
            flipped(folder, path, at, 1 << chance.randrange(8))
            count += 1
        path.write_bytes(data)
    return count


def test_a_byte_that_changes_anywhere_is_found(tmp_path: Path) -> None:
    folder, chance = signed(tmp_path / "r"), random.Random(4)
    assert every_byte(folder, lambda size: chance.sample(range(size), min(size, 40)), chance) > 100
    assert checked(folder).verdict == "intact"


@pytest.mark.slow
def test_every_byte_of_every_file_is_held(tmp_path: Path) -> None:
    made = small(recordings=())
    chance = random.Random(5)
    folder = report(tmp_path / "r", msgspec.structs.replace(made, cells=(), outcomes=()), ())
    sign(folder, "aus", as_received=True)
    sizes = {path: path.stat().st_size for path in files_of(folder)}
    assert every_byte(folder, range, chance) == sum(sizes.values())
    sheet = folder / "signatures.json"
    data = sheet.read_bytes()
    for at in range(len(data)):
        sheet.write_bytes(data[:at] + data[at + 1 :])
        assert checked(folder).verdict in ("altered", "foreign"), at
    sheet.write_bytes(data)
    pdf = signed(tmp_path / "pdf", pdf=True)
    assert every_byte(pdf, lambda size: chance.sample(range(size), min(size, 60)), chance) > 200


def added(folder: Path) -> None:
    (folder / "note.txt").write_text("x")


def hidden(folder: Path) -> None:
    (folder / "cases" / ".x").write_text("")


def removed(folder: Path) -> None:
    (folder / "report.html").unlink()


def renamed(folder: Path) -> None:
    case = next((folder / "cases").iterdir())
    case.rename(case.with_name("01-other.toml"))


def linked(folder: Path) -> None:
    page = folder / "report.html"
    page.rename(folder.parent / "page.html")
    page.symlink_to(folder.parent / "page.html")


def folder_added(folder: Path) -> None:
    (folder / "empty").mkdir()


def longer(folder: Path) -> None:
    with (folder / "findings.json").open("ab") as file:
        file.write(b"\n")


def oversize(folder: Path) -> None:
    with (folder / "report.html").open("r+b") as file:
        file.truncate(2**33)


def piped(folder: Path) -> None:
    (folder / "findings.json").unlink()
    os.mkfifo(folder / "findings.json")


def sheet_longer(folder: Path) -> None:
    with (folder / "signatures.json").open("ab") as file:
        file.write(b" ")


def sheet_oversize(folder: Path) -> None:
    with (folder / "signatures.json").open("r+b") as file:
        file.truncate(2**33)


def key_twice(folder: Path) -> None:
    path = folder / "signatures.json"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"party":"GBR"', b'"party":"AUS","party":"GBR"'))
    assert path.read_bytes() != data


def indented(folder: Path) -> None:
    path = folder / "signatures.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))


def swapped(folder: Path) -> None:
    path = folder / "signatures.json"
    sheet = Sheet.read(path.read_bytes())
    path.write_bytes(msgspec.structs.replace(sheet, signatures=sheet.signatures[::-1]).canonical)


def twice(folder: Path) -> None:
    path = folder / "signatures.json"
    sheet = Sheet.read(path.read_bytes())
    path.write_bytes(msgspec.structs.replace(sheet, signatures=(sheet.signatures[0], *sheet.signatures)).canonical)


def crossed(folder: Path) -> None:
    path = folder / "signatures.json"
    sheet = Sheet.read(path.read_bytes())
    one, two = sheet.signatures
    both = (Signed(one.statement, two.signature), Signed(two.statement, one.signature))
    path.write_bytes(msgspec.structs.replace(sheet, signatures=both).canonical)


def fewer_parties(folder: Path) -> None:
    path = folder / "signatures.json"
    sheet = Sheet.read(path.read_bytes())
    manifest = msgspec.structs.replace(sheet.manifest, parties=("AUS",))
    path.write_bytes(Sheet(manifest=manifest, signatures=sheet.signatures[:1]).canonical)


def named(folder: Path, **names: str) -> None:
    path = folder / "signatures.json"
    sheet = Sheet.read(path.read_bytes())
    said = msgspec.structs.replace(sheet.signatures[1].statement, **(names or {"node": "gbr\nintact"}))
    again = (sheet.signatures[0], Signed.of(sheet.manifest, said, SIGNERS["gbr"]))
    path.write_bytes(msgspec.structs.replace(sheet, signatures=again).canonical)


def other_heads(folder: Path) -> None:
    named(folder, recordings=("x",))  # type: ignore[arg-type]


def nested(folder: Path) -> None:
    (folder / "signatures.json").write_bytes(b"[" * 1_000_000)


def outside(folder: Path) -> None:
    path = folder / "signatures.json"
    path.write_bytes(path.read_bytes().replace(b"report.html", b"../../x.htm"))


@pytest.mark.parametrize(
    "change",
    [added, hidden, removed, renamed, linked, folder_added, longer, oversize, piped, sheet_longer, sheet_oversize,
     key_twice, indented, swapped, twice, crossed, fewer_parties, named, other_heads, nested, outside],
)  # fmt: skip
def test_whatever_else_is_done_to_the_folder_is_found(whole: Path, tmp_path: Path, change: Any) -> None:
    folder = tmp_path / "r"
    shutil.copytree(whole, folder)
    assert checked(folder).verdict == "intact"
    change(folder)
    found = checked(folder)
    assert found.verdict == "altered" and found.wrong, found
    with pytest.raises(AldisError):
        sign(folder, "usa", as_received=True)


def test_a_signature_is_good_for_nothing_else(whole: Path) -> None:
    sheet = Sheet.read((whole / "signatures.json").read_bytes())
    one = sheet.signatures[0]
    with pytest.raises(AldisError):
        one.check(msgspec.structs.replace(sheet.manifest, experiment="another"))
    later = msgspec.structs.replace(one.statement, at_ms=AT + 1)
    with pytest.raises(AldisError):
        Signed(later, one.signature).check(sheet.manifest)
    assert CONTEXT == b"aldis/report/1"


@pytest.mark.parametrize("algorithm", [Algorithm.P384, Algorithm.HYBRID])
def test_every_algorithm_signs(tmp_path: Path, algorithm: Algorithm) -> None:
    folder, by = report(tmp_path / "r", parties=()), load(algorithm, generate(algorithm))
    sign_report(folder, "AUS", "aus", by, at_ms=AT, own=small())
    assert verify_report(folder, {"aus": by.public}).vouched


# what is said


def test_who_came_to_the_same_says_so_and_who_did_not_look_does_not(tmp_path: Path) -> None:
    names = tuple(PARTIES.values())
    folder = report(tmp_path / "r", parties=names)
    with pytest.raises(InvalidInput, match="as-received"):
        sign(folder, "gbr")
    assert sign(folder, "gbr", small(node="gbr", party="GBR", experiment="x")) == "recomputed"
    assert sign(folder, "usa", small(recordings=(recorded("usa", "c" * 64),))) == "agreed"
    assert sign(folder, "aus", as_received=True) == "received"
    by = {one.party: one for one in checked(folder).signatures}
    assert by["USA"].recordings == ("c" * 64,) and by["AUS"].recordings == ()


def test_who_came_to_another_verdict_does_not_sign_that_it_agrees(tmp_path: Path) -> None:
    folder, made = report(tmp_path / "r", findings()), findings()
    cells = (msgspec.structs.replace(made.cells[0], verdict="interoperability issue"), *made.cells[1:])
    with pytest.raises(VerificationFailed, match="aus/usv to gbr/tak, track: 'success' in the report"):
        sign(folder, "gbr", msgspec.structs.replace(made, cells=cells, recordings=()))
    nothing = msgspec.structs.replace(made, cells=(), outcomes=(), recordings=())
    with pytest.raises(VerificationFailed, match="nothing of the report was judged"):
        sign(folder, "gbr", nothing)
    assert sign(folder, "gbr", as_received=True) == "received"


def test_the_same_recordings_that_come_to_other_findings_contradict_a_report() -> None:
    made = small()
    assert compare(made, small(node="x", party="X", experiment="other")).same
    other = compare(made, small(ended_us=1))
    assert not other.same and other.differs == ("the same recordings come to other findings here",)
    assert compare(made, small(recordings=())).differs == ()


def test_a_page_that_says_other_than_the_findings_is_noticed_before_one_agrees(tmp_path: Path) -> None:
    folder = report(tmp_path / "r")
    sheet = Sheet.read((folder / "signatures.json").read_bytes())
    page = folder / "report.html"
    page.write_bytes(page.read_bytes().replace(b"interoperability issue", b"success"))
    data = page.read_bytes()
    files = tuple(
        msgspec.structs.replace(one, size=len(data), sha256=sha256(data).hex()) if one.path == "report.html" else one
        for one in sheet.manifest.files
    )
    manifest = msgspec.structs.replace(sheet.manifest, files=files)
    (folder / "signatures.json").write_bytes(Sheet(manifest=manifest).canonical)
    assert checked(folder).otherwise == ("report.html",)
    with pytest.raises(VerificationFailed, match=r"makes another report\.html"):
        sign(folder, "gbr", small())


# how it is written


def test_an_earlier_report_stays_and_another_is_not_written_over_it(tmp_path: Path) -> None:
    folder = signed(tmp_path / "r")
    before = {path: path.read_bytes() for path in files_of(folder)}
    report(folder)
    with pytest.raises(InvalidInput, match="another report"):
        report(folder, findings())
    other = tmp_path / "other"
    other.mkdir()
    (other / "x").write_text("x")
    with pytest.raises(InvalidInput, match="is there already"):
        report(other)
    assert {path: path.read_bytes() for path in files_of(folder)} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "r"]


def test_what_was_left_unfinished_is_made_anew(tmp_path: Path) -> None:
    left = tmp_path / ".r.unfinished"
    (left / "cases").mkdir(parents=True)
    (left / "cases" / "x").write_text("half")
    (left / "report.html").write_text("half")
    (tmp_path / ".r.signatures.json.unfinished").write_text("half")
    assert checked(signed(tmp_path / "r")).verdict == "intact"
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_two_do_not_work_on_one_folder(tmp_path: Path) -> None:
    from aldis.apps.experiments.report.folder import held

    folder = report(tmp_path / "r")
    with held(folder), pytest.raises(Unavailable):
        sign(folder, "aus", small())


def test_signatures_of_copies_come_together(tmp_path: Path) -> None:
    one = report(tmp_path / "one")
    two = tmp_path / "two"
    shutil.copytree(one, two)
    sign(one, "aus", small())
    sign(two, "gbr", as_received=True)
    assert join_signatures(one, two) == ("GBR",)
    assert join_signatures(one, two) == ()
    assert checked(one).verdict == "intact"
    with pytest.raises(VerificationFailed, match="another report"):
        join_signatures(one, report(tmp_path / "three", findings()))


def test_no_report_at_all_is_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InvalidInput, match="no folder of a report"):
            verify_report(path)
    link = tmp_path / "link"
    link.symlink_to(report(tmp_path / "r"))
    with pytest.raises(InvalidInput):
        verify_report(link)
    assert isinstance(SIGNERS["aus"], NodeSigner)
