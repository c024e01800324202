"""Makes the JSON Schema of the zenoh layout from the model's types; run this file to write it anew."""

from __future__ import annotations

import json
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from aldis.apps.experiments.entity import GROUPS
from aldis.apps.experiments.gateways.zenoh.gateway import KINDS

FILE = Path(__file__).parents[3] / "spec" / "experiments" / "zenoh.json"


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12): `$defs` has each group and kind by the name of its type."""
    _, parts = msgspec.json.schema_components([*GROUPS.values(), *KINDS.values()])
    for part in parts.values():
        if "description" in part:
            part["description"] = cleandoc(part["description"])
    tops = sorted(kind.__name__ for kind in (*GROUPS.values(), *KINDS.values()))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "zenoh.json",
        "title": "Aldis over zenoh",
        "description": "What stands under PREFIX/KIND/KEY/GROUP: a group by its type, or a thing whole.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in tops],
        "$defs": dict(sorted(parts.items())),
    }


def text() -> str:
    """As the file has it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), "utf-8")
