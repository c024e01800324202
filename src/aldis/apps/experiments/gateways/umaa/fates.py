"""What becomes of the members of reports: a table for each topic, and the ledgers that are made of them."""

from __future__ import annotations

from functools import lru_cache

from aldis.apps.experiments.entity import Approximated, Carried, Dropped, Ledger
from aldis.apps.experiments.entity.losses import Entry

__all__ = ["ANGLE", "CONTACT", "FATES", "SPEED", "VARIANCE", "ledger_of", "shared"]

ANGLE = 1e-12
"""Radians, or degrees: the error of turning one into the other, and of quaternions."""
SPEED = 1e-9
VARIANCE = 1e-9
CONTACT = "ContactReportContactsSetElement"
_TIME: tuple[Entry, ...] = (
    Carried("timeStamp.seconds", "timing.source_us"),
    Approximated("timeStamp.nanoseconds", "timing.source_us", 1e-6, "s"),
    Carried("source", "identity.umaa_id"),
)
_PLACE: tuple[Entry, ...] = (
    Carried("position.geodeticLatitude", "position.lat_deg"),
    Carried("position.geodeticLongitude", "position.lon_deg"),
    Carried("altitudeGeodetic", "position.height_m"),
    Carried("depth", "position.depth_m"),
    *(Approximated(f"positionCovariance.{n}", "position.accuracy_m", VARIANCE, "m2") for n in ("pnPn", "pePe")),
    Approximated("positionCovariance.pdPd", "position.height_accuracy_m", VARIANCE, "m2"),
    Approximated("course", "motion.course_deg", ANGLE, "rad"),
)


def _below(path: str, entry: Entry) -> Entry:
    if isinstance(entry, Carried):
        return Carried(path + entry.field, entry.to)
    if isinstance(entry, Dropped):
        return Dropped(path + entry.field, entry.reason, entry.detail)
    return Approximated(path + entry.field, entry.to, entry.error, entry.unit)


_TABLES: dict[str, tuple[Entry, ...]] = {
    "GlobalPoseReport": (
        *_TIME,
        *_PLACE,
        Carried("altitude", "position.original"),
        *(Approximated(f"attitude.{n}.{n}", "motion.attitude", ANGLE, "rad") for n in ("pitch", "roll", "yaw")),
        Carried("navigationSolution", "sensor.fix"),
    ),
    "SpeedReport": (
        *_TIME,
        Carried("mode", "status.mode"),
        Carried("speedOverGround", "motion.speed_mps"),
        Carried("speedThroughWater", "motion.water_speed_mps"),
    ),
    "VelocityReport": (
        *_TIME,
        *(Approximated(f"velocity.{n}Speed", "motion.speed_mps", SPEED, "m/s") for n in ("north", "east")),
        Carried("velocity.downSpeed", "motion.climb_mps"),
        *(Carried(f"attitudeRate.{n}Rate", "motion.rates_rad_s") for n in ("roll", "pitch", "yaw")),
    ),
    "BatteryReport": (
        *_TIME,
        Carried("chargeRemaining", "status.battery_percent"),
        Carried("current", "status.battery_a"),
        Carried("voltage", "status.battery_v"),
        *(
            Dropped(f"cellsListMetadata.{n}", "made anew")
            for n in ("listID", "updateElementID", "startingElementID", "size")
        ),
    ),
    CONTACT: (
        Carried("elementTimestamp.seconds", "timing.source_us"),
        Approximated("elementTimestamp.nanoseconds", "timing.source_us", 1e-6, "s"),
        Dropped("setID", "made anew"),
        Carried("elementID", "identity.umaa_id"),
        Carried("element.featureID", "identity.umaa_id"),
        *(_below("element.", entry) for entry in _PLACE),
        Carried("element.altitudeMSL", "position.original"),
        Carried("element.callSign", "identity.callsign"),
        Carried("element.contactName", "identity.name"),
        Carried("element.MMSINumber", "identity.mmsi"),
        Carried("element.SIDC", "type.sidc"),
        Approximated("element.heading", "motion.heading_deg", ANGLE, "rad"),
        Carried("element.length", "type.length_m"),
        Carried("element.width", "type.beam_m"),
        Carried("element.source", "sensor.stations"),
        Carried("element.sourceIndicator", "sensor.fix"),
        Carried("element.specialManeuverIndicator", "status.special_manoeuvre"),
        Carried("element.speedOverGround", "motion.speed_mps"),
        Carried("element.timeFirstAcquired.seconds", "timing.start_us"),
        Approximated("element.timeFirstAcquired.nanoseconds", "timing.start_us", 1e-6, "s"),
    ),
}
FATES = {topic: {entry.field: entry for entry in entries} for topic, entries in _TABLES.items()}


@lru_cache(2048)
def shared(topic: str, names: tuple[str, ...]) -> Ledger:
    """One ledger for all samples of a topic in which the same members say something."""
    fates = FATES[topic]
    return ledger_of(topic, [fates.get(name) or Dropped(name, "no field") for name in names])


def ledger_of(topic: str, entries: list[Entry]) -> Ledger:
    """The entries with the topic before the members' names."""
    return Ledger(tuple(_below(f"{topic}.", entry) for entry in entries))
