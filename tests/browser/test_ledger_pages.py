"""The ledger by page: narrowed, proved, compared, replayed; to its own auditors at the ceiling and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from callers import Caller
from web_scene import SECRET, Scene, hire

from aldis.kernel.authority import Role
from aldis.kernel.errors import AldisError
from aldis.kernel.ledger import decode_leaf
from aldis.node.audit import Proof, check_proof
from aldis.node.leaves import LeafFilter
from aldis.node.store import ledger as stored

Make = Callable[..., Caller]
PAGES = ("/ledger/0", "/ledger/0/proof", "/ledger/0/proof.json", "/ledger/consistency", "/ledger/replay",
         "/ledger/99999/proof", "/ledger/x/proof.json")  # fmt: skip


@pytest.fixture
def audrey(caller: Make) -> Caller:
    return caller("audrey", "SECRET")


def indexes(body: str) -> list[int]:
    return [int(found) for found in re.findall(r'scope="row"><a href="/ledger/(\d+)"', body)]


def test_proofs_and_replay_are_not_there_below_the_ceiling_nor_for_others(caller: Make, made: Scene) -> None:
    if "fiona" not in [one.id for one in made.node.people.all()]:
        hire(made.node, "fiona", nationality="GBR", roles=[Role.AUDITOR])
    made.node.audit.checkpoint()
    signed = made.node.core.store.ledger.checkpoints()
    for who, rung in (("audrey", ""), ("pat", "SECRET"), ("fiona", "SECRET"), ("gail", "")):
        one = caller(who, rung)
        absent = one.get("/records/none-such").plain
        assert {one.get(path).plain for path in (PAGES if who == "audrey" else PAGES[1:5])} == {absent}, who
        assert one.post("/ledger/replay").status == 404
    assert made.node.replaying.last is None
    assert len(made.node.core.store.ledger.checkpoints()) == len(signed), "nobody had one signed"


def test_leaves_are_narrowed_by_kind_partner_person_record_and_day(audrey: Caller, made: Scene) -> None:
    ledger = made.node.core.store.ledger
    day = f"{datetime.fromtimestamp(made.clock.now() / 1000, UTC):%Y-%m-%d}"

    def leaves(query: str) -> list[tuple[int, str, str]]:
        page = audrey.get(f"/ledger?{query}")
        assert page.status == 200 and page.banners == ["SECRET"] * 2
        found = [(index, decode_leaf(ledger.leaf(index).data)) for index in indexes(page.body)]
        assert found, query
        return [(index, leaf.type, leaf.subject) for index, leaf in found]

    assert {kind for _, kind, _ in leaves("type=person")} == {"person"}
    assert {subject for _, _, subject in leaves("type=person&person=gail")} == {"gail"}
    assert {subject for _, _, subject in leaves("partner=gbr&type=partner")} == {"gbr"}
    tides = made.records["tides"].digest.hex()
    assert {subject for _, _, subject in leaves("record=tides&type=label")} == {tides}
    assert leaves(f"since={day}&until={day}")
    assert indexes(audrey.get("/ledger?until=2020-01-01").body) == []
    assert "No such leaf" in audrey.get("/ledger?since=2199-01-01").body
    for odd in ("type=nonsense", "since=yesterday", "until=%3Cb%3E"):
        page = audrey.get(f"/ledger?{odd}")
        assert page.status == 200 and "Use" not in odd and 'class="note wrong"' in page.body and "<b>" not in page.body


def test_a_record_that_the_auditor_may_not_see_is_told_from_none_by_nothing(caller: Make, made: Scene) -> None:
    if "amy" not in [one.id for one in made.node.people.all()]:
        hire(made.node, "amy", roles=[Role.AUDITOR], projects=["FAIR"])
    made.put("veiled", {"title": ("VEILEDTITLE", SECRET)})
    amy = caller("amy", "SECRET")
    assert amy.get("/records/veiled").status == 404
    held, absent = amy.get("/ledger?record=veiled"), amy.get("/ledger?record=absent")
    assert held.plain.replace("veiled", "absent") == absent.plain and indexes(held.body) == []
    assert indexes(caller("audrey", "SECRET").get("/ledger?record=veiled").body)


def test_a_search_goes_so_far_back_at_once_and_says_where_to_go_on(
    audrey: Caller, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aldis.node.leaves.LOOKED", 10)
    monkeypatch.setattr("aldis.node.leaves._STEP", 5)
    size, seen, path = made.node.core.store.ledger.size(), 0, "/ledger?type=epoch"
    while True:
        body = audrey.get(path).body
        seen += 1
        found = re.search(r'href="(/ledger\?[^"]*before=\d+)">Look further back', body)
        if not found:
            break
        assert "that were looked through" in body
        path = found.group(1).replace("&amp;", "&")
    assert seen >= size // 10
    every = [index for index, _ in made.node.leaves.newest(LeafFilter(), "", limit=10**6).leaves]
    assert len(every) == 10 and every[0] == made.node.core.store.ledger.size() - 1


def test_a_proof_from_the_page_verifies_offline_and_fails_with_one_byte_changed(audrey: Caller, made: Scene) -> None:
    index, key = 3, made.node.core.note_signer.public
    file = audrey.get(f"/ledger/{index}/proof.json")
    assert file.headers["content-disposition"].startswith(f'attachment; filename="aus-leaf-{index}.json"')
    assert file.headers["content-type"] == "application/json" and "sandbox" in file.headers["content-security-policy"]
    proof = msgspec.json.decode(file.data, type=Proof)
    checkpoint = check_proof(proof, key)
    page = audrey.get(f"/ledger/{index}/proof").body
    assert checkpoint.root.hex() in page and all(digest in page for digest in proof.path)
    assert f"aldis ledger check aus-leaf-{index}.json" in page
    failed = 0
    for place in range(0, len(file.data), 17):
        changed = bytearray(file.data)
        changed[place] ^= 1
        try:
            other = msgspec.json.decode(bytes(changed), type=Proof)
            check_proof(other, key)
        except (AldisError, msgspec.MsgspecError, UnicodeError, ValueError):
            failed += 1
        else:
            assert other == proof, "only blanks between fields may change"
    assert failed > len(file.data) // 17 * 0.8


def test_each_step_of_a_proof_gives_the_next_and_the_last_the_root(audrey: Caller, made: Scene) -> None:
    made.node.audit.checkpoint()
    size = made.node.core.store.ledger.size()
    for index in (0, 1, size // 2, size - 1):
        page = audrey.get(f"/ledger/{index}/proof").body
        steps = re.findall(r'<dt>Left</dt><dd><code class="long">(\w+)</code>.*?<dt>Right</dt><dd><code class="long">'
                           r'(\w+)</code>.*?<dt>Gives</dt><dd><code class="long">(\w+)</code>', page)  # fmt: skip
        assert steps
        before = re.search(r'its hash:</p><p><code class="long">(\w+)<', page)
        assert before is not None
        given = before.group(1)
        for left, right, node in steps:
            assert given in (left, right)
            given = node
        assert f'<p><code class="long">{given}</code></p>\n<pre' in page


def test_two_checkpoints_are_compared_and_only_those_that_were_signed(audrey: Caller, made: Scene) -> None:
    made.node.audit.checkpoint()
    made.put(f"more{made.clock.now()}", {"title": ("More", SECRET)})
    made.node.audit.checkpoint()
    sizes = [size for size, _ in made.node.core.store.ledger.checkpoints()]
    page = audrey.get(f"/ledger/consistency?old={sizes[0]}&new={sizes[-1]}").body
    assert f"the ledger at {sizes[-1]} leaves continues the one at {sizes[0]}" in page
    none = max(sizes) + 7
    assert (
        f"no checkpoint was signed at {none} leaves"
        in audrey.get(f"/ledger/consistency?old={sizes[0]}&new={none}").body
    )
    assert audrey.get("/ledger/consistency?old=x&new=1").status == 404


def test_a_replay_reproduces_every_leaf_and_names_the_one_that_was_altered(
    audrey: Caller, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Nobody has replayed" in audrey.get("/ledger/replay").body

    def replayed() -> str:
        assert audrey.post("/ledger/replay").headers["location"] == "/ledger/replay"
        thread = made.node.replaying._thread
        assert thread is not None
        thread.join(10)
        return audrey.get("/ledger/replay").body

    made.node.exchange.next_bundle("gbr")
    page = replayed()
    assert "decisions comes out the same" in page and "begun by" not in page and "by audrey" in page
    ledger = made.node.core.store.ledger
    decided = ledger.leaves(0, 10_000, type_="decision")
    leaf = f"/ledger/{decided[0].index}"
    assert "it comes out the same" in audrey.get(leaf).body
    monkeypatch.setattr("aldis.node.replay.redo", lambda *_: ("refuse", ["OTHERREASON"]))
    again = audrey.get(leaf).body
    assert "it comes out otherwise: refuse: OTHERREASON" in again
    page = replayed()
    assert "decisions come out otherwise" in page and f'href="{leaf}"' in page and "OTHERREASON" in page
    monkeypatch.setattr(stored.Ledger, "verify", lambda *_: (_ for _ in ()).throw(AldisError("a leaf is MISSING")))
    page = replayed()
    assert "It came to no end:" in page and "a leaf is MISSING" in page
    made.node.replaying.last = None
