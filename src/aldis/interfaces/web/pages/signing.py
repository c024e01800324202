"""Signing an instrument for the party, and giving notice about one: each looked at first, then done."""

from __future__ import annotations

from collections.abc import Sequence

from aldis.app import Go
from aldis.interfaces.cli.text import midnight
from aldis.interfaces.web.door import View
from aldis.interfaces.web.forms import Fields
from aldis.interfaces.web.frame import Frame
from aldis.interfaces.web.pages.agreed import clauses, labels_of_entry, path_of_instrument
from aldis.interfaces.web.pages.items import labels_of
from aldis.interfaces.web.pages.previews import outlook
from aldis.interfaces.web.visit import Sheet, Visit
from aldis.kernel.authority import Act
from aldis.kernel.encoding import digest_from_hex
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.kernel.instruments import Effect, Entry
from aldis.node.instruments import instrument_text

__all__ = ["views"]

_EFFECTS = {effect.value: effect for effect in Effect}


def views(frame: Frame) -> Sequence[View]:
    """Signing, and ending or leaving."""

    def page(visit: Visit) -> Sheet:
        return _sign_page(visit, frame)

    return [
        View("/instruments/{instrument}/sign", page, _sign, need=Act.SIGN),
        View("/instruments/{instrument}/end", _end_page, _end, need=Act.SIGN),
    ]


def _entries(visit: Visit) -> tuple[Entry, ...]:
    """The versions of an instrument that this node's party may sign or end.

    Raises:
        UnknownTerm: there is none for this person.
    """
    found = visit.node.register.entries(visit.segments["instrument"], visit.who)
    one = found[-1].instrument
    if not visit.resident or visit.node.core.party not in one.parties:
        raise UnknownTerm("no such page")
    return found


def _sign_page(visit: Visit, frame: Frame) -> Sheet:
    node, entries = visit.node, _entries(visit)
    entry, party = entries[-1], node.core.party
    if party not in entry.missing:
        raise UnknownTerm("it is signed")
    seen = outlook(visit, frame, instrument_text(node.register.record(visit.segments["instrument"], visit.who)))
    standing = node.epochs.current().instruments.standing(entry.instrument.id, visit.at)
    seen_before = [one.version for one in entries if standing and one.version == standing.entry.version]
    values = {
        **_values(entry),
        "others": sorted(entry.missing - {party}),
        "before": seen_before[0] if seen_before else 0,
        "clauses": clauses(entry.instrument),
        "seen": seen,
    }
    labels = [*labels_of_entry(visit, [entry]), *seen.labels]
    return Sheet("instrument_sign.html", f"Sign {entry.instrument.id}", values, labels)


def _sign(visit: Visit) -> Go:
    _entries(visit)
    name = visit.segments["instrument"]
    if visit.form.get("read") != "yes":
        raise InvalidInput("you have not said that you read it", fix="Read its clauses and what it would release")
    visit.node.register.sign(name, visit.who, _digest(visit))
    return Go(Fields.address(path_of_instrument(name), done="signed"))


def _end_page(visit: Visit) -> Sheet:
    entry = _entries(visit)[-1]
    if entry.instrument.pairing:
        raise UnknownTerm("a pairing ends with the partner")
    flows = visit.node.flows.under(entry.instrument, visit.who)
    values = {**_values(entry), "flows": flows, "effect": visit.form.get("effect")}
    labels = [label for flow in flows for row in flow.rows for label in labels_of(row)]
    title = f"End or leave {entry.instrument.id}"
    return Sheet("instrument_end.html", title, values, [*labels_of_entry(visit, [entry]), *labels])


def _end(visit: Visit) -> Go:
    name = _entries(visit)[-1].instrument.id
    because, effect = visit.form.get("because").strip(), _EFFECTS.get(visit.form.get("effect"))
    if effect is None:
        raise InvalidInput("neither to end nor to leave it", fix="Choose one of the two")
    if not because:
        raise InvalidInput("a notice needs a reason", fix="Say why: it stands in the ledger")
    visit.node.register.end(name, effect, midnight(visit.form.get("on")), visit.who, because, _digest(visit))
    return Go(Fields.address(path_of_instrument(name), done="ended"))


def _digest(visit: Visit) -> bytes:
    """The version that the person looked at.

    Raises:
        InvalidInput: the form does not say.
    """
    return digest_from_hex(visit.form.get("digest"))


def _values(entry: Entry) -> dict[str, object]:
    name = entry.instrument.id
    return {"id": name, "one": entry.instrument, "entry": entry,
            "here": lambda below="": path_of_instrument(name, below)}  # fmt: skip
