"""UMAA 5.2.1 over DDS: the public types of the Unmanned Maritime Autonomy Architecture that map to the model.

Vehicles: GlobalPoseReport, SpeedReport, VelocityReport, BatteryReport. Contacts: ContactReport with its set of them.
Tasks: GlobalWaypointCommand with its list of waypoints, its acknowledgement and its status. The rest of UMAA (vectors,
patterns, mission plans, engines, sensors) says what the model has no word for, and is not read.
"""

from __future__ import annotations

from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.umaa.gateway import UmaaGateway, familiar, fields
from aldis.apps.experiments.gateways.umaa.specimens import specimens
from aldis.apps.experiments.gateways.umaa.wire import topics

__all__ = ["OFFERED", "UmaaGateway", "topics"]

OFFERED = Offered(
    protocol="umaa",
    title="UMAA 5.2.1 (DDS)",
    open=UmaaGateway,
    familiar=familiar,
    specimens=specimens,
    fields=fields,
)
