"""Files at the command line: attached, shown, written out again, carried, and never written over."""

from __future__ import annotations

import json
from pathlib import Path

from cli_nations import Coalition, exchange

MARKED = ("--project", "NORTHERN-WATCH", "--marking", "OFFICIAL//REL AUS/GBR/USA")
DATA = bytes(range(256)) * 5000


def put(coalition: Coalition, *more: str) -> None:
    coalition.aus.run("put", "--kind", "document", "--id", "doc", *MARKED, "--portion", "title=Doc", *more)


def test_a_file_is_attached_shown_carried_and_written_out(coalition: Coalition) -> None:
    Path("chart.bin").write_bytes(DATA)
    Path("notes.txt").write_text("notes")
    put(coalition, "--attach", "files=chart.bin", "--attach", "files=notes.txt")
    shown = coalition.aus.run("get", "doc").stdout
    assert "chart.bin  (1.2 MiB, application/octet-stream)" in shown
    assert "notes.txt  (5 bytes, text/plain)" in shown
    exchange(coalition)
    told = coalition.gbr.ask("get", "doc")["attachments"]
    assert [(one["name"], one["state"], one["held"]) for one in told] == [
        ("chart.bin", "whole", len(DATA)),
        ("notes.txt", "whole", 5),
    ]
    said = coalition.gbr.ask("get", "doc", "--attachment", "chart.bin", "-o", "british.bin")
    assert (said["file"], said["size"]) == ("british.bin", len(DATA))
    assert Path("british.bin").read_bytes() == DATA
    assert coalition.gbr.run("get", "doc", "--attachment", "notes.txt", "-o", "-").stdout == "notes"
    rows = coalition.gbr.ask("attachments", "--all")["transfers"]
    assert {(row["way"], row["partner"], row["state"]) for row in rows} >= {("from", "aus", "whole")}


def test_nothing_is_overwritten_and_a_part_is_gone_on_with(coalition: Coalition) -> None:
    Path("chart.bin").write_bytes(DATA)
    put(coalition, "--attach", "files=chart.bin")
    assert "exists already" in coalition.aus.fails(2, "get", "doc", "--attachment", "chart.bin")
    Path("out.part").write_bytes(DATA[:777])
    coalition.aus.run("get", "doc", "--attachment", "chart.bin", "-o", "out")
    assert Path("out").read_bytes() == DATA and not Path("out.part").exists()
    Path("two.part").write_bytes(b"something else")
    assert "is not the content" in coalition.aus.fails(4, "get", "doc", "--attachment", "chart.bin", "-o", "two")
    assert not Path("two").exists()
    coalition.aus.run("get", "doc", "--attachment", "chart.bin", "-o", "two")
    assert Path("two").read_bytes() == DATA


def test_whoever_may_not_have_the_portion_is_told_of_no_attachment(coalition: Coalition) -> None:
    Path("canary.txt").write_text("canary")
    put(coalition, "--attach", "files=canary.txt", "--portion-marking", "files=OFFICIAL//REL AUS/GBR")
    exchange(coalition)
    assert coalition.usa.ask("get", "doc")["attachments"] == []
    there = coalition.usa.fails(2, "get", "doc", "--attachment", "canary.txt")
    nowhere = coalition.usa.fails(2, "get", "doc", "--attachment", "nothing.txt")
    assert there.replace("canary.txt", "X") == nowhere.replace("nothing.txt", "X")
    assert "canary" not in json.dumps(coalition.usa.ask("attachments", "--all"))
    assert "no attachment" in coalition.aus.fails(2, "get", "doc", "--as", "usa", "--attachment", "canary.txt")
    assert coalition.aus.ask("get", "doc", "--as", "usa")["attachments"] == []


def test_toml_takes_files_and_a_revision_keeps_them(coalition: Coalition) -> None:
    Path("plan.pdf").write_bytes(b"%PDF-1.7 a plan")
    text = 'kind = "file"\nid = "plan"\nmarking = "OFFICIAL"\n[[portion]]\nname = "content"\nattach = "plan.pdf"\n'
    coalition.aus.run("put", coalition.aus.write("plan.toml", text))
    coalition.aus.run("put", "--revise", "plan", "--portion", "title=The plan")
    [told] = coalition.aus.ask("get", "plan")["attachments"]
    assert (told["portion"], told["name"], told["media_type"]) == ("content", "plan.pdf", "application/pdf")
    text = text.replace('"plan.pdf"', '["plan.pdf", "plan.pdf"]').replace('"plan"', '"other"')
    assert "takes one file" in coalition.aus.fails(2, "put", coalition.aus.write("two.toml", text))
    value = text.replace("attach = ", 'value = "x"\nattach = ')
    assert "one of `value`, `file` and `attach`" in coalition.aus.fails(2, "put", coalition.aus.write("v.toml", value))


def test_what_cannot_be_attached_is_said(coalition: Coalition) -> None:
    Path("script.txt").write_text("#!/bin/sh\n")
    one = ("put", "--kind", "document", *MARKED, "--portion", "title=Doc", "--attach")
    assert "is a script" in coalition.aus.fails(4, *one, "files=script.txt")
    assert "takes no files" in coalition.aus.fails(2, *one, "body=script.txt")
    coalition.aus.fails(1, *one, "files=nowhere.txt")
    coalition.aus.run(*one, "files", code=2)
    coalition.aus.run("get", "doc", "--output", "x", code=2)
    coalition.aus.fails(2, "attachments", "retry", "nothing")
