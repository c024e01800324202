"""Features of GeoJSON (RFC 7946), one for each entity: its place as geometry, its key as `id`, the rest as properties.

A property has the model's name for it, as `motion.speed_mps`; `entity` says of which kind the entity is.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from aldis.apps.experiments.entity import Carried, Decoded, Dropped, Encoded, Entity, Ledger
from aldis.apps.experiments.gateways.gateway import Damaged, Native, Tally
from aldis.apps.experiments.gateways.geojson.documents import LIMIT, Documents
from aldis.apps.experiments.gateways.geojson.geometry import Shape, drawn, place, points_of, position
from aldis.apps.experiments.gateways.layout import FIELDS, Shapes, entity_of, flat, kind_of, sayable

__all__ = ["GeoJson", "familiar", "fields"]

_HOLES = "geometry.holes"
_PLACED = {"geometry.longitude": "lon_deg", "geometry.latitude": "lat_deg", "geometry.height": "height_m"}
_WHERE = {f"position.{name}": native for native, name in _PLACED.items()}
_SHAPES: dict[str, Shape] = {"point": "Point", "circle": "Point", "line": "LineString", "polygon": "Polygon"}
_OUTLINED = ("survey", "search")
_FOREIGN = {"Point": "point", "LineString": "line", "Polygon": "polygon"}
_GEOMETRY = "geometry.coordinates"
_MEMBERS = ("id", "key", "bbox")
_TAKEN = ("geometry.", "properties.")


def _entry(kind: str, name: str) -> Carried | Dropped:
    if name in ("id", "entity"):
        return Carried(name, "key")
    if name in _PLACED:
        return Carried(name, f"position.{_PLACED[name]}")
    if name in (_GEOMETRY, f"{kind}.depths_m", f"{kind}.clockwise"):
        return Carried(name, f"{kind}.points")
    if name in FIELDS[kind]:
        return Carried(name, name)
    return Dropped(name, "made anew") if name == "bbox" else Dropped(name, "not decoded", "kept as residue")


_DECODED = Shapes(lambda names: Ledger(tuple(_entry(names[0], name) for name in names[1:])))
_ENCODED = Shapes(lambda names: Ledger(tuple(Carried(path, _native(names[0], path)) for path in names[1:])))


def _native(points: str, path: str) -> str:
    """The name here of a model's field; `points` is that which is drawn as the geometry, if any is."""
    if path == "key":
        return "id"
    return _GEOMETRY if path == points else _WHERE.get(path, path)


class GeoJson:
    """One file or connection of features, both ways; it writes one a line."""

    protocol = "geojson"

    def __init__(self) -> None:
        self.tally = Tally()
        self._documents = Documents(self.tally)

    def feed(self, data: bytes, at_us: int) -> Sequence[Decoded]:
        """The entities of the features that `data` completes."""
        found = []
        for document in self._documents.feed(data):
            features = _features(document)
            self.tally.seen += len(features) - 1
            for feature in features:
                try:
                    found.append(_decoded(feature, at_us))
                except Damaged as damage:
                    self.tally.drop(str(damage))
                except (RecursionError, OverflowError, ValueError):
                    self.tally.drop("a value cannot be")
                else:
                    self.tally.carried += 1
        return found

    def encode(self, entity: Entity, at_us: int) -> Encoded:
        """The feature of `entity`, as a line."""
        del at_us
        kind = kind_of(entity)
        values, unsaid = sayable(kind, flat(entity))
        if not values:
            return Encoded((), Ledger(unsaid))
        paths = tuple(values)
        feature: dict[str, Any] = {"type": "Feature", "id": values.pop("key"), "geometry": None, "properties": values}
        points = f"{kind}.points"
        if "position.lat_deg" in values:
            lat, lon = values.pop("position.lat_deg"), values.pop("position.lon_deg")
            coordinates = position(lat, lon, values.pop("position.height_m", None))
            feature["geometry"] = {"type": "Point", "coordinates": coordinates}
        elif points not in values or not _draw(kind, feature, values):
            points = ""
        ledger = _ENCODED.of((points, *paths))
        values["entity"] = kind
        line = msgspec.json.encode(feature) + b"\n"
        if len(line) > LIMIT:
            return Encoded((), Ledger(tuple(Dropped(path, "too long", f"over {LIMIT} bytes") for path in paths)))
        return Encoded((line,), ledger + Ledger(unsaid) if unsaid else ledger)

    def close(self) -> None:
        """Count what is not complete as dropped."""
        self._documents.close()


def _draw(kind: str, feature: dict[str, Any], values: dict[str, Any]) -> bool:
    """Whether the points became the feature's geometry."""
    points = values[f"{kind}.points"]
    if kind == "area":
        shape = _SHAPES[values["area.shape"]]
    elif len(points) == 1:
        shape = "Point"
    else:
        shape = "Polygon" if values["task.verb"] in _OUTLINED and len(points) > 2 else "LineString"
    made = drawn(shape, points)
    if made is None:
        return False
    del values[f"{kind}.points"]
    feature["geometry"] = made.geometry
    if made.depths is not None:
        values[f"{kind}.depths_m"] = made.depths
    if made.clockwise:
        values[f"{kind}.clockwise"] = True
    return True


def _features(document: Any) -> list[Any]:
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        features = document.get("features")
        return features if isinstance(features, list) else [None]
    return [document]


def _native_fields(feature: Any) -> dict[str, Any]:
    """Every member that says something by its name: `id`, `geometry.…`, properties, and foreign members.

    Raises:
        Damaged: no feature.
    """
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise Damaged("not a feature")
    geometry, properties = feature.get("geometry"), feature.get("properties")
    if not isinstance(properties, dict | None) or not isinstance(geometry, dict | None):
        raise Damaged("not a feature")
    said = {name: value for name, value in feature.items() if name not in ("type", "geometry", "properties")}
    if geometry is not None:
        said |= {"geometry.type": geometry.get("type"), _GEOMETRY: geometry.get("coordinates")}
    for name, value in (properties or {}).items():
        said[f"properties.{name}" if name in said or name in _MEMBERS or name.startswith(_TAKEN) else name] = value
    return {name: value for name, value in said.items() if value is not None}


def _decoded(feature: Any, at_us: int) -> Decoded:
    said = _native_fields(feature)
    shape, coordinates = said.pop("geometry.type", None), said.pop(_GEOMETRY, None)
    kind = said.get("entity")
    if kind is None:
        kind = "track" if shape == "Point" and "id" in said else "area"
    if not isinstance(kind, str) or kind not in FIELDS:
        raise Damaged("unknown kind of entity")
    known = FIELDS[kind]
    values = {name: value for name, value in said.items() if name in known}
    values["key"] = _key(said, shape, coordinates)
    if f"{kind}.points" in known:
        if shape is not None:
            points, holes = points_of(
                str(shape), coordinates, said.get(f"{kind}.depths_m"), said.get(f"{kind}.clockwise")
            )
            values[f"{kind}.points"], said[_GEOMETRY] = points, True
            if kind == "area":
                values.setdefault("area.shape", _FOREIGN[str(shape)])
            if holes:
                said[_HOLES] = list(holes)
    elif shape is not None:
        if shape != "Point":
            raise Damaged("a geometry of another kind")
        for name, value in place(coordinates).items():
            values[f"position.{name}"] = value
            said[next(native for native, one in _PLACED.items() if one == name)] = value
    _keep(kind, said, values)
    return Decoded(entity_of(kind, values, "geojson", at_us), _DECODED.of((kind, *said)))


def _key(said: Mapping[str, Any], shape: Any, coordinates: Any) -> str:
    """The id; of a foreign feature with its scheme, and of one without an id what its content comes to."""
    key = said.get("id")
    if "entity" in said:
        if not isinstance(key, str):
            raise Damaged("no id")
        return key
    if key is None:
        content = msgspec.json.encode([shape, coordinates, dict(said)])
        return f"geojson:{hashlib.sha256(content).hexdigest()[:32]}"
    if not isinstance(key, str | int | float):
        raise Damaged("no id")
    return f"geojson:{key}"


def _keep(kind: str, said: Mapping[str, Any], values: dict[str, Any]) -> None:
    """Puts what nothing here understands with the residue."""
    foreign = [
        {"protocol": "geojson", "field": name, "data": base64.b64encode(msgspec.json.encode(value)).decode()}
        for name, value in said.items()
        if isinstance(_entry(kind, name), Dropped) and name != "bbox"
    ]
    if foreign:
        parts = values.get("residue.parts")
        values["residue.parts"] = [*(parts if isinstance(parts, list) else ()), *foreign]


def familiar(data: bytes) -> bool:
    """Whether it begins as a feature or a collection of features does."""
    head = data[:4096].lstrip(b"\x1e\xef\xbb\xbf \t\r\n")
    return head.startswith(b"{") and (b'"Feature"' in head or b'"FeatureCollection"' in head)


def fields(messages: Iterable[bytes]) -> Mapping[str, Native]:
    """Every member that says something; lists and objects as JSON text."""
    found: dict[str, Native] = {}
    for message in messages:
        said = _native_fields(msgspec.json.decode(message))
        if said.pop("geometry.type", None) == "Point" and said.get("entity") in ("track", "report", "environment"):
            names = {name: native for native, name in _PLACED.items()}
            said |= {names[name]: value for name, value in place(said.pop(_GEOMETRY)).items()}
        found |= {
            name: value if isinstance(value, bool | int | float | str) else msgspec.json.encode(value).decode()
            for name, value in said.items()
        }
    return found
