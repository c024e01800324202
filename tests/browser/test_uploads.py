"""What a page's script may do with uploads: only its person's, with the session's token, from a page of this host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from callers import SAME, Answer, Caller
from web_scene import Scene

from aldis.interfaces.web.uploads import FORM_HEADER, PIECE_BYTES
from aldis.node.attachments import OPEN

Make = Callable[..., Caller]


def ask(who: Caller, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    answer: Answer = who.ask(method, path, body, {**SAME, FORM_HEADER: who.csrf, **headers})
    return answer.status, msgspec.json.decode(answer.body) if answer.body.startswith("{") else answer.body


def waiting(made: Scene, who: str = "alice") -> int:
    return sum(one.digest is None for one in made.node.core.store.attachments.uploads(who))


def test_a_file_comes_in_pieces_and_goes_on_from_where_it_ends(caller: Make, made: Scene) -> None:
    alice = caller("alice")
    status, begun = ask(alice, "POST", "/uploads?name=chart%C3%A9.csv")
    assert (status, begun["held"]) == (200, 0)
    place = f"/uploads/{begun['id']}"
    assert ask(alice, "PUT", f"{place}?from=0", b"one,two\n") == (200, {"held": 8})
    status, again = ask(alice, "PUT", f"{place}?from=0", b"one,two\n")
    assert (status, again["held"]) == (409, 8), "the answer to a piece was lost: go on after it"
    assert ask(alice, "PUT", f"{place}?from=8", b"3,4\n") == (200, {"held": 12})
    status, came = ask(alice, "POST", f"{place}/whole")
    found = msgspec.json.decode(came["file"])
    assert (found["name"], found["size"], found["media_type"]) == ("charté.csv", 12, "text/csv")
    assert ask(alice, "PUT", f"{place}?from=12", b"x")[0] == 409 and ask(alice, "POST", f"{place}/drop")[0] == 422
    assert waiting(made) == 0


def test_what_is_dropped_or_refused_leaves_nothing(caller: Make, made: Scene) -> None:
    alice = caller("alice")
    _, begun = ask(alice, "POST", "/uploads?name=a.bin")
    ask(alice, "PUT", f"/uploads/{begun['id']}?from=0", b"half")
    assert waiting(made) == 1 and ask(alice, "POST", f"/uploads/{begun['id']}/drop") == (200, {})
    _, begun = ask(alice, "POST", "/uploads?name=a.txt")
    ask(alice, "PUT", f"/uploads/{begun['id']}?from=0", b"<html><script>")
    status, said = ask(alice, "POST", f"/uploads/{begun['id']}/whole")
    assert status in (409, 422) and said["what"] and waiting(made) == 0
    _, begun = ask(alice, "POST", "/uploads?name=a.bin")
    status, said = ask(alice, "PUT", f"/uploads/{begun['id']}?from=0", b"x" * (PIECE_BYTES + 1))
    assert status == 413 and "a piece has at most" in said["what"]
    for odd in ("", "x", "-1", "9" * 13, "%D9%A1"):
        assert ask(alice, "PUT", f"/uploads/{begun['id']}?from={odd}", b"x")[0] == 422
    for name in ("", "..%2Fa", "a" * 300):
        assert ask(alice, "POST", f"/uploads?name={name}")[0] == 422
    assert made.node.attachments.uploads.held(begun["id"], "alice") == 0
    for _ in range(OPEN - 1):
        ask(alice, "POST", "/uploads?name=a.bin")
    status, said = ask(alice, "POST", "/uploads?name=a.bin")
    assert (status, said["full"]) == (413, True)
    assert ask(alice, "POST", "/uploads/drop") == (200, {}) and waiting(made) == 0


def test_only_ones_own_uploads_and_only_from_ones_own_pages(caller: Make, made: Scene) -> None:
    alice, bob, gail = caller("alice"), caller("bob"), caller("gail")
    _, begun = ask(alice, "POST", "/uploads?name=WITHHELDNAME.csv")
    place = f"/uploads/{begun['id']}"
    ask(alice, "PUT", f"{place}?from=0", b"WITHHELD")
    absent = f"/uploads/{'0' * 32}"
    for other in (bob, gail):
        for method, way, body in (
            ("PUT", "?from=0", b"x"),
            ("PUT", "?from=8", b"x"),
            ("POST", "/whole", b""),
            ("POST", "/drop", b""),
        ):
            assert ask(other, method, place + way, body) == ask(other, method, absent + way, body)
            assert ask(other, method, place + way, body)[0] in (404, 409, 422)
        ask(other, "POST", "/uploads/drop")
        assert "WITHHELD" not in "".join(other.seen)
    for token in ("", "0" * 64, bob.csrf):
        assert alice.ask("PUT", f"{place}?from=8", b"x", {**SAME, FORM_HEADER: token}).status == 409
    assert (
        alice.ask("PUT", f"{place}?from=8", b"x", {"Sec-Fetch-Site": "cross-site", FORM_HEADER: alice.csrf}).status
        == 403
    )
    assert caller().ask("PUT", f"{place}?from=8", b"x", SAME).status == 401
    assert caller().ask("POST", "/uploads?name=a", b"", SAME).status == 401
    assert made.node.attachments.uploads.held(begun["id"], "alice") == 8
    made.node.people.revoke("alice")
    assert ask(alice, "PUT", f"{place}?from=8", b"x")[0] == 401
    assert made.node.attachments.uploads.held(begun["id"], "alice") == 8
    made.node.attachments.uploads.drop(begun["id"], "alice")
