"""A boat that speaks MAVLink by pymavlink on UDP: a vehicle in a process of its own, and no autopilot.

It keeps what ArduPilot's rover is known for: unarmed it accepts everything and stays where it is; item 0 of a mission
is its home. `python mav_boat.py PORT [--armed] [--loss P] [--deny COMMAND] [--stray] [--deaf] [--short] [--away]`;
MAVLINK20=1 in its environment makes it speak version 2.
"""

import argparse
import math
import random
import time
from typing import Any

from pymavlink import mavutil  # type: ignore[import-untyped]
from pymavlink.dialects.v20 import common  # type: ignore[import-untyped]

METRES = 111_319.49
AUTO, GUIDED, HOLD, RTL = 10, 15, 4, 11


class Boat:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.link: Any = mavutil.mavlink_connection(
            f"udpout:127.0.0.1:{options.port}", source_system=1, source_component=1, dialect="common"
        )
        self.chance = random.Random(options.seed)
        self.began = time.monotonic()
        self.home = (60.1, 24.9)
        self.place = (60.1004, 24.9004) if options.away else self.home
        self.mode = HOLD
        self.way: list[tuple[float, float]] = []
        self.items: dict[int, Any] = {}
        self.count = 0
        self.next = self.lead = 0
        self.velocity = (0.0, 0.0)

    def run(self) -> None:
        due = 0.0
        while time.monotonic() - self.began < self.options.seconds:
            message = self.link.recv_match(blocking=True, timeout=0.01)
            if message is not None:
                self.hear(message)
            now = time.monotonic()
            if now >= due:
                self.move(0.02)
                self.tell()
                due = now + 0.02

    def tell(self) -> None:
        mav, boot = self.link.mav, int((time.monotonic() - self.began) * 1000)
        armed = 0x80 if self.options.armed else 0
        mav.heartbeat_send(11, 3, 1 | armed, self.mode, 4)
        mav.system_time_send(int(time.time() * 1e6), boot)
        if self.options.deaf:
            return
        north, east = self.velocity
        mav.global_position_int_send(
            boot, round(self.place[0] * 1e7), round(self.place[1] * 1e7), 1500, 0, round(north * 100),
            round(east * 100), 0, 65535,
        )  # fmt: skip

    def move(self, seconds: float) -> None:
        self.velocity = (0.0, 0.0)
        if not self.options.armed or self.mode == HOLD or self.next >= len(self.way):
            return
        scale = math.cos(math.radians(self.place[0]))
        goal = self.way[self.next]
        north, east = (goal[0] - self.place[0]) * METRES, (goal[1] - self.place[1]) * METRES * scale
        left, step = math.hypot(north, east), self.options.speed * seconds
        if self.options.short and left < 20:
            return
        if left <= step:
            self.place = goal
            self.next += 1
            if self.mode == AUTO:
                self.answer(self.link.mav.mission_item_reached_encode(self.lead + self.next - 1))
            return
        self.velocity = (self.options.speed * north / left, self.options.speed * east / left)
        share = step / left
        self.place = (
            self.place[0] + (goal[0] - self.place[0]) * share,
            self.place[1] + (goal[1] - self.place[1]) * share,
        )

    def answer(self, message: Any) -> None:
        """Send, but for what the link loses; now and then twice."""
        for _ in range(2 if self.chance.random() < self.options.loss else 1):
            if self.chance.random() >= self.options.loss:
                self.link.mav.send(message)

    def hear(self, message: Any) -> None:
        if self.chance.random() < self.options.loss:
            return
        kind = message.get_type()
        if kind in ("COMMAND_INT", "COMMAND_LONG"):
            self.command(message)
        elif kind == "MISSION_COUNT":
            self.items, self.count = {}, message.count
            self.ask(message)
        elif kind == "MISSION_ITEM_INT" and message.seq == len(self.items):
            self.items[message.seq] = message
            self.ask(message)
        elif kind == "MISSION_ITEM_INT":
            self.ask(message)

    def ask(self, message: Any) -> None:
        mav, to = self.link.mav, (message.get_srcSystem(), message.get_srcComponent())
        if len(self.items) < self.count:
            self.answer(mav.mission_request_int_encode(*to, len(self.items)))
        else:
            self.answer(mav.mission_ack_encode(*to, 0))

    def command(self, message: Any) -> None:
        mav, number = self.link.mav, message.command
        to = (message.get_srcSystem(), message.get_srcComponent())
        if self.options.stray:  # answers to other commands, and to another ground station
            self.answer(mav.command_ack_encode(number + 1, 2, 255, 0, *to))
            self.answer(mav.command_ack_encode(number, 2, 255, 0, 250, 190))
        if number == self.options.deny:
            self.answer(mav.command_ack_encode(number, common.MAV_RESULT_DENIED, 255, 0, *to))
            return
        self.answer(mav.command_ack_encode(number, 0, 255, 0, *to))
        if number == common.MAV_CMD_DO_REPOSITION:
            self.go(GUIDED, [(message.x / 1e7, message.y / 1e7)])
        elif number == common.MAV_CMD_NAV_RETURN_TO_LAUNCH:
            self.go(RTL, [self.home])
        elif number == common.MAV_CMD_MISSION_START:
            way = [
                item for seq, item in sorted(self.items.items()) if seq and item.command == common.MAV_CMD_NAV_WAYPOINT
            ]
            self.lead = self.count - len(way)
            self.go(AUTO, [(item.x / 1e7, item.y / 1e7) for item in way])
        elif number == common.MAV_CMD_DO_SET_MODE:
            self.mode = int(message.param2)
        elif number == common.MAV_CMD_REQUEST_MESSAGE and message.param1 == 242:
            lat, lon = (round(value * 1e7) for value in self.home)
            self.answer(mav.home_position_encode(lat, lon, 0, 0, 0, 0, [1, 0, 0, 0], 0, 0, 0))

    def go(self, mode: int, way: list[tuple[float, float]]) -> None:
        if (mode, way) != (self.mode, self.way):  # a repeated command does not begin it again
            self.mode, self.way, self.next = mode, way, 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--armed", action="store_true")
    parser.add_argument("--away", action="store_true", help="does not begin at home")
    parser.add_argument("--stray", action="store_true", help="answers that belong to others")
    parser.add_argument("--deaf", action="store_true", help="never tells where it is")
    parser.add_argument("--short", action="store_true", help="stops 20 m before each place")
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--deny", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=60.0, help="m/s: tests are in a hurry")
    parser.add_argument("--seconds", type=float, default=60.0)
    Boat(parser.parse_args()).run()


if __name__ == "__main__":
    main()
