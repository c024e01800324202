"""Partners by page: what each may know of them, and pairing by file with the digits typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from callers import Caller
from test_page_files import send
from web_scene import SECRET, Scene, hire, served

from aldis.kernel.authority import Role
from aldis.kernel.errors import Forked
from aldis.kernel.ledger import decode_leaf
from aldis.node.config import Config
from aldis.node.exchange import problem_of
from aldis.node.home import make_home
from aldis.node.node import Node
from aldis.node.pairing import LIFETIME, fingerprint, read_aloud
from aldis.node.people import Cost, Passwords
from aldis.testing.clock import VirtualClock

Make = Callable[..., Caller]
PAGES = ("/pairing", "/pairing/invitations/NZL", "/pairing/replies/gbr")
ACTS = ("/pairing/invite", "/pairing/read", "/pairing/join")


def join(who: Caller, came: str, digits: str, **more: str) -> str:
    """The second step, from the page that the first one answered with; where it leads, or the page."""
    answer = who.post("/pairing/join", {"file": came, "digits": digits, **more})
    return answer.headers.get("location", answer.body)


def came(body: str) -> str:
    return body.partition('name="file" value="')[2].partition('"')[0].replace("&#34;", '"')


@pytest.fixture
def seventy(made: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A problem and a refusal whose words tell of items and of sizes."""
    made.node.core.store.meta.set(problem_of("gbr"), b"items 7171 to 7272 left in HIDDENFILE\nAsk for HIDDENFIX")
    monkeypatch.setattr(made.node.audit, "refused", lambda *_: Forked("not the one cosigned at 7373 leaves", fix="Ask"))
    yield
    made.node.core.store.meta.set(problem_of("gbr"), b"")


def test_below_the_ceiling_nothing_tells_that_more_was_released(caller: Make, made: Scene) -> None:
    pat, paths = caller("pat"), ("/partners", "/partners/gbr")
    before = [pat.get(path).plain for path in paths]
    made.put("quiet", {"title": ("QUIETTITLE", SECRET)})
    made.clock.at -= 60_000
    waits = made.node.core.store.exchange.last("gbr")
    while made.node.exchange.next_bundle("gbr", made.node.core.store.exchange.last("gbr")) is not None:
        pass
    sent = made.node.core.store.exchange.last("gbr")
    assert sent > waits
    assert [pat.get(path).plain for path in paths] == before
    pat.post("/level", {"rung": "SECRET"})
    high = pat.get("/partners/gbr")
    acknowledged = made.node.core.store.partners.acknowledged("gbr")
    assert f"{sent - (acknowledged.seq if acknowledged else 0)} items</strong> released and not yet" in high.body
    assert "the oldest waits since" in high.body and high.banners == ["SECRET"] * 2
    assert f"{acknowledged.seq if acknowledged else 0} of {sent}" in pat.get("/partners").body


def test_words_that_may_name_items_or_sizes_are_shown_at_the_ceiling_alone(
    caller: Make, made: Scene, seventy: None
) -> None:
    pat = caller("pat")
    for path in ("/partners", "/partners/gbr"):
        low = pat.get(path)
        assert "its ledger was refused" in low.body and low.banners == ["OFFICIAL"] * 2
        assert not any(word in low.body for word in ("7171", "7272", "7373", "HIDDEN"))
    assert "has a problem. Look at SECRET" in low.body and "does not continue the one cosigned here" in low.body
    pat.post("/level", {"rung": "SECRET"})
    high = pat.get("/partners/gbr").body
    assert "items 7171 to 7272 left in HIDDENFILE. Ask for HIDDENFIX." in high and "cosigned at 7373 leaves" in high


def test_health_says_who_cosigned_and_shows_digits_to_read_aloud(caller: Make, made: Scene) -> None:
    made.node.exchange.state("gbr").last_contact = made.clock.now() - 3 * 60_000
    page = caller("alice").get("/partners/gbr").body
    assert (
        "3 minutes ago, <time" in page
        and "last cosigned this node" in page
        and " leaves" not in page
        and "Suspend gbr" not in page
    )
    for digits in read_aloud(made.node.partners.get("gbr").sheet).values():
        assert re.fullmatch(r"(\d{5} ){5}\d{5}", digits)
        assert all(f"<span>{group}</span>" in page for group in digits.split())
    own = caller("alice").get("/partners").body
    assert all(group in own for digits in read_aloud(made.node.partners.sheet()).values() for group in digits.split())
    assert "/pairing" not in own and 'href="/pairing"' in caller("pat").get("/partners").body


def test_pairing_is_not_there_for_who_may_not_pair(caller: Make, made: Scene) -> None:
    made.node.partners.invite("NZL")
    if "fred" not in [one.id for one in made.node.people.all()]:
        hire(made.node, "fred", nationality="GBR", roles=[Role.SECURITY_OFFICER])
    kept = dict(made.node.partners.invitations())
    assert caller("pat").get("/pairing/invitations/NZL").status == 200
    for who in ("alice", "audrey", "olive", "gail", "fred"):
        one = caller(who)
        absent = one.get("/records/none-such").plain
        assert {one.get(path).plain for path in PAGES} == {absent}
        for path in ACTS:
            answer = one.post(path, {"party": "NZL"})
            assert answer.status == 404 and fingerprint(kept["NZL"])[:5] not in answer.body
    assert made.node.partners.invitations() == kept
    pat = caller("pat")
    assert pat.get("/pairing/invitations/USA").plain == pat.get("/records/none-such").plain
    assert pat.get("/pairing/replies/gbr").status == 404


def test_an_invitation_is_made_by_name_and_stands_in_the_ledger_under_who_made_it(caller: Make, made: Scene) -> None:
    pat = caller("pat")
    odd = pat.post("/pairing/invite", {"party": "NZ<"})
    assert odd.status == 422 and "is not a party" in odd.body and "NZ&lt;" in odd.body
    assert pat.post("/pairing/invite", {"party": "JPN"}).headers["location"] == "/pairing?made=JPN"
    leaf = decode_leaf(made.node.core.store.ledger.leaf(made.node.core.store.ledger.size() - 1).data)
    assert (leaf.type, leaf.verdict, leaf.subject, leaf.actor) == ("partner", "invited", "JPN", "pat")
    page, file = pat.get("/pairing?made=JPN"), pat.get("/pairing/invitations/JPN")
    assert all(f"<span>{group}</span>" in page.body for group in fingerprint(file.data).split())
    assert file.headers["content-disposition"].startswith('attachment; filename="aus-jpn.invite"')
    assert "sandbox" in file.headers["content-security-policy"] and file.headers["cache-control"] == "no-store"
    made.clock.at += LIFETIME + 1
    pat = caller("pat")
    assert pat.get("/pairing/invitations/JPN").status == 404 and "JPN" not in pat.get("/pairing").body


def test_what_is_no_invitation_or_not_for_here_is_refused_and_says_why(caller: Make, made: Scene) -> None:
    pat, partners = caller("pat"), made.node.partners.all()
    pat.get("/pairing")
    own = made.node.partners.invite("GBR")
    for data, status, words in (
        (b"", 422, "invitation"), (b"hello", 422, ""), (b"{}", 422, ""), (b"x" * 300_000, 413, "at most 262,144"),
        (own, 403, "same name"), (own[:-9], 422, ""),
    ):  # fmt: skip
        answer = send(pat, "/pairing/read", [("file", "a.invite", data)])
        assert answer.status == status and "Not done" in answer.body and words in answer.body, (data[:20], answer.body)
        assert "Take in an invitation" in answer.body
    none = send(pat, "/pairing/read", [("file", "", b"")])
    assert none.status == 422 and "no file was chosen" in none.body
    given = '{"digest":"%s","size":1,"media_type":"text/plain","name":"a"}' % ("0" * 64)
    for typed in (given, "{}", "", "x"):
        answer = pat.post("/pairing/join", {"file": typed, "digits": "1" * 30})
        assert answer.status == 422 and "Choose" in answer.body
    assert made.node.partners.all() == partners


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Scene, Scene]]:
    """Two nodes that have not met, each with a security officer `sam` and pages."""
    clock = VirtualClock()
    with ExitStack() as stack:
        found = []
        for name, party, policy in (("nzl", "NZL", "NZL"), ("jpn", "JPN", "JPN")):
            home, ceiling = tmp_path / name, "SECRET" if party == "NZL" else ""
            if not ceiling:
                policy, ceiling = "NATO", "NATO SECRET"
            make_home(home, Config(node=name, party=party, policy=policy, ceiling=ceiling), now=clock.now())
            node = stack.enter_context(Node.open(home, clock=clock, environment={}, apps={}))
            node.people.passwords = Passwords(node.core.random, Cost(32, 1, 4))
            roles = {"sam": [Role.SECURITY_OFFICER], "sue": [Role.SECURITY_OFFICER]}
            for who, held in roles.items():
                hire(node, who, nationality=party, clearance={policy: ceiling}, roles=held)
            found.append(stack.enter_context(served(Scene(node, clock))))
        yield found[0], found[1]


def test_two_nodes_pair_by_their_pages_and_only_with_the_right_digits(two: tuple[Scene, Scene]) -> None:
    nzl, jpn = two
    kiwi, nihon = Caller(nzl).sign_in("sam"), Caller(jpn).sign_in("sam")
    kiwi.get("/pairing")
    kiwi.post("/pairing/invite", {"party": "JPN"})
    file = kiwi.get("/pairing/invitations/JPN").data
    nihon.get("/pairing")
    read = send(nihon, "/pairing/read", [("file", "nzl-jpn.invite", file)])
    assert read.status == 200 and "Pair with nzl" in read.body and "NZL SECRET" in read.body
    assert not any(group in read.body for group in fingerprint(file).split()), "who types them has heard them"
    assert jpn.node.partners.all() == []
    for wrong in ("", "12345", "0" * 30, "x" * 30):
        assert "Not done" in join(nihon, came(read.body), wrong)
    other = Caller(jpn).sign_in("sue")
    other.get("/pairing")
    assert "Choose it again" in join(other, came(read.body), fingerprint(file)), "a file of somebody else's"
    assert jpn.node.partners.all() == []
    assert join(nihon, came(read.body), fingerprint(file)) == "/partners/nzl?done=paired"
    leaf = decode_leaf(jpn.node.core.store.ledger.leaf(jpn.node.core.store.ledger.size() - 1).data)
    assert (leaf.verdict, leaf.actor, leaf.reasons[0]) == ("paired", "sam", fingerprint(file))
    assert "Paired. Agree" in nihon.get("/partners/nzl?done=paired").body
    reply = nihon.get("/pairing/replies/nzl")
    assert reply.headers["content-disposition"].startswith('attachment; filename="jpn-nzl.reply"')
    page = nihon.get("/partners/nzl").body
    assert all(f"<span>{group}</span>" in page for group in fingerprint(reply.data).split())
    back = send(kiwi, "/pairing/read", [("file", "jpn-nzl.reply", reply.data)])
    assert "This is a reply to your invitation" in back.body
    assert join(kiwi, came(back.body), fingerprint(reply.data).replace(" ", "-")).startswith("/partners/jpn")
    assert [one.node for one in nzl.node.partners.all()] == ["jpn"] and nzl.node.partners.invitations() == {}
    call = nzl.node.exchange.next_call("jpn")
    assert call is not None
    answer = jpn.node.answer("nzl", call.operation, call.body)
    nzl.node.exchange.answered("jpn", call, answer)
    assert "in order" in kiwi.get("/partners").body
    assert nzl.node.exchange.state("jpn").last_contact


def test_an_old_invitation_and_one_of_ones_own_party_are_told_apart(two: tuple[Scene, Scene]) -> None:
    nzl, jpn = two
    file = nzl.node.partners.invite("JPN")
    twin = nzl.node.partners.invite("NZL")
    nihon = Caller(jpn).sign_in("sam")
    nihon.get("/pairing")
    other = send(nihon, "/pairing/read", [("file", "a.invite", nzl.node.partners.invite("USA"))])
    assert other.status == 403 and "the invitation is for NZL, USA" in other.body
    read = send(nihon, "/pairing/read", [("file", "a.invite", twin)])
    assert read.status in (403, 422) and "Not done" in read.body
    jpn.clock.at += LIFETIME + 1
    nihon = Caller(jpn).sign_in("sam")
    nihon.get("/pairing")
    late = send(nihon, "/pairing/read", [("file", "a.invite", file)])
    assert late.status == 409 and "older than a week" in late.body and "Ask for a new one" in late.body
