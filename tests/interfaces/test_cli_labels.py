"""Labels of other systems at the command line."""

from __future__ import annotations

from cli_nations import Coalition

LABEL = """\
<?xml version="1.0" encoding="UTF-8"?>
<originatorConfidentialityLabel xmlns="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0">
  <ConfidentialityInformation>
    <PolicyIdentifier>AUS</PolicyIdentifier>
    <Classification>SECRET</Classification>
    <Category Type="PERMISSIVE" TagName="Releasable To">
      <GenericValue>AUS</GenericValue>
      <GenericValue>GBR</GenericValue>
    </Category>
  </ConfidentialityInformation>
  <CreationDateTime>2026-01-01T00:00:00Z</CreationDateTime>
</originatorConfidentialityLabel>
"""


def test_a_record_is_marked_with_an_xml_label(coalition: Coalition) -> None:
    file = coalition.aus.write("label.xml", LABEL)
    put = coalition.aus.ask(
        "put", "--kind", "document", "--marking", f"@{file}", "--portion", "title=Plan", "--portion", "body=Text",
        "--portion-marking", f"body=@{file}",
    )  # fmt: skip
    assert put["label"] == {"policy": "AUS", "classification": "SECRET", "releasable": ["GBR"]}


def test_an_xml_label_that_fetches_is_refused(coalition: Coalition) -> None:
    file = coalition.aus.write(
        "label.xml", LABEL.replace("<orig", '<!DOCTYPE a SYSTEM "http://example.org/">\n<orig', 1)
    )
    said = coalition.aus.fails(2, "put", "--kind", "document", "--marking", f"@{file}", "--portion", "title=Plan")
    assert "document type declaration is never read" in said
