"""Reports, environment, areas and tasks as MAVLink says them."""

from __future__ import annotations

from collections.abc import Callable

from aldis.apps.experiments.entity import Area, Encoded, Report, Task
from aldis.apps.experiments.gateways.mavlink.fates import Fate, writing
from aldis.apps.experiments.gateways.mavlink.outbox import STATION, Outbox, Source, named
from aldis.apps.experiments.gateways.mavlink.plan import (
    Cmd,
    Command,
    Mission,
    Target,
    Unplannable,
    degrees_e7,
    steps_of,
)  # fmt: skip
from aldis.apps.experiments.gateways.mavlink.requests import Requests
from aldis.apps.experiments.gateways.mavlink.say_weather import say_environment
from aldis.apps.experiments.gateways.mavlink.saying import Told
from aldis.apps.experiments.gateways.mavlink.scales import fitted
from aldis.apps.experiments.gateways.mavlink.words import SEVERITIES

__all__ = ["say_area", "say_environment", "say_report", "say_task"]

_CHUNK, _LONGEST = 50, 999
_ANEW: dict[str, Fate] = dict.fromkeys(("timing.received_us", "timing.clock", "timing.offset_us"), "-made anew")


def _fates(kind: str, fates: dict[str, Fate]) -> dict[str, Fate]:
    own = {f"{kind}.{field}": fate for field, fate in ({"key": "-made anew"} | fates).items()}
    return _ANEW | own


_REPORT = writing(_fates("report", {"text": "STATUSTEXT.text", "severity": "STATUSTEXT.severity"}))


def say_report(report: Report, source: Source, number: int, outbox: Outbox, at_us: int) -> Encoded:
    """STATUSTEXT in as many chunks as it takes; `number` tells the chunks of one text from others'."""
    told: Told = {}
    text = report.text
    if "\0" in text:
        text = text.replace("\0", " ")
        told["report.text"] = "-not text of this protocol: a zero ends a text"
    data = text.encode("utf-8", "replace")
    if len(data) > _LONGEST:
        data = data[:_LONGEST].decode("utf-8", "ignore").encode()
        told["report.text"] = f"-too long: cut after {_LONGEST} bytes"
    if report.author == f"mavlink:{source[0]}/{source[1]}":
        told["report.author"] = "header.system"
        if report.about == report.author:
            told["report.about"] = "header.system"
    severity = SEVERITIES.index(report.severity) if report.severity else 6
    chunks = [data[at : at + _CHUNK] for at in range(0, len(data) + 1, _CHUNK)]  # an empty one ends a full one
    if len(data) <= _CHUNK:
        chunks, number = [data], 0
    frames = tuple(
        outbox.frame("STATUSTEXT", source, at_us, severity=severity, text=chunk, id=number, chunk_seq=place)
        for place, chunk in enumerate(chunks)
    )
    return Encoded(frames, _REPORT.ledger(report, tuple(told.items())))


_FENCE = writing(
    _fates(
        "area",
        {
            "points": ("MISSION_ITEM_INT.x", 5e-8, "deg"), "shape": "MISSION_ITEM_INT.command",
            "purpose": "MISSION_ITEM_INT.command", "radius_m": ("MISSION_ITEM_INT.param1", 0.01, "m"),
        },
    )
)  # fmt: skip
_HOME = writing(
    _fates(
        "area",
        {
            "points": ("HOME_POSITION.latitude", 5e-8, "deg"),
            "shape": "HOME_POSITION.latitude",
            "purpose": "header.system",
        },
    )
)
_NO_AREA = writing({}, "-no code: only fences and homes")
_VERTICES = 255


def say_area(area: Area, source: Source, outbox: Outbox, at_us: int) -> Encoded:
    """A fence as the mission items that it is laid up by, addressed to all; a home as HOME_POSITION.

    Other areas are not said: a vehicle obeys a fence.
    """
    if area.purpose == "home" and area.shape == "point" and area.points:
        lat, lon = degrees_e7(area.points[0])
        timing = area.timing
        known = stamp = None if timing is None else timing.source_us
        if stamp is not None and not 0 < stamp < 1 << 62:
            stamp = None
        frame = outbox.frame(
            "HOME_POSITION", source, at_us, latitude=lat, longitude=lon, time_usec=stamp, q=(0.0,) * 4,
        )  # fmt: skip
        height: Told = {}
        if area.key == f"mavlink:{source[0]}/{source[1]}/home":
            height["area.key"] = "header.system"
        if area.points[0].height_m is not None:
            height["area.points"] = "-no field: heights are above mean sea level"
        if known is not None:
            height["timing.source_us"] = "-out of range" if stamp is None else "HOME_POSITION.time_usec"
        return Encoded((frame,), _HOME.ledger(area, tuple(height.items())))
    inside = area.purpose == "keep in"
    if not inside and area.purpose != "keep out":
        return Encoded((), _NO_AREA.ledger(area))
    if area.shape == "circle" and area.radius_m is not None and area.points:
        command, size, points = Cmd.CIRCLE_IN if inside else Cmd.CIRCLE_OUT, area.radius_m, area.points[:1]
    elif area.shape == "polygon" and 3 <= len(area.points) <= _VERTICES:
        command, size, points = Cmd.FENCE_IN if inside else Cmd.FENCE_OUT, float(len(area.points)), area.points
    else:
        return Encoded((), _NO_AREA.ledger(area))
    mission = Mission(tuple(Command(command, (size, 0.0, 0.0, 0.0), (*degrees_e7(point), 0.0)) for point in points), 1)
    told: Told = {}
    if any(point.height_m is not None or point.depth_m is not None for point in points):
        told["area.points"] = "-no field: heights of corners; floor and ceiling are parameters of the vehicle"
    return Encoded(_laid_up(mission, (0, 0), outbox, at_us), _FENCE.ledger(area, tuple(told.items())))


_TASK = writing(
    _fates(
        "task",
        {
            "verb": "COMMAND_INT.command", "assignee": "COMMAND_INT.target_system", "request": "-made anew",
            "state": "-made anew: to ask is to issue", "points": ("COMMAND_INT.x", 5e-8, "deg"),
            "speed_mps": ("COMMAND_INT.param1", 1e-5, "m/s"),
        },
    )
)  # fmt: skip
_STATE = writing(
    _fates(
        "task", {"state": "COMMAND_ACK.result", "assignee": "header.system", "issued_by": "COMMAND_ACK.target_system"}
    )
)
_NO_TASK = writing({}, "-no code")
_RESULTS = {"accepted": 0, "executing": 5, "failed": 4, "cancelled": 6}


def say_task(
    task: Task, outbox: Outbox, requests: Requests, target_of: Callable[[Source], Target], at_us: int
) -> Encoded:
    """A task as the commands and mission items that ask for it; how far one is that was asked, as COMMAND_ACK.

    A mission's items are all given at once: whoever must see it through lost frames and retries uses `Tasking`.
    """
    asker = requests.askers.get(task.key)
    if task.state not in (None, "issued"):
        if asker is None or task.state not in _RESULTS:
            return Encoded((), _NO_TASK.ledger(task))
        system, component, asked, command = asker
        told: Told = {"task.progress_percent": ("COMMAND_ACK.progress", 0.5, "%")}
        progress = fitted(task.progress_percent, 1, 0, 100, "task.progress_percent", told)
        frame = outbox.frame(
            "COMMAND_ACK", (asked, 1), at_us, command=command, result=_RESULTS[task.state], progress=progress,
            target_system=system, target_component=component,
        )  # fmt: skip
        return Encoded((frame,), _STATE.ledger(task, tuple(told.items())))
    to = named(task.assignee.removeprefix("mavlink:"))
    if to is None:
        return Encoded((), _NO_TASK.ledger(task, (("task.assignee", "-no code: no system of this protocol"),)))
    try:
        steps = steps_of(task, target_of(to))
    except Unplannable as error:
        return Encoded((), _NO_TASK.ledger(task, (("task.verb", f"-no code: {error}"),)))
    frames: list[bytes] = []
    changes: Told = {}
    for step in steps:
        if isinstance(step, Mission):
            frames += _laid_up(step, to, outbox, at_us)
            changes["task.speed_mps"] = ("MISSION_ITEM_INT.param2", 1e-5, "m/s")
            changes["task.points"] = ("MISSION_ITEM_INT.x", 5e-8, "deg")
        else:
            name, payload = step.message(to, 0)
            frames.append(outbox.named(name, payload, STATION, at_us))
            requests.remember(task, to[0], step.command)
    if task.verb in ("survey", "search"):
        changes |= dict.fromkeys(("task.points", "task.spacing_m", "task.radius_m"), "-no code: sent as legs over it")
        changes["task.verb"] = "-no code: sent as legs over the area"
    elif task.verb in ("hold", "come home"):
        changes["task.points"] = changes["task.speed_mps"] = "-no field: the vehicle goes by itself"
        changes["task.verb"] = "COMMAND_LONG.command"
    return Encoded(tuple(frames), _TASK.ledger(task, tuple(changes.items())))


def _laid_up(mission: Mission, to: Source, outbox: Outbox, at_us: int) -> tuple[bytes, ...]:
    target = {"target_system": to[0], "target_component": to[1], "mission_type": mission.kind}
    count = outbox.frame("MISSION_COUNT", STATION, at_us, count=len(mission.items), **target)
    items = [
        outbox.named("MISSION_ITEM_INT", mission.message(seq, to), STATION, at_us) for seq in range(len(mission.items))
    ]
    return (count, *items)
