"""Pages of experiments: who sees which run, what it comes to, what may be taken away; and what others published."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from callers import COOKIE, Answer, Caller
from run_scene import CASE, HIGH, PROJECT, Tape, run_scene
from web_scene import OFFICIAL, SECRET, Scene, served

from aldis.app import Shown
from aldis.apps.experiments.entity import Point
from aldis.apps.experiments.orders.acting import ask
from aldis.apps.experiments.published import draft_of
from aldis.apps.experiments.report import verify_report
from aldis.apps.experiments.web import runs_files, runs_judging
from aldis.apps.experiments.web.runs_feed import FEED
from aldis.kernel.records import Draft, DraftPortion

LOW_RUN, HIGH_RUN = "20261101-080000", "20261102-080000"
RUN = f"/experiments/runs/of/{LOW_RUN}"
LEAKS = (HIGH_RUN, "violetsonar", "SECRET")
Make = Callable[..., Caller]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with run_scene(tmp_path_factory.mktemp("runs")) as found, served(found):
        yield found


@pytest.fixture(scope="module")
def caller(made: Scene) -> Make:
    known: dict[tuple[str, str], Caller] = {}

    def make(who: str, rung: str = "") -> Caller:
        if (who, rung) not in known:
            known[who, rung] = Caller(made).sign_in(who, rung)
        return known[who, rung]

    return make


def choose(one: Caller, text: str = CASE) -> Answer:
    one.get("/experiments/runs/cases")
    return one.post("/experiments/runs/cases", {"text": text})


def main_of(answer: Answer) -> str:
    return answer.body.partition('<main id="main"')[2].partition("</main>")[0]


def taken(made: Scene, one: Caller, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection(urlsplit(made.url).netloc, timeout=10)
    connection.request(method, path, headers={"Cookie": f"{COOKIE}={one.token}", "Sec-Fetch-Site": "same-origin"})
    found = connection.getresponse()
    data = found.read()
    connection.close()
    return found.status, {name.lower(): value for name, value in found.getheaders()}, data


def test_a_run_is_there_for_whoever_may_read_all_of_it_and_for_nobody_else(caller: Make) -> None:
    high, low = caller("alice", "SECRET"), caller("alice")
    assert (
        HIGH_RUN in high.get("/experiments/runs").body and high.get("/experiments/runs").banners == ["SECRET//AGAO"] * 2
    )
    for one in (low, caller("bob", "OFFICIAL")):
        answer = one.get("/experiments/runs")
        assert LOW_RUN in answer.body and answer.banners == ["OFFICIAL//REL AUS/GBR"] * 2
        assert not any(word in main_of(answer) for word in LEAKS)
    for who in ("carol", "grace", "gail"):  # not in every project, of another nation, a guest
        one = caller(who)
        assert LOW_RUN not in one.get("/experiments/runs").body and "No run here" in one.get("/experiments/runs").body
        assert one.get(RUN).status == 404


def test_what_one_may_not_read_is_answered_as_what_is_not_there(caller: Make) -> None:
    for who in ("alice", "grace"):
        one = caller(who)
        hidden = f"/experiments/runs/of/{HIGH_RUN}"
        for below in ("", "/cell?source=aus/violetsonar&target=aus/tak&message=track", "/report",
                      f"/files/{HIGH_RUN}-0001.mcap"):  # fmt: skip
            found, none = one.get(hidden + below), one.get(f"/experiments/runs/of/29991102-080000{below}")
            assert (found.status, found.plain) == (404, none.plain), (who, below)
    for odd in ("..%2f..%2faldis", "*", "20261101-08000?", "2026110١-080000"):
        assert caller("alice", "SECRET").get(f"/experiments/runs/of/{quote(odd, safe='%')}").status == 404


def test_test_cases_are_a_persons_own_and_of_their_level(caller: Make) -> None:
    high = caller("alice", "SECRET")
    page = high.get("/experiments/runs/cases")
    assert "You have chosen no test case" in page.body and page.banners == ["UNOFFICIAL"] * 2
    assert choose(high, CASE.replace("own-picture", "mauve").replace("The sea", "MAUVELANTERN: the sea")).status == 303
    page = high.get("/experiments/runs/cases")
    assert "MAUVELANTERN" in page.body and page.banners == ["SECRET"] * 2
    assert "MAUVELANTERN" in high.get("/experiments/runs/cases?case=mauve").body
    for other in (caller("alice"), caller("bob")):
        assert "MAUVELANTERN" not in other.get("/experiments/runs/cases").body
        assert (
            other.get("/experiments/runs/cases?case=mauve").plain == other.get("/experiments/runs/cases?case=no").plain
        )
        assert "MAUVELANTERN" not in other.get(RUN).body
    wrong = high.post("/experiments/runs/cases", {"text": CASE.replace('does = "sense"', 'does = "smell"')})
    assert wrong.status == 422 and "line 6" in wrong.body and "&#34;smell&#34;" in wrong.body
    assert high.post("/experiments/runs/cases", {}).status == 422
    assert high.post("/experiments/runs/cases", {"text": "#" * 70_000}).status == 422
    assert high.post("/experiments/runs/cases/away", {"case": "mauve"}).status == 303
    assert "MAUVELANTERN" not in high.get("/experiments/runs/cases").body
    gone = high.post("/experiments/runs/cases/away", {"case": "mauve"})
    assert gone.status == 422 and "no test case &#39;mauve&#39; here" in gone.body
    example = high.get("/experiments/runs/cases?example=link-lost")
    assert "outage_s = 3" in example.body and high.get("/experiments/runs/cases?example=x").status == 404


def test_a_run_is_judged_and_each_cell_says_why(caller: Make) -> None:
    bob = caller("bob", "OFFICIAL")
    assert "No test case is chosen" in bob.get(RUN).body
    assert choose(bob).status == 303
    page = bob.get(RUN)
    assert "The sea picture at our own terminal" in page.body and page.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    assert 'class="sign holds"' in main_of(page) and "24 updates" in page.body and "data-feed" not in page.body
    assert "pending" not in main_of(page)
    cell = bob.get(f"{RUN}/cell?source=aus/sea&target=aus/tak&message=track")
    assert cell.status == 200 and "older than at the source" in cell.body and "/egress/tak/track" in cell.body
    for query in ("source=aus/sea&target=aus/tak&message=area", "source=aus/violetsonar&target=aus/tak&message=track"):
        assert bob.get(f"{RUN}/cell?{query}").status == 404
    assert bob.get(f"{RUN}/cell?source=aus/sea").status == 422


def test_the_report_and_the_recording_are_taken_away_whole(caller: Make, made: Scene, tmp_path: Path) -> None:
    bob = caller("bob", "OFFICIAL")
    choose(bob)
    status, headers, data = taken(made, bob, f"{RUN}/report")
    assert (status, headers["content-type"]) == (200, "application/zip") and "attachment" in headers[
        "content-disposition"
    ]
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    node = made.node.context
    found = verify_report(tmp_path / f"report-{LOW_RUN}", {"aus": node.key_of("aus")})
    assert (found.verdict, found.missing, found.otherwise) == ("incomplete", ("AUS",), ())
    assert found.findings is not None and [one.verdict for one in found.findings.outcomes] == ["success"]
    assert node.recordings is not None
    file = Path(node.recordings.folder) / f"{LOW_RUN}-0001.mcap"
    path = f"{RUN}/files/{file.name}"
    status, headers, data = taken(made, bob, path)
    assert status == 200 and data == file.read_bytes() and headers["cache-control"] == "no-store"
    status, headers, data = taken(made, bob, path, "HEAD")
    assert (status, data, int(headers["content-length"])) == (200, b"", file.stat().st_size)
    assert bob.get(f"{RUN}/files/{HIGH_RUN}-0001.mcap").status == 404


def test_a_run_under_way_turns_green_as_it_goes_and_nobody_is_told_of_what_is_marked_higher(
    caller: Make, made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (runs_files, runs_judging):
        monkeypatch.setattr(module, "_LEAST_S", 0)
        monkeypatch.setattr(module, "_SHARE", 0)
    bob = caller("bob", "OFFICIAL")
    choose(bob)
    tape, path = Tape(made, "20261103-080000"), "/experiments/runs/of/20261103-080000"
    tape.go_on(3)
    tape.recorder.flush()
    page = bob.get(path)
    assert "under way" in page.body and "not so far" in page.body and 'class="sign holds"' not in heading(page)
    assert "pending" in heading(page)
    tape.go_on(8)
    tape.recorder.flush()
    page = bob.get(path)
    assert "success" in heading(page) and "data-feed" in page.body
    ctx = made.node.context.bound(made.node.people.sessions.who(bob.token))
    look = FEED.handler(ctx, FEED.asks(run="20261103-080000"))
    assert callable(look)
    said = look(ctx)
    assert isinstance(said, Shown) and look(ctx) is None
    assert [one.sign.words for one in said.values["outcomes"]] == ["success"]
    assert ctx.marking(ctx.banner(said.labels)) == page.banners[0]
    tape.taps.entity("sea", HIGH, tape.heard[-1], tape.began + 20_000_000, record="trk-violet")
    tape.recorder.flush()
    again = FEED.handler(ctx, FEED.asks(run="20261103-080000"))
    assert callable(again) and again(ctx) == Shown({"gone": True}, [])
    assert bob.get(path).status == 404 and LOW_RUN in bob.get("/experiments/runs").body
    tape.close()
    assert "closed" in caller("alice", "SECRET").get(path).body


def heading(answer: Answer) -> str:
    return answer.body.partition("data-case=")[2].partition("</h3>")[0]


def test_who_takes_part_is_said_in_words_as_far_as_one_may_know(caller: Make) -> None:
    high, low = (one.get("/experiments/runs/participants") for one in (caller("alice", "SECRET"), caller("alice")))
    assert "aus/violetsonar" in high.body and "lost" in high.body and high.banners == ["SECRET//AGAO"] * 2
    assert "aus/sea" in low.body and "+0.100 to +0.150 s" in low.body and "1 of 12 messages were damaged" in low.body
    assert not any(word in main_of(low) for word in LEAKS) and low.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    assert "Nobody takes part yet" in caller("grace").get("/experiments/runs/participants").body


def test_findings_stand_beside_each_other_for_whoever_was_released_them(caller: Make, made: Scene) -> None:
    bob = caller("bob", "OFFICIAL")
    choose(bob)
    node, ctx = made.node, made.node.context
    run = runs_files.run_of(ctx, LOW_RUN)
    found = runs_judging.judged(ctx, run, ()).found
    for name, label in (("fnd-low", OFFICIAL), ("fnd-violet", SECRET)):
        node.records.put(draft_of(found, label, record_id=name, node="aus", at=ctx.now(), project="SEA-TRIAL"))
    page = bob.get("/experiments/runs/findings")
    assert "fnd-low" in page.body and "fnd-violet" not in page.body and "as its node published it" in page.body
    assert page.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    high = caller("alice", "SECRET").get("/experiments/runs/findings")
    assert "fnd-violet" in high.body and high.banners == ["SECRET//REL AUS/GBR"] * 2
    one = bob.get("/experiments/runs/findings/aus/fnd-low")
    assert "what its digest says" in one.body and "limited success" in one.body
    cell = bob.get("/experiments/runs/findings/aus/fnd-low/cell?source=aus/sea&target=aus/tak&message=track")
    assert cell.status == 200 and "fidelity" in cell.body
    for below in ("", "/cell?source=aus/sea&target=aus/tak&message=track"):
        hidden, none = (bob.get(f"/experiments/runs/findings/aus/{name}{below}") for name in ("fnd-violet", "fnd-none"))
        assert (hidden.status, hidden.plain) == (404, none.plain)
    assert bob.get("/experiments/runs/findings/beside?of=aus/fnd-low").status == 422
    assert bob.get("/experiments/runs/findings/beside?of=aus/fnd-low&of=aus/fnd-violet").status == 404
    assert bob.get("/experiments/runs/findings/aus/ptc-sea").status == 404


def test_tasks_are_answered_by_those_who_command_and_seen_as_they_are_marked(caller: Make, made: Scene) -> None:
    ctx, now = made.node.context, made.clock.now()
    for name, marking in (("trk-boat", "OFFICIAL//REL AUS/GBR"), ("trk-violetboat", "SECRET//AGAO")):
        label = ctx.label(marking)
        part = DraftPortion("identity", label, {"name": name.upper()})
        ctx.put(Draft("track", name, "aus", "gateway", now, label, project=PROJECT, portions=[part]))
        for _ in range(2):
            ask(ctx, name, "go to", [Point(lat_deg=59.9, lon_deg=24.5)], marking=marking)
    path = "/experiments/runs/tasks"
    low, high = caller("alice"), caller("alice", "SECRET")
    page = low.get(path)
    assert page.body.count(">go to</a>") == 2 and page.banners == ["OFFICIAL//REL AUS/GBR"] * 2
    assert "violetboat" not in page.body.lower()
    page = high.get(path)
    assert page.body.count(">go to</a>") == 4 and page.banners == ["SECRET//AGAO"] * 2
    ids = re.findall(r'/records/([0-9a-f]+)\?originator=aus">go to', low.get(path).body)
    hidden = next(
        one for one in re.findall(r'/records/([0-9a-f]+)\?originator=aus">go to', page.body) if one not in ids
    )
    for who in ("bob", "grace"):
        other = caller(who)
        other.get(path)
        assert other.post(f"{path}/accept", {"id": ids[0], "node": "aus"}).status in (403, 422)
    there = {"Referer": f"{made.url}{path}"}
    none, kept = (low.post(f"{path}/accept", {"id": one, "node": "aus"}, **there) for one in ("0" * 16, hidden))
    assert none.status == kept.status == 422 and kept.plain.replace(hidden, "0" * 16) == none.plain
    assert low.post(f"{path}/accept", {"id": ids[0], "node": "aus"}).status == 303
    assert low.post(f"{path}/refuse", {"id": ids[1], "node": "aus"}, **there).status == 422
    assert low.post(f"{path}/refuse", {"id": ids[1], "node": "aus", "reason": "fog"}).status == 303
    page = low.get(path)
    assert "accepted" in main_of(page) and "refused" in main_of(page) and "fog" in page.body
    lent = {"track": "trk-boat", "holder": "gbr", "minutes": "5", "remarks": "KEPTWORDS"}
    assert low.post(f"{path}/lend", lent, **there).status == 422
    assert low.post(f"{path}/take-back", {"track": "trk-boat", "reason": "ours"}).status == 303
    assert "taken back" in low.get(path).body


def test_a_context_says_at_which_level_its_person_works_and_what_they_may_see(caller: Make, made: Scene) -> None:
    sessions, node = made.node.people.sessions, made.node.context
    high, low = (node.bound(sessions.who(caller("alice", rung).token)) for rung in ("SECRET", ""))
    grace = node.bound(sessions.who(caller("grace").token))
    secret = node.label("SECRET//REL AUS/GBR")
    assert [one.level.classification for one in (node, high)] == ["SECRET"] * 2 and low.level != high.level
    assert [one.may_see("track", secret, PROJECT) for one in (node, high, low, grace)] == [True, True, False, False]


def test_the_menu_leads_to_experiments_and_each_part_says_what_to_do_next(caller: Make, made: Scene) -> None:
    alice = caller("alice", "SECRET")
    page = alice.get("/experiments/runs/tasks")
    assert '<a href="/experiments/runs" aria-current="page">Experiments</a>' in page.body
    assert "pair with one" in page.body
    assert "Nothing is asked of this nation" in caller("grace").get("/experiments/runs/tasks").body
    assert "Lend a system" not in caller("grace").get("/experiments/runs/tasks").body
    for path, fields in (("accept", {"id": "tsk-none"}), ("cancel", {"id": "tsk-none"}), ("take-back", {"track": "t"})):
        answer = alice.post(f"/experiments/runs/tasks/{path}", fields, Referer=f"{made.url}/experiments/runs/tasks")
        assert answer.status == 422 and "Not done" in answer.body and "<h1>Tasks and leases</h1>" in answer.body
    assert alice.post("/experiments/runs/tasks/refuse", {"id": "x"}).status == 422
