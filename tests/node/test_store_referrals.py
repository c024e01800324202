"""Referrals in the store: each question asked once, each portion in one of them, and no word of an officer lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import record

from aldis.kernel.errors import UnknownTerm
from aldis.kernel.records import Record
from aldis.node.store import NEVER, PartnerRow, Row, Ruling, Store
from aldis.node.store.schema import APPLICATION_ID, MIGRATIONS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = make(tmp_path)
    yield opened
    opened.close()


def make(folder: Path) -> Store:
    opened = Store.open(folder / "store.db")
    for node in ("gbr", "usa"):
        opened.partners.put(PartnerRow(node, node.upper(), "active", b"{}", 1))
    opened.records.put([sample()], 1)
    return opened


def sample() -> Record:
    return record("v-1")


def row_of(store: Store) -> Row:
    [row] = store.records.rows([1])
    return row


def parts(store: Store) -> list[bytes]:
    row = row_of(store)
    return [row.digest, *(portion.digest for portion in row.record().portions)]


def refer(store: Store, portions: list[bytes], at: int = 10, *, goes: list[bytes] | None = None, due: int = NEVER,
          partner: str = "gbr") -> list[int]:  # fmt: skip
    return store.referrals.refer(
        partner, row_of(store), portions, goes=goes or [], reasons=b'["r"]', grounds="pa clause 1", at=at, due=due
    )


def say(store: Store, number: int, verdict: str, officer: str = "officer", at: int = 30, **given: object) -> int:
    ruling = Ruling(officer, officer != "officer", verdict, f"{officer} {verdict}", at, 0, True)  # type: ignore[arg-type]
    return store.referrals.rule(number, ruling, row=row_of(store), **given)  # type: ignore[arg-type]


def state(store: Store) -> list[tuple[str, int]]:
    return sorted((one.state, len(one.portions)) for one in store.referrals.of("gbr", 1))


def test_a_question_is_asked_once_and_the_ruling_stands(store: Store) -> None:
    first, second = parts(store)[:2]
    [number] = refer(store, [second, first])
    assert refer(store, [first, second], 20) == [number]
    assert refer(store, [first, second], 20, partner="usa") != [number]
    say(store, number, "approved")
    one = store.referrals.get(number)
    assert (one.state, one.portions, one.reasons, one.because, one.asked, one.at) == (
        "approved", tuple(sorted((first, second))), b'["r"]', "officer approved", 10, 30,
    )  # fmt: skip
    assert store.referrals.approvals("gbr", [1]) == {1: tuple(sorted((first, second)))}
    assert refer(store, [first, second], 40) == [number], "what is asked once more wants another officer"
    assert store.referrals.get(number).state == "open" and store.referrals.approvals("gbr", [1]) == {}
    say(store, number, "denied")
    assert refer(store, [first, second], 60) == []
    assert [one.partner for one in store.referrals.all("open")] == ["usa"]
    with pytest.raises(UnknownTerm, match="number 99"):
        say(store, 99, "denied")


def test_what_one_of_two_officers_approved_is_asked_again_with_that_word(store: Store) -> None:
    first, second = parts(store)[:2]
    [number] = refer(store, [first])
    say(store, number, "approved", "ann", needed=2)
    assert set(refer(store, [first, second])) > {number}, "what nobody spoke of is asked by itself"
    assert [one.portions for one in store.referrals.of("gbr", 1)] == [(first,), (second,)]
    say(store, number, "approved", "ann", needed=2)
    assert store.referrals.get(number).state == "open", "one officer twice is one"
    say(store, number, "approved", "ben", needed=2)
    assert store.referrals.get(number).state == "approved"
    assert store.referrals.approvals("gbr", [1]) == {1: (first, first)}
    assert number in refer(store, [first, second]), "two are not enough any more"


def test_a_denial_ends_what_was_said_and_is_told_for_ever(store: Store) -> None:
    [number] = refer(store, parts(store)[:1])
    for officer, verdict in (("ann", "approved"), ("ben", "denied"), ("ann", "approved")):
        say(store, number, verdict, officer, needed=2)
    said = store.referrals.rulings(store.referrals.get(number).id)
    assert [(one.officer, one.verdict, one.stands) for one in said] == [
        ("ann", "approved", False), ("ben", "denied", False), ("ann", "approved", True),
    ]  # fmt: skip
    assert store.referrals.get(number).state == "open"


def test_the_soonest_day_is_kept_and_a_deferral_moves_it(store: Store) -> None:
    first, second = parts(store)[:2]
    [number] = refer(store, [first], due=600_000)
    refer(store, [first, second], due=300_000)
    assert store.referrals.get(number).due == 300_000
    store.referrals.defer(number, Ruling("ann", True, "deferred", "away", 40, 900_000, True))
    assert store.referrals.get(number).due == 900_000
    assert store.docket.overdue(900_000) == 0 and store.docket.overdue(900_001) == 1


ACTS = st.lists(
    st.tuples(
        st.sampled_from(("refer", "settle", "approved", "denied", "keep", "only")),
        st.sets(st.integers(0, 2), min_size=1),
        st.sampled_from(("ann", "ben")),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(ACTS)
def test_whatever_happens_each_portion_is_in_one_question_and_no_ruling_is_lost(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, set[int], str]]
) -> None:
    store = make(tmp_path_factory.mktemp("store"))
    digests, ever, said = parts(store)[:3], set[bytes](), 0
    for act, chosen, officer in acts:
        some = [digests[place] for place in sorted(chosen) if place < len(digests)]
        open_ = [one for one in store.referrals.of("gbr", 1) if one.state == "open"]
        if act == "refer" and some:
            refer(store, some)
            ever |= set(some)
        elif act == "settle" and some:
            refer(store, [], goes=some)
        elif open_ and act in ("approved", "denied"):
            say(store, open_[0].number, act, officer, needed=2)
            said += 1
        elif open_ and act in ("keep", "only") and set(some) < set(open_[0].portions):
            split = {"keep": some} if act == "keep" else {"rest": set(open_[0].portions) - set(some)}
            say(store, open_[0].number, "approved", officer, needed=2, **split)
            said += 1
    found = store.referrals.of("gbr", 1)
    live = [digest for one in found if one.state in ("open", "approved", "denied") for digest in one.portions]
    assert len(live) == len(set(live)), "asked twice at once"
    assert {digest for one in found for digest in one.portions} <= ever
    assert sum(len(store.referrals.rulings(one.id)) for one in found) >= said
    assert len({one.number for one in found}) == len(found) and all(one.portions for one in found)
    store.close()


def test_questions_of_an_older_store_are_kept_with_their_rulings(tmp_path: Path) -> None:
    made = make(tmp_path)
    first, second = parts(made)[:2]
    made.close()
    path = tmp_path / "store.db"
    connection = apsw.Connection(str(path))
    version = MIGRATIONS.index(next(one for one in MIGRATIONS if "TABLE shape" in one))
    later = "".join(MIGRATIONS[version:])
    for trigger in re.findall(r"CREATE TRIGGER (\w+)", later):
        connection.execute(f"DROP TRIGGER {trigger}")
    for table in {"referral", "ruling", *re.findall(r"CREATE TABLE (\w+)", later)}:
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    for table, column in re.findall(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", later):
        connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    tables = MIGRATIONS[0].partition("CREATE TABLE referral")[2].partition(";")[0]
    connection.execute(f"CREATE TABLE referral{tables}")
    tables = MIGRATIONS[1].partition("CREATE TABLE ruling")[2].partition(";")[0]
    connection.execute(f"CREATE TABLE ruling{tables}")
    reasons = b'[{"check":8,"outcome":1,"code":"review","text":"t","instrument":"pa","clause":"1","bits":1}]'
    for values in ((1, "gbr", 1, first, reasons, "open", "", 5), (2, "usa", 1, second, b"[]", "approved", "yes", 6),
                   (3, "usa", 1, first, b"[]", "denied", "no", 7)):  # fmt: skip
        connection.execute("INSERT INTO referral VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    connection.execute("INSERT INTO ruling VALUES (2, 'ann', 1, 'yes', 6)")
    connection.pragma("user_version", version)
    connection.pragma("application_id", APPLICATION_ID)
    connection.close()
    store = Store.open(path)
    assert store.check() == []
    found = store.referrals.all()
    assert [(one.state, one.partner, one.due) for one in found] == [
        ("open", "gbr", NEVER), ("approved", "usa", NEVER), ("denied", "usa", NEVER),
    ]  # fmt: skip
    assert found[0].grounds == "pa clause 1" and len({one.number for one in found}) == 3
    assert all(1_000_000 <= one.number < 10_000_000 for one in found)
    assert store.referrals.approvals("usa", [1]) == {1: (second,)}
    assert [one.because for one in store.referrals.rulings(3)] == ["no"]
    assert all(one.shape in store.shapes.all() for one in found)
    assert refer(store, [first]) == [found[0].number]
    store.close()
