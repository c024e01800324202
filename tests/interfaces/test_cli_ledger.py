"""`ledger`, `doctor`, `config`: proof and upkeep."""

from __future__ import annotations

import json
import re
from pathlib import Path

from cli_nations import Coalition, carry, put_plan

from aldis.node.node import Node


def greet(one: Path, other: Path) -> None:
    """What a running node does first: it says hello, and the partner cosigns its ledger."""
    with Node.open(one, environment={}) as caller, Node.open(other, environment={}) as called:
        call = caller.exchange.next_call(called.name)
        assert call is not None and call.operation == "greet"
        caller.exchange.answered(called.name, call, called.answer(caller.name, call.operation, call.body))


def test_verify_names_what_each_partner_cosigned(coalition: Coalition) -> None:
    aus, gbr = coalition.aus, coalition.gbr
    assert "gbr has not cosigned it yet." in aus.run("ledger", "verify").stdout
    greet(aus.home, gbr.home)
    said = aus.ask("ledger", "verify")
    partners = {one["node"]: one for one in said["partners"]}
    assert partners["gbr"]["size"] > 0 and partners["usa"]["size"] == 0
    assert "gbr cosigned it at" in aus.run("ledger", "verify").stdout
    assert {one["node"]: one["theirs"] > 0 for one in gbr.ask("ledger", "verify")["partners"]}["aus"]


def test_a_proof_is_checked_by_a_partner_offline(coalition: Coalition) -> None:
    aus, gbr = coalition.aus, coalition.gbr
    put_plan(aus)
    leaf = aus.ask("ledger", "show", "--type", "label", "--last", "1")["leaves"][0]
    aus.run("ledger", "prove", str(leaf["index"]), "-o", "leaf.proof")
    said = gbr.ask("ledger", "check", "leaf.proof")
    assert (said["node"], said["leaf"]["subject"]) == ("aus", leaf["subject"])
    assert "stands in the ledger of aus" in aus.run("ledger", "check", "leaf.proof").stdout
    assert json.loads(aus.run("ledger", "prove", "0").stdout)["index"] == 0
    proof = json.loads(Path("leaf.proof").read_text())
    proof["leaf"] = proof["leaf"].replace('"put"', '"cut"')
    Path("leaf.proof").write_text(json.dumps(proof))
    assert "do not rely on this one" in gbr.fails(4, "ledger", "check", "leaf.proof")
    Path("leaf.proof").write_text("{}")
    assert "is no proof" in gbr.fails(2, "ledger", "check", "leaf.proof")
    assert "has no leaf 99999" in aus.fails(2, "ledger", "prove", "99999")


def test_a_proof_rests_on_the_checkpoint_that_most_have_cosigned(coalition: Coalition) -> None:
    aus, gbr, usa = coalition
    said = aus.run("ledger", "prove", "0", "-o", "leaf.proof").stderr
    assert "not cosigned yet" in said and "`aldis up`" in said
    greet(aus.home, gbr.home)
    before = json.loads(aus.run("ledger", "prove", "0").stdout)["checkpoint"]
    put_plan(aus)
    assert json.loads(aus.run("ledger", "prove", "0").stdout)["checkpoint"] == before
    made = aus.ask("ledger", "prove", "0", "-o", "leaf.proof")
    assert made["cosigned"] == ["gbr"]
    assert "cosigned by gbr." in aus.run("ledger", "prove", "0").stderr
    assert usa.ask("ledger", "check", "leaf.proof")["index"] == 0
    newest = aus.ask("ledger", "show", "--last", "1")["leaves"][0]["index"]
    assert aus.ask("ledger", "prove", str(newest), "-o", "new.proof")["cosigned"] == []
    assert usa.ask("ledger", "check", "new.proof")["index"] == newest
    assert aus.ask("ledger", "prove", "0", "-o", "leaf.proof")["cosigned"] == ["gbr"]


def test_a_ledger_that_was_altered_does_not_verify(coalition: Coalition) -> None:
    aus = coalition.aus
    store = aus.home / "store.db"
    store.write_bytes(store.read_bytes().replace(b'"verdict":"invited"', b'"verdict":"invitee"'))
    said = aus.run("ledger", "verify", code=4).stderr
    assert "aldis doctor" in said
    assert re.search(r"✗ wrong +ledger ", aus.run("doctor", code=1).stdout)


def test_show_gives_the_newest_leaves_oldest_first(coalition: Coalition) -> None:
    found = coalition.aus.ask("ledger", "show", "--last", "3")["leaves"]
    indexes = [leaf["index"] for leaf in found]
    assert indexes == sorted(indexes) and len(indexes) == 3
    typed = coalition.aus.ask("ledger", "show", "--type", "partner", "--last", "100")["leaves"]
    assert {leaf["type"] for leaf in typed} == {"partner"}
    coalition.aus.fails(2, "ledger", "show", "--type", "nonsense")


def test_doctor_begins_a_new_epoch_and_everything_is_sent_again(coalition: Coalition) -> None:
    aus, gbr = coalition.aus, coalition.gbr
    put_plan(aus)
    carry(aus, gbr)
    coalition.aus.fails(2, "doctor", "--new-epoch", "nobody")
    assert aus.ask("doctor", "--new-epoch", "gbr", "--yes")["epoch"] > 1
    carry(aus, gbr)
    assert gbr.ask("get", "plan")["version"] == 1


def test_doctor_names_every_check(coalition: Coalition) -> None:
    checks = {check["name"]: check["ok"] for check in coalition.aus.ask("doctor")["checks"]}
    assert {"keys", "store", "ledger", "disk", "clock", "quarantine", "partner gbr", "partner usa"} <= checks.keys()
    assert all(ok for name, ok in checks.items() if name != "last backup") and checks["last backup"] is None


def test_doctor_counts_and_measures_as_people_do(coalition: Coalition) -> None:
    coalition.aus.run("ledger", "prove", "0")
    causes = {check["name"]: check["cause"] for check in coalition.aus.ask("doctor")["checks"]}
    assert causes["quarantine"] == "0 entries, 0 bytes of 256 MiB"
    assert "1 checkpoint, " in causes["ledger"]
    assert causes["partner gbr"].endswith(" waiting") and causes["disk"].endswith("iB free")
    with Node.open(coalition.aus.home, environment={}) as node:
        for number, size in enumerate((1, 2000, 3 * 1024 * 1024)):
            node.core.store.quarantine.add("gbr", "stale", "", bytes(size), 9, bytes([number]) * 32)
    causes = {check["name"]: check["cause"] for check in coalition.aus.ask("doctor")["checks"]}
    assert causes["quarantine"] == "3 entries, 3 MiB of 256 MiB"


def test_quarantine_is_listed_by_the_page_and_says_how_much_more_there_is(coalition: Coalition) -> None:
    aus = coalition.aus
    with Node.open(aus.home, environment={}) as node, node.core.store.transaction():
        for number in range(605):
            node.core.store.quarantine.add("gbr", "stale", "late", b"x", 9, number.to_bytes(32))
    said = aus.run("quarantine", "list", "--limit", "3").stderr
    assert "605 entries in all" in said and "quarantine list --after 3 --limit 3`" in said
    seen = list[int]()
    after: int | None = 0
    while after is not None:
        page = aus.ask("quarantine", "list", "--after", str(after), "--limit", "300")
        seen += [entry["number"] for entry in page["entries"]]
        after = page["next"]
    assert seen == list(range(1, 606))


def test_config_says_where_each_value_came_from(coalition: Coalition) -> None:
    found = coalition.aus.ask("config")
    assert found["ceiling"]["value"] == "SECRET" and found["ceiling"]["from"] == "aldis.toml"
    assert found["batch"]["from"] == "default"
    assert coalition.aus.run("config", "ceiling").stdout == "SECRET\n"
    assert "Did you mean 'ceiling'?" in coalition.aus.fails(2, "config", "cieling")
