"""Events in which every field has a value that tells. The vessel and its crew do not exist."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.apps.experiments.gateways.cot.rendering import DECLARATION
from aldis.apps.experiments.gateways.gateway import Specimen

__all__ = ["EVENTS", "specimens"]

_TIMES = 'time="2026-03-14T09:26:53.589793Z" start="2026-03-14T09:26:53.238462Z" stale="2026-03-14T09:28:53.643383Z"'
_MARKED = 'access="Restricted" caveat="FVEY" releasableTo="AUS GBR USA" qos="5-r-d" opex="e-NEPTUNE"'
_POINT = '<point lat="59.8512345" lon="24.4567891" hae="18.31" ce="4.5" le="9.25"/>'


def _event(uid: str, cot: str, detail: str, point: str = _POINT) -> str:
    start = f'<event version="2.0" uid="{uid}" type="{cot}" how="m-g" {_TIMES} {_MARKED}>'
    return f"{start}{point}<detail>{detail}</detail></event>"


EVENTS: dict[str, str] = {
    "track": _event(
        "TAK-USV-7",
        "a-f-S-X-M",
        '<takv device="Relay board" platform="ATAK-CIV" os="34" version="5.1.0.8"/>'
        '<contact callsign="PETREL 7" endpoint="192.0.2.7:4242:tcp" phone="+358 9 5550 0107" email="p7@example.org"'
        ' xmppUsername="petrel7"/>'
        '<uid Droid="Petrel Seven"/><__group name="Cyan" role="Team Lead"/>'
        '<precisionlocation geopointsrc="GPS" altsrc="DTED0"/><status battery="78" readiness="true"/>'
        '<track speed="4.25" course="213.7" slope="2.5" eSpeed="0.3"/>'
        '<sensor azimuth="31.5" elevation="-4.25" fov="45.5" vfov="30.25" range="1200.5" model="EO-1"/>'
        '<remarks source="Petrel">Engine &amp; sensors fine, "all" well</remarks>'
        '<usericon iconsetpath="34ae1613/Ships/usv.png"/><color argb="-1"/><archive/>'
        '<link uid="TAK-MOTHER" type="a-f-S" relation="p-p"/><_flow-tags_ node="2026-03-14T09:26:54.1Z"/>',
    ),
    "polygon": _event(
        "AREA-1",
        "u-d-f",
        '<contact callsign="Search box"/><remarks>Drifting raft</remarks>'
        '<link point="59.85,24.45,3.5"/><link point="59.95,24.45"/><link point="59.95,24.65"/>'
        '<link point="59.85,24.45,3.5"/><strokeColor value="-65536"/>',
    ),
    "circle": _event(
        "AREA-2",
        "u-d-c-c",
        '<contact callsign="Datum"/><remarks>Last seen</remarks>'
        '<shape><ellipse major="926.0" minor="926.0" angle="360"/></shape>',
    ),
    "route": _event(
        "ROUTE-1",
        "b-m-r",
        '<contact callsign="Way in"/><remarks>By the west</remarks>'
        '<link uid="wp1" type="b-m-p-w" callsign="Start" point="59.85,24.45"/>'
        '<link uid="wp2" type="b-m-p-c" callsign="End" point="59.95,24.65"/><link_attr method="Swimming"/>',
    ),
    "marker": _event("MARK-1", "b-m-p-s-m", '<contact callsign="Buoy"/><remarks>Unlit</remarks><color argb="-1"/>'),
    "chat": _event(
        "GeoChat.TAK-USV-7.Cyan.0d5a",
        "b-t-f",
        '<__chat senderCallsign="PETREL 7" chatroom="Cyan" id="Cyan" parent="RootContactGroup" groupOwner="false">'
        '<chatgrp uid0="TAK-USV-7" uid1="TAK-2" id="Cyan"/></__chat><link uid="TAK-USV-7" type="a-f-S" relation="p-p"/>'
        '<remarks source="BAO.F.ATAK.TAK-USV-7" to="Cyan" time="2026-03-14T09:26:53.5Z">Raft in sight</remarks>'
        '<marti><dest callsign="TERN 2"/></marti>',
    ),
    "alert": _event(
        "TAK-USV-7-9-1-1", "b-a-o-tbl", '<emergency type="911 Alert">PETREL 7</emergency><contact callsign="P7-Alert"/>'
    ),
    "task": _event(
        "GOTO-1",
        "b-m-p-w-GOTO",
        '<creator uid="TAK-MOTHER" callsign="MOTHER"/><marti><dest uid="TAK-USV-7"/></marti>'
        "<remarks>Look here</remarks>",
    ),
}
"""By name: one of each kind of thing."""


def specimens() -> Sequence[Specimen]:
    """One message each."""
    return [Specimen(name, (DECLARATION + text.encode(),)) for name, text in EVENTS.items()]
