"""Players: small simulated systems that speak their own protocol on real sockets, to try a node with and to show it.

Each is a few lines of motion behind a real codec. None stands for a real vehicle, and each says so in what it sends
where its protocol has room for words.
"""

from __future__ import annotations

from aldis.apps.experiments.players.helicopter import Helicopter
from aldis.apps.experiments.players.observer import Observer
from aldis.apps.experiments.players.raft import Raft
from aldis.apps.experiments.players.sea import Sea
from aldis.apps.experiments.players.usv import Usv

__all__ = ["Helicopter", "Observer", "Raft", "Sea", "Usv"]
