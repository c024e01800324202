"""One coalition, written by hand: AUS releases to GBR, USA and CAN under a project arrangement and a licence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from worlds import day, policies

from aldis.kernel.encoding import sha256
from aldis.kernel.epoch import Partner, PolicyEpoch
from aldis.kernel.instruments import Entry, Instruments, parse_instrument
from aldis.kernel.labels import Label, Releasability
from aldis.kernel.release import Request

AT = day("2026-06-01")
ARRANGEMENT = """
instrument = "arrangement"
id = "northern-watch"
title = "Northern Watch project arrangement"
parties = ["AUS", "GBR", "USA"]
from = 2026-01-01
until = 2028-12-31

[[clause]]
id = "4.1"
kinds = ["track", "document"]
projects = ["NORTHERN-WATCH"]
purposes = ["search-and-rescue", "surveillance"]
from = ["AUS"]
to = ["GBR", "USA"]
ceiling = { AUS = "SECRET" }
onward = ["USA"]
transforms = [
    { portion = "position", action = "coarsen", grid_m = 1000 },
    { portion = "identity", action = "pseudonymise" },
    { portion = "voyage", action = "delay", seconds = 3600 },
]

[[clause]]
id = "4.2"
kinds = ["document"]
projects = ["NORTHERN-WATCH"]
purposes = ["evaluation"]
portions = ["annex"]
ceiling = { AUS = "SECRET" }
review = true

[[clause]]
id = "5"
kinds = ["track"]
projects = ["*"]
purposes = ["surveillance"]
from = ["GBR"]
to = ["AUS"]
ceiling = { UK = "SECRET" }
onward = ["USA"]
"""
LICENCE = """
instrument = "licence"
id = "tdp-usa"
title = "Technical data to the United States"
parties = ["AUS", "USA"]
from = 2026-01-01
until = 2026-12-31

[[clause]]
id = "1"
tags = ["DSGL:6A001"]
from = ["AUS"]
to = ["USA"]
"""
EXEMPTION = """
instrument = "exemption"
id = "aukus"
title = "22 CFR 126.7 among the parties"
parties = ["AUS", "GBR", "USA"]
from = 2024-01-01
until = 2027-12-31
rule = "22 CFR 126.7"

[evidence]
activity_covered = true
within_territory = true
eligible_parties = true
not_excluded_technology = true
within_value_limits = true
no_sme_manufacture_abroad = true

[[clause]]
id = "1"
tags = ["USML:XI(c)"]
"""


def signed(text: str, version: int = 1) -> Entry:
    """A version of an instrument that all its parties signed."""
    instrument = parse_instrument(text, policies())
    return Entry(instrument, sha256(text.encode()), version, instrument.parties)


EPOCH = PolicyEpoch(
    party="AUS",
    node="aus-low",
    ceiling=(("AUS", "SECRET"),),
    policies=policies(),
    instruments=Instruments((signed(ARRANGEMENT), signed(LICENCE), signed(EXEMPTION))),
    partners=(
        Partner("gbr-low", "GBR", (("UK", "SECRET"),)),
        Partner("usa-low", "USA", (("US", "SECRET"),)),
        Partner("can-low", "CAN", (("AUS", "SECRET"), ("CAN", "SECRET"))),
        Partner("aus-high", "AUS", (("AUS", "TOP SECRET"),), (("*", frozenset({"*"})),)),
    ),
)
SECRET = Label("AUS", "SECRET", Releasability.to("GBR", "USA"))
REQUEST = Request(
    label=SECRET,
    kind="track",
    recipient="gbr-low",
    originator="AUS",
    project="NORTHERN-WATCH",
    purpose="surveillance",
    record="track-1",
)


@dataclass(frozen=True)
class Held:
    """A record as release sees it; `parts` are names and labels of portions."""

    parts: Sequence[tuple[str, Label]] = (("position", SECRET), ("identity", SECRET))
    label: Label = SECRET
    kind: str = "track"
    id: str = "track-1"
    project: str = "NORTHERN-WATCH"
    originator: str = "AUS"
    created: int = AT
    digest: bytes = field(default=sha256(b"record"))

    @property
    def portions(self) -> Sequence[tuple[bytes, str, Label]]:
        return [(self.of(name), name, label) for name, label in self.parts]

    @staticmethod
    def of(name: str) -> bytes:
        """The digest of the portion of that name."""
        return sha256(name.encode())


def with_instrument(epoch: PolicyEpoch, text: str, version: int = 1) -> PolicyEpoch:
    """The epoch with one more signed version."""
    return replace(epoch, instruments=epoch.instruments.with_entry(signed(text, version)))
