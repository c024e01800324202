"""`put`, `get`, `list`, `search`, `delete`: records with their markings."""

from __future__ import annotations

from pathlib import Path

from cli_nations import Coalition, Nation, agree, carry, put_plan

COARSE = """\
instrument = "arrangement"
id = "pa-coarse"
title = "Coarse positions"
parties = ["AUS", "USA"]
from = 2026-01-01
until = 2046-12-31

[[clause]]
id = "1"
kinds = ["track"]
projects = ["SEA"]
purposes = ["surveillance"]
ceiling = { AUS = "SECRET" }
transforms = [{ portion = "position", action = "coarsen", grid_m = 10000 }]
"""


def put_track(aus: Nation) -> None:
    aus.run(
        *("put", "--kind", "track", "--id", "vessel", "--project", "SEA", "--marking", "OFFICIAL//REL AUS/USA"),
        *("--portion", 'position={"lat_deg": 59.912345, "lon_deg": 24.312345}'),
    )


def test_each_partner_gets_the_portions_that_its_marking_allows_and_no_trace_of_the_others(
    coalition: Coalition,
) -> None:
    put_plan(coalition.aus)
    for partner in (coalition.gbr, coalition.usa):
        carry(coalition.aus, partner)
    assert [part["name"] for part in coalition.gbr.ask("get", "plan")["portions"]] == ["title", "body", "annex"]
    shown = coalition.usa.run("get", "plan").stdout + coalition.usa.run("get", "plan", "--json").stdout
    assert "Patrol plan" in shown
    assert "canary" not in shown and "annex" not in shown
    assert coalition.usa.ask("search", "canary")["records"] == []
    assert len(coalition.gbr.ask("search", "canary")["records"]) == 1
    assert coalition.usa.ask("list")["records"][0]["banner"] == "AUS: SECRET//REL AUS/GBR/USA"


def test_the_operator_can_look_with_a_partners_eyes(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    seen = coalition.aus.run("get", "plan", "--as", "usa").stdout
    assert "Patrol plan" in seen and "canary" not in seen
    assert "canary" in coalition.aus.run("get", "plan").stdout
    assert coalition.aus.ask("search", "canary", "--as", "USA")["records"] == []
    assert len(coalition.aus.ask("search", "canary", "--as", "GBR")["records"]) == 1
    coalition.aus.run("put", "--kind", "document", "--id", "own", "--marking", "SECRET//AGAO", "--portion", "title=Own")
    assert [one["id"] for one in coalition.aus.ask("list", "--as", "gbr")["records"]] == ["plan"]
    assert "may not know of 'own'" in coalition.aus.fails(3, "get", "own", "--as", "gbr")


def test_a_transformed_portion_is_shown_with_its_transform_at_both_ends(coalition: Coalition) -> None:
    agree([coalition.aus, coalition.usa], COARSE, "pa-coarse")
    put_track(coalition.aus)
    assert "[on its way: coarsen 10000 m]" in coalition.aus.run("get", "vessel", "--as", "usa").stdout
    carry(coalition.aus, coalition.usa)
    arrived = coalition.usa.ask("get", "vessel")
    assert arrived["portions"] == []
    assert arrived["substitutes"][0]["transform"] == "coarsen 10000 m"
    assert arrived["substitutes"][0]["value"]["lat_deg"] != 59.912345
    assert "position  [as it came: coarsen 10000 m]" in coalition.usa.run("get", "vessel").stdout
    assert "59.912345" not in coalition.usa.run("get", "vessel").stdout


def test_a_revision_keeps_the_portions_that_it_does_not_name(coalition: Coalition) -> None:
    aus = coalition.aus
    put_plan(aus)
    said = aus.ask("put", "--revise", "plan", "--portion", "body=It leaves on the 4th.")
    assert (said["id"], said["version"]) == ("plan", 2)
    parts = {part["name"]: part for part in aus.ask("get", "plan")["portions"]}
    assert parts["body"]["value"] == "It leaves on the 4th."
    assert parts["body"]["mark"] == "(S//REL AUS/GBR/USA)"
    assert parts["annex"]["value"] == "Sonar canary settings"
    assert aus.ask("get", "plan", "--version", "1")["portions"][1]["value"] == "The survey vessel leaves on the 3rd."
    aus.run("put", "--revise", "plan", "--portion-marking", "annex=SECRET//REL AUS/GBR/USA")
    assert aus.ask("why", "plan", "usa")["verdict"] == "permit"


def test_a_file_states_the_whole_next_version(coalition: Coalition) -> None:
    aus = coalition.aus
    put_plan(aus)
    file = aus.write(
        "next.toml", 'kind = "document"\nmarking = "OFFICIAL"\n[[portion]]\nname = "title"\nvalue = "New"\n'
    )
    assert aus.ask("put", file, "--revise", "plan")["version"] == 2
    assert [part["name"] for part in aus.ask("get", "plan")["portions"]] == ["title"]


def test_only_the_originator_writes_the_next_version(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    carry(coalition.aus, coalition.gbr)
    assert "--source" in coalition.gbr.fails(2, "put", "--revise", "plan", "--portion", "title=Mine")
    coalition.gbr.fails(2, "delete", "plan")


def test_a_deletion_reaches_the_partner(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    carry(coalition.aus, coalition.gbr)
    coalition.aus.run("delete", "plan")
    carry(coalition.aus, coalition.gbr)
    assert coalition.gbr.ask("list")["records"] == []
    assert coalition.gbr.ask("get", "plan")["deleted"] is True
    assert "canary" in coalition.gbr.run("get", "plan", "--version", "1").stdout


def test_what_is_made_from_sources_is_bound_by_them(coalition: Coalition) -> None:
    aus, gbr = coalition.aus, coalition.gbr
    put_plan(aus)
    made = aus.ask("put", "--kind", "document", "--id", "brief", "--source", "plan", "--portion", "title=Brief")
    assert made["banner"] == "SECRET//REL AUS/GBR"
    assert aus.ask("get", "brief")["sources"] == [aus.ask("get", "plan")["digest"]]
    carry(aus, gbr)
    digest = gbr.ask("get", "plan")["digest"]
    own = gbr.ask(
        *("put", "--kind", "document", "--id", "view", "--source", digest, "--marking", "OFFICIAL"),
        *("--control", "USML:XI(c)", "--portion", "title=Our view"),
    )
    assert own["label"]["origins"] == ["AUS"]
    assert own["label"]["control"] == ["USML:XI(c)"]
    assert "export control: USML:XI(c)" in gbr.run("get", "view").stdout


def test_ids_are_opaque_unless_given(coalition: Coalition) -> None:
    said = [coalition.aus.ask("put", "--kind", "document", "--marking", "OFFICIAL", "--portion", "title=Secret plan")
            for _ in range(2)]  # fmt: skip
    assert len({one["id"] for one in said}) == 2
    assert all(len(one["id"]) == 20 for one in said)
    assert coalition.aus.ask("get", said[0]["id"])["author"] == "aus"


def test_pages_follow_each_other(coalition: Coalition) -> None:
    aus = coalition.aus
    for number in range(3):
        aus.run("put", "--kind", "document", "--id", f"d{number}", "--marking", "OFFICIAL", "--portion", "title=T")
    first = aus.ask("list", "--limit", "2")
    assert [one["id"] for one in first["records"]] == ["d2", "d1"]
    rest = aus.ask("list", "--limit", "2", "--cursor", first["next"])
    assert ([one["id"] for one in rest["records"]], rest["next"]) == (["d0"], None)
    assert "cursor is not one of this list" in aus.fails(2, "list", "--as", "gbr", "--cursor", first["next"])
    kinds = {one["kind"] for one in aus.ask("list", "--all")["records"]}
    assert {"document", "instrument", "cosignature"} <= kinds


def test_values_come_from_files_and_as_json(coalition: Coalition, tmp_path: Path) -> None:
    aus = coalition.aus
    parts = aus.write("parts.json", '[{"part": "Hull", "drawing": "H-1"}]')
    body = aus.write("body.txt", "Line one\nLine two")
    aus.run("put", "--kind", "technical-data", "--id", "tdp", "--marking", "OFFICIAL", "--portion", f"parts=@{parts}")
    assert aus.ask("get", "tdp")["portions"][0]["value"] == [{"part": "Hull", "drawing": "H-1"}]
    aus.run("put", "--kind", "document", "--id", "doc", "--marking", "UK: OFFICIAL", "--portion", f"body=@{body}")
    assert aus.ask("get", "doc")["portions"][0]["value"] == "Line one\nLine two"
    assert aus.ask("get", "doc")["label"]["policy"] == "UK"


def test_a_record_cannot_send_control_codes_to_the_terminal(coalition: Coalition) -> None:
    aus = coalition.aus
    sly = "\x1b]0;owned\x07 \u202eesrever"
    aus.run("put", "--kind", "document", "--id", "sly", "--marking", "OFFICIAL//REL AUS/GBR", "--project",
            "NORTHERN-WATCH", "--portion", f"title={sly}")  # fmt: skip
    carry(aus, coalition.gbr)
    for words in (("get", "sly"), ("list",), ("search", "owned"), ("get", "sly", "--json")):
        said = coalition.gbr.run(*words)
        assert not {"\x1b", "\x07", "\u202e"} & set(said.stdout + said.stderr)
    assert coalition.gbr.ask("get", "sly")["portions"][0]["value"] == sly
