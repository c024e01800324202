"""What becomes of each field of an NMEA 2000 message in the model; ledgers are made once for each shape of message."""

from __future__ import annotations

from functools import lru_cache

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Ledger, Reason
from aldis.apps.experiments.gateways.nmea2000.pgns import PGNS

__all__ = ["told"]

_AIS = {
    "userId": "identity.mmsi",
    "longitude": "position.lon_deg",
    "latitude": "position.lat_deg",
    "positionAccuracy": "position.accurate",
    "timeStamp": "timing.source_us",
    "cog": "motion.course_deg",
    "sog": "motion.speed_mps",
    "heading": "motion.heading_deg",
    "trueHeading": "motion.heading_deg",
    "rateOfTurn": "motion.turn_deg_per_min",
    "navStatus": "status.nav_status",
    "specialManeuverIndicator": "status.special_manoeuvre",
    "aisTransceiverInformation": "sensor.channel",
    "imoNumber": "identity.imo",
    "callsign": "identity.callsign",
    "name": "identity.name",
    "atonName": "identity.name",
    "typeOfShip": "type.ship_type",
    "length": "type.length_m",
    "beam": "type.beam_m",
    "positionReferenceFromStarboard": "type.starboard_m",
    "positionReferenceFromBow": "type.bow_m",
    "lengthDiameter": "type.length_m",
    "beamDiameter": "type.beam_m",
    "positionReferenceFromStarboardEdge": "type.starboard_m",
    "positionReferenceFromTrueNorthFacingEdge": "type.bow_m",
    "etaDate": "voyage.eta",
    "etaTime": "voyage.eta",
    "draft": "voyage.draught_m",
    "destination": "voyage.destination",
    "gnssType": "sensor.modality",
    "positionFixingDeviceType": "sensor.modality",
    "atonType": "type.aid_type",
    "offPositionIndicator": "status.state",
    "virtualAtonFlag": "status.mode",
    "positionTime": "timing.source_us",
    "positionDate": "timing.source_us",
    "altitude": "position.original",
}
_OWN = {
    126992: {"date": "timing.source_us", "time": "timing.source_us"},
    127250: {"heading": "motion.heading_deg", "reference": "motion.heading_deg"},
    127251: {"rate": "motion.turn_deg_per_min"},
    127257: dict.fromkeys(("yaw", "pitch", "roll"), "motion.attitude"),
    128259: {"speedWaterReferenced": "motion.water_speed_mps", "speedGroundReferenced": "motion.speed_mps"},
    128267: {"depth": "environment.water_depth_m"},
    129025: {"latitude": "position.lat_deg", "longitude": "position.lon_deg"},
    129026: {"cogReference": "motion.course_deg", "cog": "motion.course_deg", "sog": "motion.speed_mps"},
    129029: {
        "date": "timing.source_us",
        "time": "timing.source_us",
        "latitude": "position.lat_deg",
        "longitude": "position.lon_deg",
        "altitude": "position.height_m",
        "gnssType": "sensor.modality",
        "method": "sensor.fix",
        "numberOfSvs": "sensor.satellites",
        "hdop": "sensor.hdop",
    },
    130306: {
        "windSpeed": "environment.wind_mps",
        "windAngle": "environment.wind_from_deg",
        "reference": "environment.wind_from_deg",
    },
    130310: {
        "waterTemperature": "environment.water_temperature_c",
        "outsideAmbientAirTemperature": "environment.air_temperature_c",
        "atmosphericPressure": "environment.pressure_hpa",
    },
    130311: {
        "temperatureSource": "environment.air_temperature_c",
        "humiditySource": "environment.humidity_percent",
        "temperature": "environment.air_temperature_c",
        "humidity": "environment.humidity_percent",
        "atmosphericPressure": "environment.pressure_hpa",
    },
    130312: {"source": "environment.water_temperature_c", "actualTemperature": "environment.water_temperature_c"},
    130313: {"source": "environment.humidity_percent", "actualHumidity": "environment.humidity_percent"},
    130314: {"source": "environment.pressure_hpa", "pressure": "environment.pressure_hpa"},
    130316: {"source": "environment.air_temperature_c", "temperature": "environment.air_temperature_c"},
}
_DROPS: dict[str, Reason] = dict.fromkeys(
    ("sid", "sequenceId", "messageId", "repeatIndicator", "communicationState", "aisCommunicationState"), "made anew"
)


@lru_cache(maxsize=4096)
def told(pgn: int, present: tuple[str, ...], unknown: tuple[str, ...] = ()) -> Ledger:
    """The ledger of a message in which the fields `present` say something, but `unknown` that nothing is known.

    `field!detail` in `unknown` says that the model has no field for it here; `field>group.field` that it went there,
    `field~error` that it went over with that error in m.
    """
    targets = _OWN.get(pgn, _AIS)
    odd = dict(item.split("!", 1) for item in unknown if "!" in item)
    moved = dict(item.split(">", 1) for item in unknown if ">" in item)
    nearly = dict(item.split("~", 1) for item in unknown if "~" in item)
    entries: list[Approximated | Carried | Dropped] = []
    for item in PGNS[pgn].fields:
        name, native = item.name, f"{pgn}.{item.name}"
        if name not in present:
            continue
        if name in unknown:
            entries.append(Dropped(native, "unknown value"))
        elif name in odd:
            entries.append(Dropped(native, "no field", odd[name]))
        elif name in nearly:
            entries.append(Approximated(native, targets[name], float(nearly[name]), "m"))
        elif name in moved:
            entries.append(Carried(native, moved[name]))
        elif name in targets:
            entries.append(Carried(native, targets[name]))
        else:
            entries.append(Dropped(native, _DROPS.get(name, "no field")))
    return Ledger(tuple(entries))
