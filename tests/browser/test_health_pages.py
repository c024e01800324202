"""Node health by page: the doctor's checks, to administrators of this nation; below the ceiling the machine's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from callers import Caller
from web_scene import Scene, hire

from aldis.interfaces.web.pages import health
from aldis.kernel.authority import Role
from aldis.node.backup import LAST
from aldis.node.checks import Check, run_checks
from aldis.node.exchange import problem_of

Make = Callable[..., Caller]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each look is made anew."""
    monkeypatch.setattr(health, "FRESH_S", 0.0)
    yield


def test_it_is_there_for_this_nations_administrators_alone(caller: Make, made: Scene) -> None:
    hire(made.node, "freda", nationality="GBR", roles=[Role.ADMINISTRATOR])
    for who in ("alice", "bob", "olive", "audrey", "gail", "freda"):
        one = caller(who)
        assert one.get("/health").plain == one.get("/records/none-such").plain, who
        assert 'href="/health"' not in one.get("/level").body
    assert 'href="/health"' in caller("pat").get("/level").body


def test_at_the_ceiling_it_says_what_the_doctor_says(caller: Make, made: Scene, looked: None) -> None:
    made.node.core.store.meta.set(problem_of("gbr"), b"items 7171 to 7272 left in HIDDENFILE\n`aldis HIDDENFIX` <b>")
    page = caller("pat", "SECRET").get("/health")
    assert page.banners == ["SECRET"] * 2
    for check in run_checks(made.node, quick=True):
        assert check.name in page.body
        assert (
            check.ok is False
            or check.cause.replace("`aldis backup FILE`", "<code>aldis backup FILE</code>") in page.body
        )
    assert "1 thing to mend" in page.body and "<code>aldis HIDDENFIX</code> &lt;b&gt;" in page.body


def test_below_the_ceiling_nothing_tells_of_partners_cases_or_entries(
    caller: Make, made: Scene, looked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pat = caller("pat")
    made.node.core.store.meta.set(problem_of("gbr"), b"")
    before = pat.get("/health").plain
    assert "certificate" in before and "partner gbr" not in before and "quarantine" not in before
    made.node.core.store.meta.set(problem_of("gbr"), b"items 7171 left in HIDDENFILE\nHIDDENFIX")
    monkeypatch.setattr(made.node.desk, "overdue", lambda: 7272)
    monkeypatch.setattr(made.node.attachments, "missing", lambda: ["HIDDENDIGEST"])
    after = pat.get("/health")
    assert after.plain == before and after.banners == ["OFFICIAL"] * 2
    high = caller("pat", "SECRET").get("/health").body
    assert "7272 cases overdue" in high or "7,272 cases overdue" in high
    assert "HIDDENDIGEST" in high and "HIDDENFILE" in high


def test_what_is_wrong_with_the_machine_is_named_with_its_fix_at_any_level(
    caller: Make, made: Scene, looked: None
) -> None:
    made.node.core.store.meta.set_number(LAST, made.clock.now() - 30 * 86_400_000)
    page = caller("pat").get("/health").body
    assert (
        "To mend" in page and "30 days ago" in page and "<code>aldis backup FILE</code>, and keep it elsewhere" in page
    )


def test_looks_are_shared_for_some_seconds_and_end_when_they_take_too_long(
    made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, runs = [0.0], 0

    def slow(_node: object, *, quick: bool) -> Iterator[Check]:
        nonlocal runs
        runs += 1
        assert quick
        for number in range(10):
            now[0] += 2.0
            yield Check(f"check {number}", ok=True)

    monkeypatch.setattr(health, "run_checks", slow)
    looks = health.Looks(lambda: now[0])
    found, whole, _ = looks.at(made.node)
    assert (len(found), whole, runs) == (3, False, 1)
    looks.at(made.node)
    assert runs == 1
    now[0] += health.FRESH_S
    looks.at(made.node)
    assert runs == 2


def test_a_node_without_partners_says_what_to_do(caller: Make, made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made.node.partners, "all", list)
    assert "Invite one, or take an invitation in" in caller("pat").get("/partners").body
    assert "A security officer pairs this node" in caller("alice").get("/partners").body
