"""The invariants notice what they are there for: each is broken by hand, and must say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from coalition_scenes import allied, document, label, put_documents

from aldis.kernel.errors import VerificationFailed
from aldis.kernel.records import make_record
from aldis.node.store import Cursor
from aldis.testing import (
    Broken,
    Coalition,
    Hostile,
    check_all,
    check_arrived,
    check_audience,
    check_exactly_once,
    check_history,
    check_ledgers,
    check_prefix,
    check_stores,
)


@pytest.fixture
def coalition() -> Iterator[Coalition]:
    with allied() as made:
        put_documents(made)
        made.settle()
        check_all(made)
        yield made


def sql(coalition: Coalition, node: str, statement: str, *bindings: object) -> None:
    with coalition[node].core.store._db.transaction() as connection:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute(statement, bindings)


def forget(coalition: Coalition, node: str, record: str) -> None:
    """Take a record out of a store without a trace."""
    row = coalition[node].records.get(record)
    sql(coalition, node, "DELETE FROM record_grant WHERE record_seq = ?", row.seq)
    sql(coalition, node, "DELETE FROM record WHERE seq = ?", row.seq)


def test_a_cursor_that_went_too_far(coalition: Coalition) -> None:
    coalition["gbr"].core.store.partners.advance("aus", Cursor("1", 99, bytes(32)))
    with pytest.raises(Broken, match="the cursor says"):
        check_prefix(coalition)


def test_a_bundle_that_was_never_sent(coalition: Coalition) -> None:
    coalition.archive.bundles.clear()
    with pytest.raises(Broken, match="never sent"):
        check_prefix(coalition)


def test_a_bundle_that_was_left_out(coalition: Coalition) -> None:
    sql(
        coalition,
        "gbr",
        "UPDATE leaf SET type = 'left out' WHERE idx = (SELECT min(idx) FROM leaf WHERE type = 'admission')",
    )
    with pytest.raises(Broken, match="after item 0"):
        check_prefix(coalition, ["aus", "gbr"])
        check_prefix(coalition, ["gbr", "usa"])


def test_an_item_that_was_lost(coalition: Coalition) -> None:
    forget(coalition, "gbr", "aus-all")
    with pytest.raises(Broken, match=r"holds .* nowhere"):
        check_exactly_once(coalition)
    with pytest.raises(Broken, match="'aus-all' version 1 did not go from aus to gbr"):
        check_arrived(coalition)


def test_a_portion_that_was_lost(coalition: Coalition) -> None:
    sql(coalition, "gbr", "UPDATE record SET portions = x'90', portion_profiles = x'' WHERE id = 'aus-all'")
    with pytest.raises(Broken, match="a portion of 'aus-all'"):
        check_arrived(coalition)


def test_a_record_from_nowhere(coalition: Coalition) -> None:
    wide = label("aus", "GBR", "USA")
    draft = document(coalition, "aus", "never-sent", wide, {"title": (wide, "nobody sent this")})
    coalition["gbr"].core.store.records.put([make_record(draft, Random(0).randbytes)], 0, "aus")
    with pytest.raises(Broken, match="'never-sent' from aus"):
        check_exactly_once(coalition)
    with pytest.raises(Broken, match="aus gave neither it nor GBR"):
        check_audience(coalition)


def test_two_records_with_one_version(coalition: Coalition) -> None:
    narrow = label("aus", "USA")
    draft = document(coalition, "aus", "aus-one", narrow, {"title": (narrow, "another first version")})
    coalition["gbr"].core.store.records.put([make_record(draft, Random(0).randbytes)], 0, "aus")
    with pytest.raises(Broken, match="version 1 of 'aus-one' by aus is not the same everywhere"):
        check_history(coalition)
    check_history(coalition, restored=["aus"])


def test_a_portion_that_is_not_for_its_holder(coalition: Coalition) -> None:
    whole = coalition["aus"].records.get("aus-part").record()
    coalition["gbr"].core.store.records.put([whole], 0, "aus")
    with pytest.raises(Broken, match="'aus-part' by aus, which is not for GBR"):
        check_audience(coalition)


def test_a_bundle_that_should_not_have_been_sealed(coalition: Coalition) -> None:
    aus = Hostile(coalition, "aus", "gbr", "usa", Random(0))
    whole = coalition["aus"].records.get("aus-part").record()
    coalition.archive.bundle(aus.node, "gbr", aus.bundle([aus.item(whole)]))
    with pytest.raises(Broken, match="aus sent gbr portion 'body' of 'aus-part' against the rules"):
        check_audience(coalition)


def test_a_signature_that_was_never_given(coalition: Coalition) -> None:
    coalition["gbr"].register.draft(
        'instrument = "agreement"\nid = "a-1"\ntitle = "t"\nparties = ["GBR", "USA"]\nfrom = 2026-01-01\n'
        'until = 2027-01-01\n[[clause]]\nid = "1"\nkinds = ["document"]\nprojects = ["*"]\npurposes = ["survey"]\n'
        'ceiling = { UK = "SECRET" }\n',
        "officer",
    )
    coalition.settle()
    coalition["usa"].register.sign("a-1", "officer")
    coalition["gbr"].register.sign("a-1", "officer")
    coalition.settle()
    put = document(coalition, "gbr", "later", label("gbr", "USA"), {"title": (label("gbr", "USA"), "under a-1 too")})
    coalition["gbr"].records.put(put)
    coalition.settle()
    check_audience(coalition)
    for node in coalition:
        sql(coalition, node, "DELETE FROM record WHERE id LIKE 'sig-%-usa%' AND seq > 8")
    kept = {d: s for d, s in coalition.archive.bundles.items() if not any(b"-usa" in i.record for i in s.bundle.items)}
    coalition.archive.bundles.clear()
    coalition.archive.bundles.update(kept)
    with pytest.raises(Broken, match="counts a signature of USA that it never gave"):
        check_audience(coalition)


@pytest.mark.parametrize("check", [check_ledgers, check_stores])
def test_an_altered_leaf(coalition: Coalition, check: Callable[[Coalition], None]) -> None:
    sql(coalition, "usa", "UPDATE leaf SET data = CAST(data || ' ' AS BLOB) WHERE idx = 3")
    with pytest.raises((Broken, VerificationFailed)):
        check(coalition)


def test_a_ledger_that_partners_cosigned_otherwise(coalition: Coalition) -> None:
    sql(
        coalition,
        "gbr",
        "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE origin LIKE '%/usa')"
        " WHERE origin LIKE '%/aus'",
    )
    with pytest.raises((Broken, VerificationFailed)):
        check_ledgers(coalition)
    backup = coalition.snapshot("usa")
    coalition["usa"].records.delete("usa-all", "officer")
    coalition.clock.advance(60_000)
    coalition.settle()
    coalition.restore(backup)
    with pytest.raises(Broken, match="of usa, which has fewer"):
        check_ledgers(coalition, ["usa", "gbr"])
