"""Files in the browser: taken in piece by piece behind the form's token, given to who may see their portion."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import pytest
from callers import SAME, Answer, Caller
from web_scene import AUSTRALIAN, OFFICIAL, SECRET, Scene

from aldis.interfaces.web import parts as intake
from aldis.interfaces.web.download import disposition
from aldis.kernel.attachments import Attachment
from aldis.node.attachments import OPEN, Folder

Make = Callable[..., Caller]
Part = tuple[str, str | None, bytes]
_LINE = "----line-0123456789"
CONTENT = b"CONTENTWORDS soundings of the strait\n" * 40


def send(who: Caller, path: str, parts: list[Part], *, token: str | None = None, close: bool = True) -> Answer:
    first: list[Part] = [("csrf", None, (who.csrf if token is None else token).encode())] if token != "none" else []
    body = b""
    for name, file, data in [*first, *parts]:
        named = f'; filename="{file}"' if file is not None else ""
        body += f'--{_LINE}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + data + b"\r\n"
    body += f"--{_LINE}--\r\n".encode() if close else b""
    return who.ask("POST", path, body, {**SAME, "Content-Type": f"multipart/form-data; boundary={_LINE}"})


def fields(**more: str) -> list[Part]:
    given = {"kind": "document", "marking": "OFFICIAL//REL AUS/GBR", "project": "NORTHERN-WATCH"}
    given |= {"title.value": "With files"} | {name.replace("__", "."): value for name, value in more.items()}
    return [(name, None, value.encode()) for name, value in given.items()]


def uploads(made: Scene, who: str = "alice") -> int:
    return len(made.node.core.store.attachments.uploads(who))


@pytest.fixture
def hidden(made: Scene) -> str:
    """A record whose existence is low and whose files are high; its content's digest."""
    if "charts" not in made.records:
        kept = made.node.attachments.uploads
        upload = kept.begin("HIDDENNAME.csv")
        kept.append(upload.id, 0, CONTENT)
        one = kept.finish(upload.id)
        made.put("charts", {"title": ("Charts of the strait", OFFICIAL), "files": ([one], SECRET)})
    return hashlib.sha256(CONTENT).hexdigest()


def test_a_file_is_brought_in_listed_taken_away_kept_and_removed(caller: Make, made: Scene) -> None:
    alice = caller("alice", "SECRET")
    new = "/records/new?kind=document"
    alice.get(new)
    data = bytes(range(256)) * 64
    stored = send(alice, new, [*fields(), ("files.files", "träume 1.bin", data), ("files.files", "", b"")])
    assert stored.status == 303, stored.body
    place = stored.headers["location"].partition("?")[0]
    page = alice.get(place)
    found = re.search(rf'<a href="({place}/files/files/[^"]+)">träume 1.bin</a>', page.body)
    assert found and "16 KiB" in page.body and "application/octet-stream" in page.body
    form = alice.get(f"{place}/revise")
    previous = form.body.partition('name="previous" value="')[2].partition('"')[0]
    kept = form.body.partition('name="files.files" value="')[2].partition('"')[0].replace("&#34;", '"')
    typed = fields(previous=previous, title__value="Revised")
    second = send(
        alice, f"{place}/revise", [*typed, ("files.files", None, kept.encode()), ("files.files", "b.txt", b"x")]
    )
    assert second.status == 303, second.body
    page = alice.get(place)
    assert "träume 1.bin" in page.body and "b.txt" in page.body
    previous = made.node.records.own(place.rpartition("/")[2]).digest.hex()
    third = send(alice, f"{place}/revise", fields(previous=previous, title__value="Without"))
    assert third.status == 303 and "träume" not in alice.get(place).body
    assert "b.txt" in alice.get(f"{place}?version=2").body


def test_a_download_is_to_be_kept_and_never_run(caller: Make, hidden: str) -> None:
    alice = caller("alice", "SECRET")
    for name in ("HIDDENNAME.csv", hidden):
        answer = alice.get(f"/records/charts/files/files/{name}")
        assert answer.status == 200 and answer.body.encode() == CONTENT
        assert answer.headers["content-disposition"].startswith('attachment; filename="HIDDENNAME.csv";')
        assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["content-length"] == str(len(CONTENT)) and answer.headers["content-type"] == "text/csv"
    head = alice.ask("HEAD", "/records/charts/files/files/HIDDENNAME.csv", headers=SAME)
    assert head.status == 200 and head.body == ""
    assert disposition('a"b\r\nSet-Cookie: x\\é.txt').isascii()
    assert not {"\r", "\n"} & set(disposition('a"b\r\nSet-Cookie: x\\é.txt'))
    assert disposition('a"b.txt').count('"') == 2


def test_who_may_not_see_the_portion_learns_nothing_of_its_files(caller: Make, made: Scene, hidden: str) -> None:
    high, low = caller("alice", "SECRET"), caller("bob")
    assert "HIDDENNAME.csv" in high.get("/records/charts").body
    page = low.get("/records/charts")
    assert page.status == 200 and "HIDDENNAME" not in page.body and "/files/" not in page.body
    absent = low.get("/records/charts/files/files/none.csv")
    paths = ("charts/files/files/HIDDENNAME.csv", f"charts/files/files/{hidden}", "charts/files/body/HIDDENNAME.csv",
             "charts/files/files/HIDDENNAME.csv?version=1", "n0ne/files/files/HIDDENNAME.csv",
             "charts/files/files/HIDDENNAME.csv?version=x")  # fmt: skip
    for path in paths:
        answer = low.get(f"/records/{path}")
        assert answer.status == absent.status == 404, path
        assert answer.plain == absent.plain and answer.headers["content-length"] == absent.headers["content-length"]
    guest, stranger = caller("gail"), caller()
    assert guest.get("/records/charts/files/files/HIDDENNAME.csv").status == 404
    assert stranger.get("/records/charts/files/files/HIDDENNAME.csv").status == 303
    for one in (low, guest, stranger):
        assert "CONTENTWORDS" not in "".join(one.seen) and hidden not in "".join(one.seen).replace(
            f"files/{hidden}", ""
        )


def test_to_know_a_digest_is_not_to_have_its_content(caller: Make, made: Scene, hidden: str) -> None:
    bob = caller("bob")
    bob.get("/records/new?kind=document")
    held, absent = (
        send(bob, "/records/new?kind=document", [*fields(marking="OFFICIAL"), ("files.files", None, named.encode())])
        for named in (
            f'{{"digest":"{digest}","size":{len(CONTENT)},"media_type":"text/csv","name":"mine.csv"}}'
            for digest in (hidden, "0" * 64)
        )
    )
    assert held.status == absent.status == 422
    assert held.plain.replace(hidden, "0" * 64) == absent.plain


def test_what_is_not_whole_yet_is_said_under_its_marking(caller: Make, made: Scene) -> None:
    kept = made.node.attachments.uploads
    upload = kept.begin("LATENAME.txt")
    kept.append(upload.id, 0, b"late words")
    one = kept.finish(upload.id)
    made.put("late", {"title": ("Comes later", OFFICIAL), "files": ([one], AUSTRALIAN)})
    digest = bytes.fromhex(one.digest)
    with made.node.core.store.attachments._db.writing() as connection:  # as when a partner's piece has come
        connection.execute("UPDATE attachment SET source = 'gbr' WHERE digest = ?", (digest,))
        connection.execute("DELETE FROM content WHERE digest = ?", (digest,))
        connection.execute("INSERT INTO incoming VALUES ('gbr', ?, ?, 4, 'wanted', 0, '', 1)", (digest, one.size))
    alice = caller("alice", "SECRET")
    answer = alice.get("/records/late/files/files/LATENAME.txt")
    assert answer.status == 503 and "LATENAME" in answer.body and answer.banners == ["SECRET//AGAO"] * 2
    assert "4 bytes of 10 bytes so far" in alice.get("/records/late").body
    assert caller("bob").get("/records/late/files/files/LATENAME.txt").status == 404


def test_no_file_is_read_before_the_token_of_the_form(caller: Make, made: Scene) -> None:
    alice, new = caller("alice", "SECRET"), "/records/new?kind=document"
    alice.get(new)
    before, file = uploads(made), ("files.files", "late.bin", b"y" * 100_000)
    late = send(alice, new, [file, *fields()], token="none")
    assert late.status == 403 and "begin with its token" in late.body
    twice = send(alice, new, [("csrf", None, b"x"), *fields(), file])
    assert twice.status == 403
    wrong = send(
        alice, new, [*fields(title__value="KEPTTITLE"), file, ("body.value", None, b"KEPTBODY")], token="0" * 64
    )
    assert wrong.status == 409 and "KEPTTITLE" in wrong.body and "KEPTBODY" in wrong.body
    elsewhere = alice.ask("POST", new, b"", {"Sec-Fetch-Site": "cross-site", "Content-Type": "multipart/form-data"})
    assert elsewhere.status == 403
    stranger = caller()
    assert send(stranger, new, [*fields(), file]).status == 401
    assert caller("gail").get("/records").status == 200
    gail = caller("gail")
    gail.get("/records")
    assert send(gail, new, [*fields(), file], token="0" * 64).status in (404, 409)
    assert uploads(made) == before and uploads(made, "gail") == 0
    assert send(alice, "/records/parts/delete", [("sure", None, b"yes")]).status == 422


def test_a_file_that_is_refused_loses_nothing_of_what_was_typed(
    caller: Make, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, new = caller("alice", "SECRET"), "/records/new?kind=document"
    alice.get(new)
    before = uploads(made)
    bad = send(alice, new, [*fields(title__value="TYPEDTITLE"), ("files.files", "page.txt", b"<html><script>"),
                            ("body.value", None, "TYPED BODY \r\n ä".encode())])  # fmt: skip
    assert (
        bad.status in (409, 422) and "TYPEDTITLE" in bad.body and "TYPED BODY" in bad.body and uploads(made) == before
    )
    good = send(alice, new, [*fields(marking="SECRAT"), ("files.files", "good.txt", b"good")])
    assert good.status == 422 and "Keep good.txt" in good.body and "checked" in good.body
    kept = good.body.partition('name="files.files" value="')[2].partition('"')[0].replace("&#34;", '"')
    again = send(alice, new, [*fields(), ("files.files", None, kept.encode())])
    assert again.status == 303, again.body
    assert "good.txt" in alice.get(again.headers["location"]).body
    monkeypatch.setattr("aldis.node.attachments.uploads.ATTACHMENT_LIMIT", 1000)
    large = send(alice, new, [*fields(title__value="LARGETITLE"), ("files.files", "large.bin", b"z" * 5000)])
    assert large.status == 413 and "LARGETITLE" in large.body
    monkeypatch.undo()
    monkeypatch.setattr(intake, "_PASSED", 10)
    enough = send(alice, new, [*fields(title__value="EARLY"), ("files.files", "a.txt", b"<html>"),
                               ("files.files", "b.bin", b"z" * 5000)])  # fmt: skip
    assert enough.status in (409, 422) and "EARLY" in enough.body


def test_a_form_that_breaks_off_or_is_none_leaves_nothing_behind(caller: Make, made: Scene) -> None:
    alice, new = caller("alice", "SECRET"), "/records/new?kind=document"
    alice.get(new)
    before = len([one for one in made.node.core.store.attachments.uploads("alice") if one.digest is None])
    cut = send(alice, new, [*fields(), ("files.files", "cut.bin", b"z" * 5_000_000)], close=False)
    assert cut.status == 422
    for odd in (b"", b"nothing", f"--{_LINE}\r\n\r\nx\r\n--{_LINE}--\r\n".encode()):
        answer = alice.ask("POST", new, odd, {**SAME, "Content-Type": f"multipart/form-data; boundary={_LINE}"})
        assert answer.status == 422
    nameless = alice.ask("POST", new, b"x", {**SAME, "Content-Type": "multipart/form-data"})
    assert nameless.status == 422
    many = send(alice, new, [("x", None, b"")] * 600)
    assert many.status == 413
    fat = send(alice, new, [("title.value", None, b"a" * 5_000_000)])
    assert fat.status == 413
    assert len([one for one in made.node.core.store.attachments.uploads("alice") if one.digest is None]) == before
    assert before < OPEN


def test_no_more_than_a_piece_of_a_file_is_in_memory(
    caller: Make, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    write = Folder.write

    def seen(self: Folder, handle: int, offset: int, data: bytes | memoryview) -> None:
        sizes.append(len(data))
        write(self, handle, offset, data)

    monkeypatch.setattr(Folder, "write", seen)
    alice, new = caller("alice", "SECRET"), "/records/new?kind=document"
    alice.get(new)
    stored = send(alice, new, [*fields(), ("files.files", "large.bin", b"0123456789abcdef" * 1_000_000)])
    assert stored.status == 303 and sum(sizes) == 16_000_000 and max(sizes) < 5_000_000 and len(sizes) >= 4


def test_an_attachment_names_what_it_is(made: Scene, hidden: str) -> None:
    found = made.node.attachments.of(made.node.records.get("charts"))
    assert [(one.portion, one.attachment.name, one.whole) for one in found] == [("files", "HIDDENNAME.csv", True)]
    assert isinstance(found[0].attachment, Attachment)


def test_a_file_of_a_project_is_written_with_its_content(caller: Make, made: Scene) -> None:
    alice = caller("alice", "SECRET")
    made.put("charter", {"title": ("Northern watch", OFFICIAL), "purpose": ("To watch.", OFFICIAL),
                         "charter": ({"parties": ["AUS", "GBR"]}, OFFICIAL)}, kind="charter")  # fmt: skip
    add = "/workspace/NORTHERN-WATCH/add/file"
    form = alice.get(add)
    assert 'enctype="multipart/form-data"' in form.body and 'type="file"' in form.body
    given: list[Part] = [("title", None, b"Soundings"), ("marking", None, b"OFFICIAL//REL AUS/GBR")]
    none = send(alice, add, [*given, ("attached", "", b"")])
    assert none.status == 422 and "no file came" in none.body and "Soundings" in none.body
    came = send(
        alice, add, [("title", None, b"Soundings"), ("marking", None, b"SECRAT"), ("attached", "s.csv", CONTENT)]
    )
    assert came.status == 422 and "Keep the file that came" in came.body
    stored = send(alice, add, [*given, ("attached", "soundings.csv", CONTENT)])
    assert stored.status == 303, stored.body
    item = alice.get(stored.headers["location"])
    place = item.body.partition("/files/content/")[0].rpartition('"')[2] + "/files/content/soundings.csv"
    assert alice.get(place).body.encode() == CONTENT
    assert "Soundings" in alice.get("/workspace/NORTHERN-WATCH/files").body


def test_files_of_eight_mebibytes_are_imported_and_none_larger(
    caller: Make, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, place = caller("alice", "SECRET"), "/workspace/IMPORTS/import"
    made.put("imports", {"title": ("Imports", OFFICIAL), "charter": ({"parties": ["AUS", "GBR"]}, OFFICIAL)},
             kind="charter", project="IMPORTS")  # fmt: skip
    assert 'type="file"' in alice.get(place).body
    tasks = "title,details\n" + f"Chart the reef,{'x' * 9_000}\n" * 500
    shown = send(alice, place, [("text", None, b""), ("form", None, b"md"), ("files", "tasks.csv", tasks.encode())])
    assert shown.status == 200 and shown.body.count("<li>task, from tasks.csv, line") == 500, shown.body[:2000]
    kept = shown.body.partition('name="files" value="')[2].partition('"')[0].replace("&#34;", '"')
    bob = caller("bob")
    bob.get(place)
    assert "no such file was brought in" in send(bob, place, [("files", None, kept.encode())]).body
    few = send(alice, place, [("files", "few.csv", b"title\nOne\nTwo\n")])
    kept = few.body.partition('name="files" value="')[2].partition('"')[0].replace("&#34;", '"')
    written = send(alice, place, [("files", None, kept.encode()), ("sure", None, b"yes")])
    assert written.status == 303 and "Two" in alice.get("/workspace/IMPORTS/board").body
    monkeypatch.setattr("aldis.apps.workspace.imports.IMPORT_BYTES", 1 << 20)
    large = send(alice, place, [("files", "tasks.csv", tasks.encode())])
    assert large.status == 413 and "over 1 MiB together" in large.body
    odd = send(alice, place, [("files", "odd.csv", b"title\n\xff\xfe\n")])
    assert odd.status == 422 and "odd.csv is not text in UTF-8" in odd.body
    assert send(alice, place, [("text", None, b"")]).status == 422
