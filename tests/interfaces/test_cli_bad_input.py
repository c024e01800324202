"""Bad input: each is named, placed, and met with what to do; nothing is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_nations import ARRANGEMENT, Coalition, Nation, nation

DOCUMENT = """\
kind = "document"
id = "doc"
project = "NORTHERN-WATCH"
marking = "OFFICIAL"

[[portion]]
name = "title"
marking = "SECRET//REL AUS/GBR"
value = "Title"
"""


@pytest.mark.parametrize(
    ("before", "after", "code", "said"),
    [
        ('kind = "document"', 'kind = "documant"', 2, ("no kind 'documant'", "document")),
        ('kind = "document"', "", 2, ("'kind' is missing", 'Add a line `kind = "..."`')),
        ("project =", "projekt =", 2, ("no field 'projekt'", "Did you mean 'project'?")),
        ('marking = "OFFICIAL"', 'marking = "OFFICAL"', 2, ("'OFFICAL'", "Did you mean OFFICIAL")),
        ('marking = "OFFICIAL"', 'marking = "ZZ: SECRET"', 2, ("'ZZ' is not a policy", "AUS")),
        ('marking = "OFFICIAL"', 'marking = "US: SECRET//NOFRN"', 2, ("NOFRN", "character")),
        ("REL AUS/GBR", "REL AUS/GRB", 2, ("'GRB'", "character")),
        ("SECRET//REL AUS/GBR", "TOP SECRET", 3, ("ceiling", "accredited")),
        ("SECRET//REL AUS/GBR", "(S//REL AUS/GBR", 2, ("character 1",)),
        ('name = "title"', 'name = "tilte"', 2, ("no portion 'tilte'", "title")),
        ('name = "title"', "", 2, ("portion 1: 'name' is missing",)),
        ('value = "Title"', "value = 7", 2, ("portion 'title'", "str")),
        ('value = "Title"', "", 2, ("one of `value`, `file` and `attach`",)),
        ('value = "Title"', 'file = "absent.txt"', 1, ("absent.txt", "No such file", "Check the path")),
        ("[[portion]]", "[[portoin]]", 2, ("no field 'portoin'", "Did you mean 'portion'?")),
        ("[[portion]]", "[portion", 2, ("is not TOML",)),
        ('id = "doc"', 'id = "a b"', 2, ("record id 'a b'",)),
        ('id = "doc"', 'id = "doc"\nsources = ["nothing"]', 2, ("no record 'nothing' here",)),
        ('id = "doc"', f'id = "doc"\nsources = ["{"0" * 64}"]', 2, ("no record with the digest 0000",)),
        ('id = "doc"', 'id = "doc"\ncontrol = "USML"', 2, ("control", "array")),
    ],
)
def test_a_document_that_is_wrong_is_refused_by_name(
    coalition: Coalition, before: str, after: str, code: int, said: tuple[str, ...]
) -> None:
    assert before in DOCUMENT
    told = coalition.aus.fails(code, "put", coalition.aus.write("doc.toml", DOCUMENT.replace(before, after)))
    for words in said:
        assert words in told
    assert coalition.aus.ask("list")["records"] == []


@pytest.mark.parametrize(
    ("before", "after", "code", "said"),
    [
        ("ceiling = {", "cieling = {", 2, ("line 13", "no field 'cieling'", "Did you mean 'ceiling'?")),
        ('AUS = "SECRET"', 'AUS = "SECRT"', 2, ("line 13", "SECRT", "Did you mean SECRET?")),
        ('AUS = "SECRET"', 'AUX = "SECRET"', 2, ("'AUX' is not a policy",)),
        ('"arrangement"', '"arangement"', 2, ("arangement", "Did you mean 'arrangement'?")),
        ("purposes =", "purpose =", 2, ("no field 'purpose'", "Did you mean 'purposes'?")),
        ('id = "4.1"', 'id = "4 1"', 2, ("clause 4 1 id", "is not an id")),
        ("until = 2046-12-31", "until = 2025-12-31", 2, ("the last day is before the first",)),
        ("from = 2026-01-01", 'from = "soon"', 2, ("is not a date", "2026-01-31")),
        ('"AUS", "GBR", "USA"', '"GBR", "USA"', 3, ("AUS is not a party to",)),
        ("[[clause]]", "[clause", 2, ("not TOML",)),
    ],
)
def test_an_instrument_that_is_wrong_is_refused_by_line(
    coalition: Coalition, before: str, after: str, code: int, said: tuple[str, ...]
) -> None:
    text = ARRANGEMENT.replace("pa-northern-watch", "pa-new")
    assert before in text
    file = coalition.aus.write("new.toml", text.replace(before, after))
    for command in (("preview", file), ("instrument", "draft", file)):
        told = coalition.aus.fails(code, *command)
        for words in said:
            assert words in told
    assert "pa-new" not in coalition.aus.run("instrument", "list").stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("get", "nothing"), 2, "`aldis list` and `aldis search` find what is"),
        (("get", "plan", "--as", "nobody"), 2, "no record 'plan'"),
        (("why", "nothing", "gbr"), 2, "no record 'nothing' here"),
        (("why", "nothing", "nobody"), 2, "Name one of these nodes: gbr, usa"),
        (("list", "--as", "nobody"), 2, "Name one of these nodes: gbr, usa"),
        (("list", "--cursor", "junk"), 2, "Start again without it"),
        (("search", "   "), 2, "Do:"),
        (("offer", "nothing", "gbr"), 2, "no record 'nothing'"),
        (("hold", "nothing", "--because", "x"), 2, "no record 'nothing'"),
        (("delete", "nothing"), 2, "no record 'nothing' here"),
        (("instrument", "sign", "nothing"), 2, "`aldis instrument list` names those that are"),
        (("instrument", "show", "nothing"), 2, "`aldis instrument list` names those that are"),
        (("instrument", "draft", "nowhere.toml"), 1, "Check the path"),
        (("instrument", "amend", "northern.toml"), 2, "no instrument 'pa-unknown' here"),
        (("instrument", "draft", "latin1.toml"), 2, "is not text in UTF-8"),
        (("bundle", "export", "nobody"), 2, "Name one of these nodes: gbr, usa"),
        (("bundle", "import", "nowhere"), 2, "nowhere cannot be read"),
        (("bundle", "import", "northern.toml"), 2, "not a"),
        (("bundle", "show", "northern.toml"), 2, "not a bundle"),
        (("bundle", "show", "."), 2, "Name one bundle file in it"),
        (("quarantine", "retry", "9"), 2, "`aldis quarantine list` names them"),
        (("quarantine", "drop", "9", "--because", "x"), 2, "no entry 9"),
        (("partner", "suspend", "nobody", "--because", "x"), 2, "Name one of these nodes: gbr, usa"),
        (("partner", "suspend", "gbr"), 2, "--because"),
        (("put", "--kind", "document", "--marking", "OFFICIAL", "--portion", "title"), 2, "NAME=VALUE"),
        (("put", "--kind", "document", "--portion", "title=T"), 2, "has no marking"),
        (("put", "--kind", "document", "--marking", "OFFICIAL", "--portion-marking", "body=SECRET",
          "--portion", "title=T"), 2, "names 'body', and neither --portion nor --attach does"),
        (("put", "--kind", "technical-data", "--marking", "OFFICIAL", "--portion", "parts=Hull"), 2, "nor JSON"),
        (("put", "--kind", "technical-data", "--marking", "OFFICIAL", "--portion", 'parts=[{"prat": 1}]'), 2, "parts"),
        (("put", "--revise", "nothing", "--portion", "title=T"), 2, "no record 'nothing' here"),
        (("put", "--kind", "document", "--marking", "OFFICIAL"), 2, "has no portion"),
        (("put", "--kind", "document", "--marking", "OFFICIAL", "--portion", "title=T", "--control", "bogus tag"), 2,
         "such as USML:XI(c)"),
        (("put", "--kind", "document", "--marking", "UK: SECRET – UK EYES ONLY", "--portion", "title=T"), 3,
         "does not let AUS have it"),
        (("put", "--kind", "document", "--marking", "OFFICIAL", "--portion", "title=T",
          "--portion-marking", "title=US: SECRET//NOFORN"), 3, "does not let AUS have it"),
        (("put", "--kind", "document", "--marking", "TOP SECRET", "--portion", "title=T"), 3,
         "is above this node's ceiling"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_done_says_what_can(
    coalition: Coalition, words: tuple[str, ...], code: int, said: str
) -> None:
    Path("northern.toml").write_text(ARRANGEMENT.replace("pa-northern-watch", "pa-unknown"), "utf-8")
    Path("latin1.toml").write_bytes('title = "Übung"'.encode("latin-1"))
    assert said in coalition.aus.fails(code, *words)


def test_an_address_that_cannot_be_stops_init_and_up(coalition: Coalition) -> None:
    aus = coalition.aus
    assert "`listen` cannot be '127.0.0.1:99999'" in aus.fails(2, "up", "--listen", "127.0.0.1:99999")
    new = Nation("NZL", aus.folder)
    assert "`listen` cannot be 'nonsense'" in new.fails(2, "init", "NZL", "--listen", "nonsense")
    assert "`url` cannot be 'ftp://x'" in new.fails(2, "init", "NZL", "--url", "ftp://x")
    assert not new.home.exists()


def test_where_nobody_is_paired_the_next_step_is_to_pair(coalition: Coalition) -> None:
    alone = nation("NZL", coalition.aus.folder)
    said = alone.fails(2, "partner", "show", "nobody")
    assert "no partner 'nobody'" in said and "There is none yet: pair with `aldis invite PARTY`" in said


def test_an_id_in_use_is_a_mistake_and_no_fork(coalition: Coalition) -> None:
    aus = coalition.aus
    put = ("put", "--kind", "document", "--id", "d1", "--marking", "OFFICIAL", "--portion", "title=T")
    aus.run(*put)
    said = aus.fails(2, *put)
    assert "has a record 'd1' already" in said and "put --revise d1`" in said
    aus.run("put", "--revise", "d1", "--portion", "title=U")
    assert "version 2 the newest" in aus.fails(2, *put)
    assert aus.ask("get", "d1")["version"] == 2


def test_an_oversized_or_deeply_nested_value_is_refused(coalition: Coalition) -> None:
    aus = coalition.aus
    Path("large.txt").write_text("x" * 1_100_000)
    put = ("put", "--kind", "document", "--marking", "OFFICIAL", "--portion")
    assert "is larger than" in aus.fails(2, *put, "body=@large.txt")
    Path("nearly.txt").write_text("x" * 1_048_500)
    assert "the limit is" in aus.fails(2, *put, "body=@nearly.txt")
    deep = "[" * 5000 + "]" * 5000
    aus.fails(2, "put", "--kind", "technical-data", "--marking", "OFFICIAL", "--portion", f"parts={deep}")
    Path("deep.toml").write_text("kind = " + "[" * 5000 + "]" * 5000)
    assert "is not TOML" in aus.fails(2, "put", "deep.toml")


def test_keys_that_others_can_read_stop_the_node(coalition: Coalition) -> None:
    key = coalition.aus.home / "keys" / "signing.key"
    key.chmod(0o644)
    assert "can be read by others" in coalition.aus.fails(2, "list")
    key.chmod(0o600)
    key.unlink()
    said = coalition.aus.fails(2, "list")
    assert "Restore it from your backup of the keys" in said and "pair with each partner again" in said


def test_a_damaged_store_is_named_by_every_command_and_by_doctor(coalition: Coalition) -> None:
    store = coalition.aus.home / "store.db"
    data = store.read_bytes()
    for damaged in (b"junk" * 1000, data[: len(data) // 2]):
        store.write_bytes(damaged)
        assert "`aldis doctor`" in coalition.aus.fails(4, "list")
        found = coalition.aus.run("doctor", code=1)
        assert "restore a backup" in found.stdout and "`aldis doctor`" not in found.stdout
