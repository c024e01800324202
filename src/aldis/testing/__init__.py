"""A coalition of nodes in one process, for tests: real nodes on simulated links, disks and clocks.

with Coalition.of({"aus": "AUS", "gbr": "GBR"}, seed=1) as coalition:
    coalition.pair_all()
    coalition.arrange(text)
    coalition["aus"].records.put(draft)
    coalition.settle()
    check_all(coalition)
"""

from __future__ import annotations
