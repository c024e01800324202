"""Aldis's own open layout on zenoh, for a partner that has no other protocol: the entity model itself, group by group.

1. Every group of an entity is said under a key expression of its own, `PREFIX/KIND/KEY/GROUP`. PREFIX is agreed between
   the two (any number of words); all below is the same everywhere.
2. KIND is `track`, `area`, `task`, `report` or `environment`.
3. KEY is the entity's key in UTF-8, each byte but the letters, digits and `-._~:` of ASCII written as `%` and two
   capital hexadecimal digits (RFC 3986, 2.1), so that a key may hold `/` and `*`: `mavlink:1/1` is `mavlink:1%2F1`.
   At most 256 characters. Another way of writing the same key is refused.
4. GROUP of a track is `position`, `motion`, `identity`, `type`, `status`, `voyage`, `sensor`, `timing`, `markings`
   or `residue`. All else is said whole, GROUP is then `whole`, and its member `key` equals KEY.
5. The payload is a JSON object (RFC 8259, UTF-8) as `spec/experiments/zenoh.json` has it: `$defs` holds each group
   by the name of its type (`position` is `Position`), and each kind by its own. It is closed: an unknown member is
   refused. What is not known is left out. Numbers are finite. At most 64 KiB.
6. A payload replaces what was said under its key before; what is left out of it is then unknown. Silence withdraws
   nothing, nor does a DELETE of zenoh.

Nothing is added on the way in: what arrives is what the partner said, its sensor and timing groups included. Every
field of the model is carried exactly, so every entry of its ledgers says `Carried`, under the same name on both sides;
all that is dropped is a group on its way out that is too long, has a number that is not finite, or text that is none.
"""

from __future__ import annotations

from aldis.apps.experiments.gateways.exemplars import specimens
from aldis.apps.experiments.gateways.gateway import Offered
from aldis.apps.experiments.gateways.zenoh.gateway import ZenohGateway, familiar, fields

__all__ = ["OFFERED", "ZenohGateway"]

OFFERED = Offered(
    protocol="zenoh",
    title="Aldis over zenoh (JSON by group)",
    open=ZenohGateway,
    familiar=familiar,
    specimens=lambda: specimens(ZenohGateway),
    fields=fields,
)
