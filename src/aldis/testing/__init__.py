"""A coalition of nodes in one process, for tests: real nodes on simulated links, disks and clocks.

with Coalition.of({"aus": "AUS", "gbr": "GBR"}, seed=1) as coalition:
    coalition.pair_all()
    coalition.arrange(text)
    coalition["aus"].records.put(draft)
    coalition.settle()
    check_all(coalition)
"""

from __future__ import annotations

from aldis.testing.archive import Archive, Broken, Occasion, Sent, SentFrame
from aldis.testing.attacks import ATTACKS
from aldis.testing.audience import Decide, Ruling, check_audience
from aldis.testing.clock import START, VirtualClock
from aldis.testing.coalition import Coalition, Snapshot, Unsettled
from aldis.testing.disk import Disk
from aldis.testing.holdings import check_all, check_arrived, check_history, check_ledgers, check_stores
from aldis.testing.hostile import Attack, Hostile, NotNow, Outcome
from aldis.testing.link import Link
from aldis.testing.streams import check_exactly_once, check_prefix
from aldis.testing.weather import FAIR, STORM, Weather

__all__ = [
    "ATTACKS",
    "FAIR",
    "START",
    "STORM",
    "Archive",
    "Attack",
    "Broken",
    "Coalition",
    "Decide",
    "Disk",
    "Hostile",
    "Link",
    "NotNow",
    "Occasion",
    "Outcome",
    "Ruling",
    "Sent",
    "SentFrame",
    "Snapshot",
    "Unsettled",
    "VirtualClock",
    "Weather",
    "check_all",
    "check_arrived",
    "check_audience",
    "check_exactly_once",
    "check_history",
    "check_ledgers",
    "check_prefix",
    "check_stores",
]
