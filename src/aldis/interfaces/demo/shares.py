"""What each nation brings to the demo: its systems, and how what they say is marked."""

from __future__ import annotations

from dataclasses import dataclass

from aldis.app import System
from aldis.interfaces.demo.nations import Share, free_port
from aldis.node.config import Marking

__all__ = ["PROJECT", "TRACK_LABELS", "Ports", "of_sea_and_search", "of_sea_only"]

PROJECT = "NORTHERN-WATCH"
TRACK_LABELS = {
    "track": {
        "header": "OFFICIAL//REL AUS/GBR/USA",
        "position": "OFFICIAL: Sensitive//REL AUS/GBR/USA",
        "identity": "OFFICIAL: Sensitive//REL AUS/GBR/USA",
        "type": "OFFICIAL: Sensitive//REL AUS/GBR/USA",
        "motion": "PROTECTED//REL AUS/USA",
        "status": "PROTECTED//REL AUS/USA",
        "voyage": "PROTECTED//REL AUS/USA",
        "timing": "PROTECTED//REL AUS/USA",
        "sensor": "SECRET//AGAO",
    }
}
_FOR_ALL = "OFFICIAL//REL AUS/GBR/USA"
_DISTRESS = ("header", "position", "motion", "identity", "type", "status", "timing")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each player finds its node, on loopback."""

    raft: int
    helicopter: int
    observer: int
    usv: int

    @staticmethod
    def free() -> Ports:
        """Four that nobody listens at."""
        return Ports(*(free_port() for _ in range(4)))


def of_sea_only(place: str) -> dict[str, Share]:
    """Australia hears the sea at `place`; its partners bring nothing."""
    return {
        "aus": Share(systems=[System(name="sea", address=place)], labels=TRACK_LABELS),
        "gbr": Share(),
        "usa": Share(),
    }


def of_sea_and_search(place: str, ports: Ports) -> dict[str, Share]:
    """Each nation brings systems of its own, each of which speaks its own protocol."""
    radio = System(name="radio", address=f"nmea0183+udp://127.0.0.1:{ports.raft}")
    distress = Marking(system="radio", key="mmsi:970*", labels=dict.fromkeys(_DISTRESS, _FOR_ALL))
    rescue = {
        kind: dict.fromkeys(("header", *portions), _FOR_ALL)
        for kind, portions in (
            ("report", ("text", "about", "position", "timing")),
            ("tasking", ("order", "state", "timing")),
        )
    }
    return {
        "aus": Share(
            systems=[System(name="sea", address=place), radio],
            labels=TRACK_LABELS | rescue,
            marking=[distress],
        ),
        "gbr": Share(
            systems=[
                System(name="helicopter", address=f"dis+udp://127.0.0.1:{ports.helicopter}"),
                System(name="lookout", address=f"cot+tcp-listen://127.0.0.1:{ports.observer}", person="lookout"),
            ],
            labels={
                "track": {
                    **dict.fromkeys(
                        ("header", "position", "identity", "type", "status", "timing"), "OFFICIAL-SENSITIVE"
                    ),
                    "motion": "SECRET – UK / US EYES ONLY",
                    "sensor": "SECRET – UK EYES ONLY",
                },
                "report": dict.fromkeys(("header", "text", "about", "position", "timing"), "OFFICIAL-SENSITIVE"),
            },
            clearance={"UK": "SECRET"},
        ),
        "usa": Share(
            systems=[System(name="usv", address=f"mavlink+udp://127.0.0.1:{ports.usv}", person="usv", tasking=True)],
            labels={
                "track": {
                    **dict.fromkeys(
                        ("header", "position", "motion", "identity", "type", "timing"),
                        "UNCLASSIFIED//REL TO USA, AUS, GBR",
                    ),
                    "status": "SECRET//REL TO USA, AUS",
                    "sensor": "SECRET//NOFORN",
                },
                "answer": dict.fromkeys(
                    ("header", "answer", "progress", "remarks"), "UNCLASSIFIED//REL TO USA, AUS, GBR"
                ),
            },
            clearance={"US": "SECRET"},
        ),
    }
