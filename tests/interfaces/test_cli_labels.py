"""Labels of other systems at the command line."""

from __future__ import annotations

import zipfile
from pathlib import Path

from cli_nations import Coalition

LABEL = """\
<?xml version="1.0" encoding="UTF-8"?>
<originatorConfidentialityLabel xmlns="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0">
  <ConfidentialityInformation>
    <PolicyIdentifier>AUS</PolicyIdentifier>
    <Classification>SECRET</Classification>
    <Category Type="PERMISSIVE" TagName="Releasable To">
      <GenericValue>AUS</GenericValue>
      <GenericValue>GBR</GenericValue>
    </Category>
  </ConfidentialityInformation>
  <CreationDateTime>2026-01-01T00:00:00Z</CreationDateTime>
</originatorConfidentialityLabel>
"""


def test_a_record_is_marked_with_an_xml_label(coalition: Coalition) -> None:
    file = coalition.aus.write("label.xml", LABEL)
    put = coalition.aus.ask(
        "put", "--kind", "document", "--marking", f"@{file}", "--portion", "title=Plan", "--portion", "body=Text",
        "--portion-marking", f"body=@{file}",
    )  # fmt: skip
    assert put["label"] == {"policy": "AUS", "classification": "SECRET", "releasable": ["GBR"]}


def test_an_xml_label_that_fetches_is_refused(coalition: Coalition) -> None:
    file = coalition.aus.write(
        "label.xml", LABEL.replace("<orig", '<!DOCTYPE a SYSTEM "http://example.org/">\n<orig', 1)
    )
    said = coalition.aus.fails(2, "put", "--kind", "document", "--marking", f"@{file}", "--portion", "title=Plan")
    assert "document type declaration is never read" in said


def plan(coalition: Coalition) -> str:
    put = coalition.usa.ask(
        "put", "--id", "plan", "--kind", "document", "--project", "NORTHERN-WATCH", "--marking", "UNCLASSIFIED",
        "--portion", "title=Patrol plan", "--portion", "body=First.\n\nSecond <&>.", "--portion", "annex=Map",
        "--portion-marking", "body=SECRET//REL TO USA, AUS, GBR", "--portion-marking", "annex=SECRET//REL TO USA, GBR",
    )  # fmt: skip
    assert put["id"] == "plan"
    return "plan"


def test_an_exported_record_bears_its_marks_and_its_label_beside_it(coalition: Coalition, tmp_path: Path) -> None:
    files = coalition.usa.ask("get", plan(coalition), "--export", str(tmp_path / "out"))["files"]
    text = Path(files[0]).read_text("utf-8").splitlines()
    assert [Path(file).name for file in files] == ["plan.md", "plan.md.bdo"]
    assert text[0] == text[-1] == "**SECRET//REL TO USA, GBR**"
    assert {"# (U) Patrol plan", "(S//REL TO USA, AUS, GBR) First.", "(S//REL TO USA, GBR) Map"} <= set(text)
    held = coalition.usa.ask("label", "verify", files[0])
    assert held["labels"][0]["label"] == {"policy": "US", "classification": "SECRET", "releasable": ["GBR"]}


def test_a_changed_file_no_longer_has_its_label(coalition: Coalition, tmp_path: Path) -> None:
    file = Path(coalition.usa.ask("get", plan(coalition), "--export", str(tmp_path / "out"))["files"][0])
    file.write_text(file.read_text("utf-8").replace("SECRET", "UNCLASSIFIED"), "utf-8")
    assert "plan.md is not the content that was bound" in coalition.usa.fails(4, "label", "verify", str(file))
    moved = file.rename(file.with_name("other.md"))
    assert "other.md has no label" in coalition.usa.fails(4, "label", "verify", str(moved))
    file.with_name("plan.md.bdo").rename(file.with_name("other.md.bdo"))
    assert "not of other.md" in coalition.usa.fails(4, "label", "verify", str(moved))


def test_a_signed_binding_shows_who_bound_it(coalition: Coalition, tmp_path: Path) -> None:
    usa, gbr = coalition.usa, coalition.gbr
    plan(coalition)
    for more in ((), ("--docx",)):
        file = Path(usa.ask("get", "plan", "--export", str(tmp_path / f"out{len(more)}"), *more)["files"][0])
        by_usa = ("label", "verify", str(file), "--signed-by", "usa")
        assert "is not signed" in gbr.fails(4, *by_usa)
        signature = Path(usa.ask("label", "sign", str(file))["signature"])
        assert gbr.ask(*by_usa)["signed_by"] == "usa"
        assert "does not verify" in gbr.fails(4, "label", "verify", str(file), "--signed-by", "aus")
        gbr.fails(2, "label", "verify", str(file), "--signed-by", "nobody")
        kept = signature.read_bytes()
        gbr.run("label", "sign", str(file))
        assert "does not verify" in gbr.fails(4, *by_usa)
        signature.write_bytes(kept)
        if not more:
            beside = file.with_name("plan.md.bdo")
            beside.write_text(beside.read_text("utf-8").replace("SECRET", "UNCLASSIFIED"), "utf-8")
            assert "does not verify" in gbr.fails(4, *by_usa)
            file.write_text("Other words", "utf-8")
            usa.fails(4, "label", "sign", str(file))


def test_a_word_document_holds_its_label(coalition: Coalition, tmp_path: Path) -> None:
    file = Path(coalition.usa.ask("get", plan(coalition), "--export", str(tmp_path / "out"), "--docx")["files"][0])
    assert coalition.usa.ask("label", "verify", str(file))["labels"][0]["marking"] == "SECRET//REL TO USA, GBR"
    with zipfile.ZipFile(file) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert b"SECRET//REL TO USA, GBR" in parts["word/header1.xml"]
    assert b"(S//REL TO USA, AUS, GBR) " in parts["word/document.xml"]
    changes = {
        "pack:///word/document.xml is not the content": {"word/document.xml": b"<w/>"},
        "pack:///word/comments.xml is there and not bound": {"word/comments.xml": b"<w/>"},
        "the package holds 2 bindings": {"customXml/item9.xml": parts["customXml/item1.xml"]},
        "the package holds no binding": {"customXml/item1.xml": b"<a/>"},
    }
    for told, change in changes.items():
        with zipfile.ZipFile(file, "w") as package:
            for name, data in {**parts, **change}.items():
                package.writestr(name, data)
        assert told in coalition.usa.fails(4, "label", "verify", str(file))
    file.write_bytes(b"PK")
    assert "not an Office document" in coalition.usa.fails(2, "label", "verify", str(file))


def test_an_export_says_what_it_cannot_go_with(coalition: Coalition, tmp_path: Path) -> None:
    coalition.usa.fails(2, "get", plan(coalition), "--docx")
    coalition.usa.fails(2, "get", "plan", "--export", str(tmp_path), "--as", "aus")
