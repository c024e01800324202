"""An inquiry holds all that concerns a record or partner, and verifies without the node; altered, it does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nations import Coalition, to

from aldis.kernel.encoding import unb64
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, UnknownTerm
from aldis.node.inquiry import verify_inquiry

BOTH = to("GBR", "USA")


@pytest.fixture
def told(coalition: Coalition, tmp_path: Path) -> Path:
    """What AUS tells of a record that GBR and USA were sent, in part, and were asked for."""
    coalition.put("aus", "plan", {"title": ("a plan", BOTH), "annex": ("ANNEX", to("GBR"))})
    coalition.put("aus", "other", {"title": ("UNRELATED", BOTH)})
    coalition.settle()
    coalition["aus"].recalls.ask("plan", "wrong annex", "officer")
    coalition["aus"].desk.hold("plan", "an inquiry")
    coalition.settle()
    coalition["aus"].inquiry.record("plan", tmp_path / "told", "officer")
    return tmp_path / "told"


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def test_it_holds_all_that_concerns_a_record_and_nothing_of_others(told: Path, coalition: Coalition) -> None:
    said = verify_inquiry(told)
    assert (said.records, said.releases) == (1, 2)
    [record] = read(told, "records")
    assert "ANNEX" in str(record["portions"])
    sent = {one["partner"]: sorted(part["name"] for part in one["portions"]) for one in read(told, "releases")}
    assert sent == {"gbr": ["annex", "title"], "usa": ["title"]}
    assert {one["partner"] for one in read(told, "receipts")} == {"gbr", "usa"}
    leaves = [json.loads(one["leaf"]) for one in read(told, "leaves")]
    assert {(leaf["type"], leaf["verdict"]) for leaf in leaves} >= {
        ("label", "put"), ("release", "sealed"), ("receipt", "acknowledged"), ("recall", "asked"), ("recall", "waits"),
        ("hold", "held"),
    }  # fmt: skip
    decided = {one["for"]: one["verdict"] for one in read(told, "decisions")}
    assert decided == {"gbr": "permit", "usa": "permit in part"}
    everything = b"".join(path.read_bytes() for path in told.iterdir())
    assert b"UNRELATED" not in everything
    text = (told / "README.txt").read_text()
    for word in ("plan, version 1", "to gbr", "wrong annex", "an inquiry", "acknowledged"):
        assert word in text
    aus = coalition["aus"].core
    assert verify_inquiry(told, (aus.signer.public, aus.note_signer.public)) == said
    gbr = coalition["gbr"].partners.get("aus").sheet
    assert verify_inquiry(told, (gbr.pinned, unb64(gbr.ledger_key))) == said


def _edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return edit


def _drop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    "alter",
    [
        _edit("README.txt", "to gbr", "to fra"),
        _edit("records.json", "ANNEX", "ANNEY"),
        _edit("releases.json", '"acknowledged": true', '"acknowledged": false'),
        _edit("leaves.json", "sealed", "healed"),
        _edit("decisions.json", "permit", "refuse"),
        _edit("inquiry.json", '"aus"', '"gbr"'),
        _edit("inquiry.json", '"made": 1', '"made": 2'),
        _drop("decisions.json"),
        _drop("inquiry.json"),
        _drop("inquiry.sig"),
        lambda folder: (folder / "more.txt").write_text("x"),
        lambda folder: (folder / "inquiry.sig").write_text("AAAA"),
    ],
)
def test_what_was_altered_does_not_verify(told: Path, alter: Callable[[Path], None]) -> None:
    alter(told)
    with pytest.raises(AldisError):
        verify_inquiry(told)


def test_keys_of_somebody_else_are_not_believed(told: Path, coalition: Coalition) -> None:
    gbr = coalition["gbr"].core
    with pytest.raises(NotAuthentic, match="keys that aus has"):
        verify_inquiry(told, (gbr.signer.public, gbr.note_signer.public))


def test_signing_anew_with_the_nodes_key_does_not_forge_the_ledger(told: Path, coalition: Coalition) -> None:
    """Even its maker cannot put in a leaf that is not in the ledger that was signed."""
    from aldis.kernel.encoding import b64, sha256
    from aldis.node import inquiry as module

    data = (told / "leaves.json").read_text().replace("wrong annex", "right annex").encode()
    (told / "leaves.json").write_bytes(data)
    head = json.loads((told / "inquiry.json").read_text())
    head["files"]["leaves.json"] = sha256(data).hex()
    body = json.dumps(head).encode()
    (told / "inquiry.json").write_bytes(body)
    (told / "inquiry.sig").write_text(b64(coalition["aus"].core.signer.sign(module.CONTEXT, body)))
    with pytest.raises(AldisError):
        verify_inquiry(told)


def test_what_a_partner_was_sent_and_sent_is_told_without_content(coalition: Coalition, tmp_path: Path) -> None:
    coalition.put("aus", "plan", {"title": ("CONTENT", BOTH)})
    coalition.put("gbr", "answer", {"title": ("CONTENT", to("AUS", policy="UK"))})
    coalition.settle()
    coalition["aus"].exchange.new_epoch("restored")
    coalition["aus"].inquiry.partner("GBR", tmp_path / "told", "officer")
    verify_inquiry(tmp_path / "told")
    names = {json.loads(one["header"])["id"] for one in read(tmp_path / "told", "records")}
    assert {"plan", "answer"} <= names
    assert [one["record"] for one in read(tmp_path / "told", "releases") if one["record"] == "plan"]
    assert b"CONTENT" not in b"".join(path.read_bytes() for path in (tmp_path / "told").iterdir())


def test_what_cannot_be_told_is_said(coalition: Coalition, tmp_path: Path) -> None:
    inquiry = coalition["aus"].inquiry
    with pytest.raises(UnknownTerm):
        inquiry.record("nothing", tmp_path / "told", "officer")
    with pytest.raises(UnknownTerm):
        inquiry.partner("nobody", tmp_path / "told", "officer")
    coalition.put("aus", "plan", {"title": ("CONTENT", BOTH)})
    with pytest.raises(InvalidInput, match="not empty"):
        inquiry.record("plan", tmp_path, "officer")
    with pytest.raises(InvalidInput):
        verify_inquiry(tmp_path)
    shutil.rmtree(tmp_path / "told", ignore_errors=True)
