"""Another party's policy at the command line."""

from __future__ import annotations

from pathlib import Path

from cli_nations import Coalition

SPIF = (
    (Path(__file__).parents[1] / "kernel" / "example.spif.xml")
    .read_text("utf-8")
    .replace(
        '<spif:tagCategory name="AUS" lacv="36"/>',
        '<spif:tagCategory name="AUS" lacv="36"/><spif:tagCategory name="USA" lacv="840"/>',
    )
)


def test_a_policy_is_taken_in_and_an_officer_accepts_what_it_claims(coalition: Coalition) -> None:
    usa = coalition.usa
    put = ("put", "--kind", "document", "--project", "NORTHERN-WATCH", "--portion", "title=Note")
    usa.run(*put, "--id", "before", "--marking", "SECRET//REL TO USA, AUS, GBR")
    usa.run("offer", "before", "aus")
    usa.run("bundle", "export", "aus", "-o", str(usa.folder / "post"))
    assert usa.ask("policy", "import", usa.write("example.xml", SPIF), "--party", "CHE")["policy"] == "EXAMPLE"
    assert "2 values are parties" not in usa.run("policy", "list").output
    shown = usa.ask("policy", "show", "EXAMPLE")
    assert shown["claims"][0]["level"] == "CLOSED" and shown["equivalences"] == []
    label = usa.write("label.xml", LABEL)
    usa.run(*put, "--id", "theirs", "--marking", f"@{label}")
    assert usa.ask("get", "theirs")["label"] == {
        "policy": "EXAMPLE",
        "classification": "CLOSED",
        "releasable": ["AUS", "USA"],
    }
    assert "a release officer decides" in usa.run("get", "theirs").output
    usa.run(
        "policy", "accept", "EXAMPLE", "--to", "US", "--level", "CLOSED=SECRET", "--as", "protect", "--because", "Seen"
    )
    assert "handle as  SECRET//REL TO USA, AUS, CHE" in usa.run("get", "theirs").output
    args = ("--level", "CLOSED=TOP SECRET", "--as", "protect", "--because", "On second thought")
    usa.run("policy", "accept", "EXAMPLE", "--to", "US", *args)
    assert "handle as  TOP SECRET//" in usa.run("get", "theirs").output
    assert [row["to"] for row in usa.ask("policy", "show", "EXAMPLE")["equivalences"]] == [["US", "TOP SECRET"]]
    replay = usa.ask("ledger", "replay")
    assert replay["differences"] == [] and replay["decisions"] > 0


def test_a_policy_that_cannot_be_is_refused_and_nothing_is_written(coalition: Coalition) -> None:
    usa = coalition.usa
    assert "two policies are of one party" in usa.fails(
        2, "policy", "import", usa.write("a.xml", SPIF), "--party", "GBR"
    )
    assert "'ATL' is not a party" in usa.fails(2, "policy", "import", usa.write("a.xml", SPIF), "--party", "ATL")
    ours = usa.write("a.xml", SPIF.replace('name="EXAMPLE"', 'name="UK"'))
    assert "UK is a built-in policy" in usa.fails(2, "policy", "import", ours)
    row = ("--level", "SECRET=SECRET", "--as", "protect", "--because", "Why not")
    assert "was imported" in usa.fails(2, "policy", "accept", "US", "--to", "UK", *row)
    usa.fails(2, "policy", "accept", "US", "--to", "UK", "--level", "SECRET", "--as", "protect", "--because", "Why not")
    assert not (usa.home / "policies").exists()


LABEL = """\
<originatorConfidentialityLabel xmlns="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0">
  <ConfidentialityInformation>
    <PolicyIdentifier URI="urn:oid:2.25.283505922519774543341581604402970826256">EXAMPLE</PolicyIdentifier>
    <Classification>CLOSED</Classification>
    <Category Type="PERMISSIVE" TagName="Releasable To">
      <GenericValue>AUS</GenericValue><GenericValue>CHE</GenericValue><GenericValue>USA</GenericValue>
    </Category>
  </ConfidentialityInformation>
  <CreationDateTime>2026-01-01T00:00:00Z</CreationDateTime>
</originatorConfidentialityLabel>
"""
