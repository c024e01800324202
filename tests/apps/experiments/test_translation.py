"""What is lost from each protocol through each other: every field has its fate, and none is lost without a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from aldis.apps.experiments.conversion import Conversion
from aldis.apps.experiments.entity import (
    Approximated,
    Carried,
    Decoded,
    Dropped,
    Encoded,
    Entity,
    Identity,
    Ledger,
    Motion,
    Position,
    Remainder,
    Residue,
    Track,
)
from aldis.apps.experiments.fusing import fused, merged
from aldis.apps.experiments.gateways.csv import OFFERED as CSV
from aldis.apps.experiments.gateways.gateway import Gateway, Offered
from aldis.apps.experiments.gateways.geojson import OFFERED as GEOJSON
from aldis.apps.experiments.gateways.registry import PROTOCOLS, offered
from aldis.apps.experiments.translation import FATES, Loss, Losses, losses
from aldis.kernel.errors import Unavailable, UnknownTerm

EXAMPLES = Path(__file__).parents[3] / "src" / "aldis" / "apps" / "experiments" / "examples"
NAMES = [*PROTOCOLS, *(str(path) for path in sorted(EXAMPLES.glob("*.toml")))]
Entry = Approximated | Dropped
AT = 1_790_000_000_000_000


def found(name: str) -> Offered:
    try:
        return offered(name)
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("through", NAMES, ids=lambda name: Path(name).stem)
@pytest.mark.parametrize("name", NAMES, ids=lambda name: Path(name).stem)
def test_no_field_is_lost_without_an_entry(name: str, through: str) -> None:
    made = losses(found(name), found(through))
    assert made.crossings
    assert [loss for crossing in made.crossings for loss in crossing.losses if loss.fate == "unexplained"] == []
    assert list(made.counts()) == list(FATES)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: Path(name).stem)
def test_the_formats_for_the_whole_model_lose_nothing(name: str) -> None:
    itself = found(name)
    own = dropped(losses(itself, itself))
    for through in (CSV, GEOJSON):
        assert dropped(losses(itself, through)) <= own, "what the protocol itself does not give back is not their loss"


def dropped(lost: Losses) -> set[tuple[str, str]]:
    return {
        (crossing.specimen, loss.field)
        for crossing in lost.crossings
        for loss in crossing.losses
        if loss.fate in ("dropped", "unexplained")
    }


class Tampered:
    """A gateway that writes what `change` makes of an entity, and keeps quiet about it, or says so."""

    def __init__(self, inner: Gateway, change: Callable[[Entity], Entity], entries: Sequence[Entry]) -> None:
        self.protocol = inner.protocol
        self.tally = inner.tally
        self._inner = inner
        self._change = change
        self._entries = entries

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        return self._inner.feed(data, at_us)

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        encoded = (CSV if self.protocol == "csv" else GEOJSON).open().encode(entity, at_us)
        changed = self._inner.encode(self._change(entity), at_us)
        said = {entry.field: entry for entry in self._entries}
        ledger = Ledger(tuple(said.get(entry.field, entry) for entry in encoded.ledger.entries))
        return Encoded(changed.messages, ledger)

    def close(self) -> None:
        self._inner.close()


def through(change: Callable[[Entity], Entity], *entries: Entry) -> dict[str, Loss]:
    tampered = replace(CSV, open=lambda: Tampered(CSV.open(), change, entries))
    return {loss.field: loss for loss in losses(GEOJSON, tampered).crossings[0].losses}


def silent(entity: Entity) -> Entity:
    if not isinstance(entity, Track) or entity.motion is None or entity.identity is None:
        return entity
    motion = msgspec.structs.replace(entity.motion, speed_mps=7.5, course_deg=None)
    return msgspec.structs.replace(entity, motion=motion, identity=msgspec.structs.replace(entity.identity, name="B"))


def test_a_gateway_that_loses_a_field_silently_is_found_out() -> None:
    here = through(silent)
    unexplained = {name for name, loss in here.items() if loss.fate == "unexplained"}
    assert unexplained == {"motion.speed_mps", "motion.course_deg", "identity.name"}


def test_what_the_ledgers_say_explains_a_difference_and_no_greater_one() -> None:
    course, name = Dropped("motion.course_deg", "no field"), Dropped("identity.name", "too long", "over 1")
    for error, fate in ((0.3, "approximated"), (0.2, "unexplained")):
        here = through(silent, course, name, Approximated("motion.speed_mps", "motion.speed_mps", error, "m/s"))
        assert here["motion.speed_mps"].fate == fate
        assert (here["motion.speed_mps"].error, here["motion.speed_mps"].bound) == (0.25, error)
        assert (here["motion.course_deg"].fate, here["motion.course_deg"].reasons) == ("dropped", ("no field",))
        assert here["identity.name"].reasons == ("too long: over 1",)


class Mistaken(Tampered):
    """A gateway whose ledger sends a field to where the model has none."""

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        return [
            Decoded(
                one.entity,
                Ledger(
                    tuple(
                        msgspec.structs.replace(entry, to="motion.nothing")
                        if isinstance(entry, Carried) and entry.field == "motion.course_deg"
                        else entry
                        for entry in one.ledger.entries
                    )
                ),
            )
            for one in super().feed(data, at_us)
        ]


def test_a_ledger_that_sends_a_field_nowhere_explains_nothing() -> None:
    mistaken = replace(CSV, open=lambda: Mistaken(CSV.open(), lambda entity: entity, ()))
    lossy = replace(GEOJSON, open=lambda: Tampered(GEOJSON.open(), silent, ()))
    (loss,) = [one for one in losses(mistaken, lossy).crossings[0].losses if one.field == "motion.course_deg"]
    assert (loss.fate, loss.after) == ("unexplained", None)


def moved(entity: Entity) -> Entity:
    position = getattr(entity, "position", None)
    if position is None:
        return entity
    return msgspec.structs.replace(entity, position=msgspec.structs.replace(position, lat_deg=position.lat_deg + 1e-5))


def test_an_error_in_metres_is_held_against_degrees() -> None:
    for metres, fate in ((1.2, "approximated"), (1.0, "unexplained")):
        here = through(moved, Approximated("position.lat_deg", "position.lat_deg", metres, "m"))
        assert here["geometry.latitude"].fate == fate


def test_one_thing_is_made_of_all_that_is_said_of_it() -> None:
    def said(**groups: object) -> Decoded:
        return Decoded(msgspec.convert({"key": "k", **groups}, Track, from_attributes=True), Ledger())

    parts = [Remainder(protocol="p", field=name, data="") for name in "ab"]
    (track,) = fused(
        [
            said(position=Position(lat_deg=1, lon_deg=2, height_m=3), residue=Residue(parts=parts[:1])),
            said(identity=Identity(name="N"), motion=Motion(speed_mps=1), residue=Residue(parts=parts)),
            said(position=Position(lat_deg=4, lon_deg=5), motion=Motion(course_deg=6)),
        ]
    )
    assert track == Track(
        key="k",
        position=Position(lat_deg=4, lon_deg=5, height_m=3),
        identity=Identity(name="N"),
        motion=Motion(speed_mps=1, course_deg=6),
        residue=Residue(parts=parts),
    )
    assert isinstance(track, Track)
    assert merged(track, Track(key="k")) is track


def test_a_protocol_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UnknownTerm, match="no protocol is called 'geojso'") as caught:
        offered("geojso")
    assert "Did you mean geojson?" in caught.value.fix
    assert "csv" in caught.value.fix


def test_a_stream_is_converted_with_an_account() -> None:
    harbour = found(str(EXAMPLES / "harbour-tracker.toml"))
    made = Conversion(harbour.open(), GEOJSON.open())
    stream = b"".join(harbour.specimens()[0].messages) + b"@POS;nonsense\r\n"
    stream += harbour.specimens()[0].messages[0].rstrip()  # a file whose last line has no end
    out = [line for at in range(0, len(stream), 10) for line in made.feed(stream[at : at + 10], AT)] + made.end(AT)
    assert len(out) == made.written == 3
    (last,) = GEOJSON.open().feed(out[-1], AT)
    assert isinstance(last.entity, Track)
    assert last.entity.identity is not None
    assert last.entity.identity.name == "SUOMENLINNA II"  # what an earlier message said
    assert made.source.tally.dropped == {"wrong checksum": 1}
    assert ("read", "POS.berth", "not decoded: kept as residue", 2) in made.rows()
    assert all(isinstance(entry, Carried) for entry in last.ledger.entries)
