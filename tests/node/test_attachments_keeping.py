"""Contents are kept as long as a record describes them, backed up with it, erased with it, and brought in in pieces."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from attached import ALL, bring, content, files, give, held, noise
from nations import PROJECT, Coalition
from personnel import hire, signed_in

from aldis.kernel.errors import InvalidInput, Stale, TooLarge, Unavailable, UnknownTerm
from aldis.kernel.records import Draft, DraftPortion
from aldis.node.attachments import OPEN
from aldis.node.attachments.uploads import UPLOAD_MS
from aldis.node.backup import back_up, restore
from aldis.node.checks import run_checks
from aldis.node.inquiry import verify_inquiry
from aldis.node.node import Node

MIB = 2**20
WORDS = "correct horse battery staple"


def silent(_done: int, _total: int | None) -> None: ...


def later(coalition: Coalition) -> None:
    """When no upload is kept for its own sake any more."""
    coalition.clock.at += UPLOAD_MS + 1


def check(node: Node) -> list[str]:
    return [one.cause for one in run_checks(node) if one.name == "attachments" and not one.ok]


# as long as a record describes it


def test_a_superseded_version_keeps_its_content_and_a_deleted_record_does_not(coalition: Coalition) -> None:
    old, new = noise(1000), noise(1000, 2)
    first = give(coalition, old)
    value = [bring(coalition, new, "new.bin")]
    coalition.put("aus", "doc", {"title": ("t", ALL), "files": (value, ALL)}, version=2, previous=first.digest)
    coalition.settle()
    later(coalition)
    assert coalition["aus"].attachments.tidy() == 0
    assert content(coalition, "aus", version=1) == old and content(coalition, "gbr", name="new.bin") == new
    coalition["aus"].records.delete("doc", "officer")
    coalition.settle()
    later(coalition)
    for node in ("aus", "gbr", "usa"):
        coalition[node].attachments.tidy()
        assert files(coalition, node) == []
    with pytest.raises(Unavailable, match="was removed here"):
        content(coalition, "aus", version=1)


def test_a_record_on_hold_keeps_its_content_though_it_is_deleted(coalition: Coalition) -> None:
    give(coalition, b"evidence")
    coalition["aus"].desk.hold("doc", "an inquiry")
    coalition["aus"].records.delete("doc", "officer")
    later(coalition)
    coalition["aus"].attachments.tidy()
    assert content(coalition, "aus", version=1) == b"evidence"
    coalition["aus"].desk.lift("doc", "over")
    coalition["aus"].attachments.tidy()
    assert files(coalition, "aus") == []


def test_a_content_that_another_record_describes_stays(coalition: Coalition) -> None:
    give(coalition, b"shared", "one")
    give(coalition, b"shared", "two")
    coalition.settle()
    coalition["aus"].records.delete("one", "officer")
    coalition.settle()
    later(coalition)
    for node in ("aus", "gbr"):
        coalition[node].attachments.tidy()
        assert content(coalition, node, "two") == b"shared"


def test_what_a_recall_erases_takes_its_content_along(coalition: Coalition) -> None:
    data = b"a canary in a file"
    give(coalition, data)
    coalition.settle()
    coalition["aus"].recalls.ask("doc", "wrong file", "officer")
    coalition.settle()
    gbr = coalition["gbr"]
    assert content(coalition, "gbr") == data
    gbr.recalls.comply(1, "done", "officer")
    gbr.recalls.rewrite()
    assert files(coalition, "gbr") == []
    folder = gbr.core.home.path
    assert not any(b"a canary in a file" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_file_that_the_store_does_not_know_goes_and_one_that_is_missing_is_told_of(coalition: Coalition) -> None:
    aus = coalition["aus"]
    give(coalition, b"kept")
    folder = aus.attachments.folder
    stray = folder.whole(bytes(32))
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"left by a process that was killed before the store knew")
    folder.partial("up.0123").parent.mkdir(exist_ok=True)
    folder.partial("up.0123").write_bytes(b"half")
    assert check(aus) == []
    assert aus.attachments.tidy() == 2
    assert files(coalition, "aus") == [hashlib.sha256(b"kept").hexdigest()]
    folder.whole(hashlib.sha256(b"kept").digest()).unlink()
    assert "1 content missing" in check(aus)[0]
    with pytest.raises(Unavailable, match="is missing"):
        content(coalition, "aus")


def test_doctor_tells_of_what_does_not_move(coalition: Coalition) -> None:
    give(coalition, noise(3 * MIB))
    while coalition.held("gbr", "doc") is None:
        coalition.step("aus", "gbr")
    coalition.clock.at += 3_600_001
    assert "from aus for doc waits at 0 of 3,145,728 bytes" in check(coalition["gbr"])[0]
    assert "for gbr waits at 0 of 3,145,728 bytes" in check(coalition["aus"])[0]


# backup, inquiry


def test_a_backup_holds_the_contents_and_nothing_is_removed_while_it_is_made(
    coalition: Coalition, tmp_path: Path
) -> None:
    aus = coalition["aus"]
    data = noise(3 * MIB)
    give(coalition, data)
    give(coalition, b"deleted", "gone")
    aus.records.delete("gone", "officer")
    later(coalition)
    removed: list[int] = []
    head = back_up(aus.core, aus.audit, tmp_path / "b", WORDS, lambda *_: removed.append(aus.attachments.tidy()))
    assert set(removed) == {0} and head.size > len(data)
    assert data[:64] not in (tmp_path / "b").read_bytes()
    assert aus.attachments.tidy() == 1
    coalition.shut("aus")
    (coalition.folder / "aus").rename(coalition.folder / "lost")
    restore(tmp_path / "b", coalition.folder / "aus", WORDS, silent, now=coalition.clock.at)
    coalition.open("aus")
    assert content(coalition, "aus") == data
    path = coalition["aus"].attachments.folder.whole(hashlib.sha256(data).digest())
    assert path.stat().st_mode & 0o077 == 0 and check(coalition["aus"]) == []


def test_an_inquiry_names_the_attachments_and_proves_what_became_of_them(coalition: Coalition, tmp_path: Path) -> None:
    give(coalition, b"a file")
    coalition.settle()
    digest = hashlib.sha256(b"a file").hexdigest()
    coalition["aus"].inquiry.record("doc", tmp_path / "i", "officer")
    verify_inquiry(tmp_path / "i")
    assert f"attachment plan.bin, 6 bytes, SHA-256 {digest}: whole here" in (tmp_path / "i" / "README.txt").read_text()
    assert "release done" in (tmp_path / "i" / "README.txt").read_text()
    assert f'"digest": "{digest}"' in (tmp_path / "i" / "records.json").read_text()


# uploads


def test_an_upload_goes_on_from_its_end_and_is_its_persons_alone(coalition: Coalition) -> None:
    aus, data = coalition["aus"], noise(2 * MIB)
    hire(aus, "one")
    uploads = aus.attachments.uploads
    upload = uploads.begin("map.png", "application/octet-stream", "one")
    uploads.append(upload.id, 0, data[:MIB], "one")
    coalition.open("aus")
    uploads = coalition["aus"].attachments.uploads
    assert uploads.held(upload.id, "one") == MIB
    for wrong in (0, MIB - 1, MIB + 1):
        with pytest.raises(Stale, match="begins at"):
            uploads.append(upload.id, wrong, data[MIB:], "one")
    found = []
    for id_, person in ((upload.id, "two"), (upload.id, ""), ("0" * 32, "one")):
        with pytest.raises(UnknownTerm) as refused:
            uploads.finish(id_, person)
        found.append(str(refused.value))
    assert len(set(found)) == 1
    uploads.append(upload.id, MIB, data[MIB:], "one")
    with pytest.raises(Stale, match="SHA-256"):
        uploads.finish(upload.id, "one", digest="0" * 64)
    made = uploads.finish(upload.id, "one", digest=hashlib.sha256(data).hexdigest())
    assert (made.size, made.name) == (len(data), "map.png") and uploads.finish(upload.id, "one") == made
    with pytest.raises(Stale):
        uploads.append(upload.id, len(data), b"more", "one")
    assert coalition["aus"].attachments.may_name(made, "one", [])
    assert not coalition["aus"].attachments.may_name(made, "two", [])


def test_uploads_are_few_small_and_forgotten_after_a_day(coalition: Coalition) -> None:
    uploads = coalition["aus"].attachments.uploads
    begun = [uploads.begin(f"{n}.bin", person="one") for n in range(OPEN)]
    with pytest.raises(TooLarge, match="under way already"):
        uploads.begin("more.bin", person="one")
    uploads.begin("other.bin", person="two")
    uploads.drop(begun[0].id, "one")
    uploads.append(begun[1].id, 0, b"half", "one")
    for name in ("../up", "", ".hidden", "a/b"):
        with pytest.raises(InvalidInput):
            uploads.begin(name)
    later(coalition)
    coalition["aus"].attachments.tidy()
    assert files(coalition, "aus") == [] and coalition["aus"].core.store.attachments.uploads() == []


def test_a_file_over_a_gibibyte_is_refused(coalition: Coalition, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = coalition["aus"].attachments.uploads
    upload = uploads.begin("big.bin")
    path = coalition["aus"].attachments.folder.partial(f"up.{upload.id}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(2**30 - 1)  # sparse
    with pytest.raises(TooLarge, match="at most 1,073,741,824"):
        uploads.append(upload.id, 2**30 - 1, b"xx")


def test_a_full_disk_says_so_and_nothing_is_lost(coalition: Coalition, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
    with pytest.raises(Unavailable, match="nearly full"):
        coalition["aus"].attachments.uploads.whole(io.BytesIO(b"x" * 100), "a.bin")
    monkeypatch.undo()
    give(coalition, noise(MIB))
    coalition.settle("aus")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
    coalition.settle("aus", "gbr")
    assert not held(coalition, "gbr")[0].whole
    monkeypatch.undo()
    coalition.clock.at += 60_001
    coalition.settle("aus", "gbr")
    assert content(coalition, "gbr") == noise(MIB)


def test_a_person_puts_only_what_they_brought_in_or_may_read(coalition: Coalition) -> None:
    aus = coalition["aus"]
    for who in ("one", "two"):
        hire(aus, who, roles=["originator"])
    one, two = (signed_in(aus, who, AUS="SECRET") for who in ("one", "two"))
    value = bring(coalition, b"mine", "mine.bin", person="one")

    def draft(**changes: object) -> Draft:
        portions = [DraftPortion("title", ALL, "t"), DraftPortion("files", ALL, [value])]
        given = {"kind": "document", "id": "", "originator": "aus", "author": "", "created": coalition.clock.now()}
        return Draft(**{**given, "label": ALL, "portions": portions, "project": PROJECT, **changes})  # type: ignore[arg-type]

    with pytest.raises(UnknownTerm, match="is not here"):
        aus.records.put(draft(), two)
    made = aus.records.put(draft(), one)
    again = aus.records.put(draft(sources=[made.digest]), two)
    assert again.header.author == "two"
    later(coalition)
    aus.attachments.tidy()
    aus.records.revise(made.header.id, draft(id=made.header.id), signed_in(aus, "two", AUS="SECRET"))
