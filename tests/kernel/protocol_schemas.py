"""Makes the JSON Schemas of spec/schemas from the types; run this file to write them anew."""

from __future__ import annotations

import json
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from aldis.kernel.attachments import Attachment
from aldis.kernel.bundles import Manifest
from aldis.kernel.frames import FrameManifest
from aldis.kernel.labels import _Wire as Label
from aldis.kernel.messages import Content, ContentReceipt, Greeting, Receipt, Welcome
from aldis.kernel.records import Header
from aldis.node.pairing import Invitation

FOLDER = Path(__file__).parents[2] / "spec" / "schemas"
TYPES: dict[str, Any] = {
    "header": Header,
    "label": Label,
    "manifest": Manifest,
    "frame": FrameManifest,
    "greeting": Greeting,
    "welcome": Welcome,
    "receipt": Receipt,
    "content": Content,
    "content-receipt": ContentReceipt,
    "attachment": Attachment,
    "invitation": Invitation,
}
MOST = 2**53 - 1
DIGEST = "^[0-9a-f]{64}$"
NODE = "^[a-z0-9][a-z0-9-]{0,31}$"
MORE: dict[str, dict[str, Any]] = {
    "origin": {"pattern": NODE},
    "audience": {"pattern": NODE},
    "originator": {"pattern": NODE},
    "root": {"pattern": DIGEST},
    "body": {"pattern": DIGEST},
    "policy_epoch": {"pattern": DIGEST},
    "digest": {"pattern": DIGEST},
    "previous": {"pattern": "^([0-9a-f]{64})?$"},
    "id": {"pattern": "^[A-Za-z0-9_-][A-Za-z0-9._:-]{0,95}$"},
    "version": {"minimum": 1, "maximum": MOST},
    "created": {"minimum": 0, "maximum": MOST},
    "epoch": {"minimum": 1, "maximum": MOST},
    "number": {"minimum": 1, "maximum": MOST},
    "first": {"minimum": 1, "maximum": MOST},
    "count": {"minimum": 1, "maximum": 8192},
    "size": {"minimum": 0, "maximum": MOST},
    "portions": {"items": {"type": "string", "pattern": DIGEST}, "maxItems": 64},
    "sources": {"items": {"type": "string", "pattern": DIGEST}},
}
"""What the pages of the specification say beyond the types, by the member's name."""
PORTION = {
    "title": "Portion",
    "description": "The smallest part of a record with a label of its own: salt, name, label, value.",
    "type": "array",
    "prefixItems": [
        {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"},
        {"$ref": "label.json"},
        {},
    ],
    "minItems": 4,
    "maxItems": 4,
}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of what travels under this name."""
    head: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{name}.json"}
    if name == "portion":
        return head | PORTION
    made = msgspec.json.schema(TYPES[name])
    top = made.pop("$ref").rpartition("/")[2]
    definitions: dict[str, Any] = made.pop("$defs")
    for one in definitions.values():
        one["description"] = cleandoc(one.get("description", ""))
        for member, said in one.get("properties", {}).items():
            if name in ("header", "manifest", "frame"):
                said.update(MORE.get(member, {}))
            if "pattern" in said:
                said["pattern"] = said["pattern"].replace("\\Z", "$")
            if member == "label" and not said:
                said["$ref"] = "label.json"
    own: dict[str, Any] = definitions.pop(top)
    own["title"] = name.capitalize().replace("-", " ")
    return head | own | ({"$defs": definitions} if definitions else {})


def text(name: str) -> str:
    """The content of one file."""
    return json.dumps(schema(name), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in (*TYPES, "portion"):
        (FOLDER / f"{each}.json").write_text(text(each), "utf-8")
