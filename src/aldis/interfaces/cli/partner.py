"""`aldis partner`: the nodes this one is paired with, and what they hold."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import click

from aldis.interfaces.cli.exits import FAILED
from aldis.interfaces.cli.kinds import in_order
from aldis.interfaces.cli.listing import summary
from aldis.interfaces.cli.output import grid
from aldis.interfaces.cli.pairing import accredited
from aldis.interfaces.cli.session import BECAUSE, Session, pass_session
from aldis.interfaces.cli.text import count, day, listed, moment
from aldis.kernel.epoch import PartnerStatus
from aldis.kernel.labels import rung_text
from aldis.node.node import Node
from aldis.node.partners import Known

__all__ = ["partner"]

_STEP = 500
_NODE = click.argument("node_name", metavar="NODE")


@click.group("partner")
def partner() -> None:
    """The nodes this one is paired with: list, suspend, resume, see off, accept a restored one."""


@partner.command("list")
@pass_session
def list_(session: Session) -> None:
    """List the partners and how far the exchange with each has come."""
    found = [_data(session.node, known) for known in session.node.partners.all()]
    rows = [
        (one["node"], one["party"], one["status"], one["url"], f"{one['acknowledged']:,} of {one['sent']:,}",
         f"{one['received']:,}")
        for one in found
    ]  # fmt: skip
    session.out.table({"partners": found}, ("node", "party", "status", "address", "acknowledged", "sent us"), rows)
    if not found:
        session.out.say("No partner yet.")
        session.out.next("`aldis invite PARTY`, or `aldis join FILE` if you were invited")


@partner.command("show")
@_NODE
@click.option("--holds", is_flag=True, help="List every record that was ever released to it.")
@click.option("--csv", "as_csv", is_flag=True, help="Write that list as CSV.")
@pass_session
def show(session: Session, node_name: str, holds: bool, as_csv: bool) -> None:
    """Show what is known of a partner."""
    node = session.node
    known = node.partners.get(node_name)
    data = _data(node, known)
    held = [*_released(node, known.node)] if holds or as_csv else []
    if as_csv and not session.json:
        session.out.lines({}, _csv(held))
        return
    rows = [
        ("node", f"{known.node} of {known.party}"),
        ("status", known.status.value),
        ("address", known.sheet.url),
        ("ceiling", listed(rung_text(policy, rung) for policy, rung in known.sheet.ceiling.items())),
        ("categories", accredited(known.sheet.categories)),
        ("signs with", f"{known.sheet.algorithm}, key {known.sheet.pinned.id}"),
        ("paired", moment(known.paired)),
        ("sent to it", f"{count(data['sent'], 'item')}, {data['acknowledged']:,} acknowledged"),
        ("sent by it", count(data["received"], "item")),
    ]
    if known.distrust_after is not None:
        rows.append(("distrusted", f"after its item {known.distrust_after:,}"))
    session.out.data(
        {**data, **({"holds": held} if holds or as_csv else {})}, grid(rows), *([""] if held else []), *_lines(held)
    )


@partner.command("suspend")
@_NODE
@BECAUSE
@pass_session
def suspend(session: Session, node_name: str, because: str) -> None:
    """Let nothing pass to or from NODE, from now until it is resumed."""
    known = _set(session, node_name, PartnerStatus.SUSPENDED, because)
    session.out.next(f"`aldis partner resume {known.node} --because TEXT` ends that")


@partner.command("resume")
@_NODE
@BECAUSE
@pass_session
def resume(session: Session, node_name: str, because: str) -> None:
    """Let the exchange with NODE go on."""
    _set(session, node_name, PartnerStatus.ACTIVE, because)


@partner.command("depart")
@_NODE
@BECAUSE
@pass_session
def depart(session: Session, node_name: str, because: str) -> None:
    """See NODE off: nothing passes any more, and what it holds is listed.

    What was released cannot be taken back; the list is what to ask it to delete.
    """
    node = session.node
    known = node.partners.set_status(node_name, PartnerStatus.DEPARTED, because)
    held = [*_released(node, known.node)]
    session.out.lines({**_data(node, known), "holds": held}, [f"{known.node} has departed.", *_lines(held)])
    session.out.next(f"ask {known.party} to delete what it holds; `aldis partner show {known.node} --holds` lists it")


@partner.command("distrust")
@_NODE
@click.option(
    "--after", type=click.IntRange(0), metavar="N", required=True, help="The last item of its stream still believed."
)
@BECAUSE
@pass_session
def distrust(session: Session, node_name: str, after: int, because: str) -> None:
    """Believe nothing that NODE's key signed after its item N: the key was compromised."""
    node = session.node
    known = node.partners.distrust(node_name, after, because)
    received = _data(node, known)["received"]
    session.out.data(_data(node, known), f"What {known.node} signed after item {after:,} is not believed.")
    if received > after:
        session.out.say(
            f"{count(received - after, 'item')} after that came in before: look through what {known.node} sent."
        )
    session.out.next(f"agree a new key with {known.party}: `aldis invite {known.party}`")


@partner.command("accept-ledger")
@_NODE
@BECAUSE
@click.option("--yes", is_flag=True, help="Do that without asking.")
@pass_session
def accept_ledger(session: Session, node_name: str, because: str, yes: bool) -> None:
    """Cosign the ledger of a restored NODE anew.

    Ask its operator first: only people can tell a lost disk from a ledger that somebody rewrote. What was cosigned of
    it before, and what was refused, is kept as evidence.
    """
    node = session.node
    known = node.partners.get(node_name)
    question = f"Has {known.party} said itself that the store of {known.node} was restored, and do you believe it?"
    if not yes and session.out.ask(question) is False:
        session.out.say("Nothing was accepted.")
        click.get_current_context().exit(FAILED)
    node.partners.accept_ledger(known.node, because)
    session.out.data(_data(node, known), f"The ledger of {known.node} is accepted as it now is.")
    session.out.next(
        f"`aldis doctor --new-epoch {known.node}`, if `aldis doctor` asks for it when the nodes have talked"
    )


def _set(session: Session, node_name: str, status: PartnerStatus, because: str) -> Known:
    known = session.node.partners.set_status(node_name, status, because)
    session.out.data(_data(session.node, known), f"{known.node} is {known.status.value}.")
    return known


def _data(node: Node, known: Known) -> dict[str, Any]:
    store = node.core.store
    last, acknowledged = store.exchange.last_sealed(known.node), store.partners.acknowledged(known.node)
    return {
        "node": known.node, "party": known.party, "status": known.status.value, "url": known.sheet.url,
        "ceiling": known.sheet.ceiling, "categories": known.sheet.categories,
        "algorithm": known.sheet.algorithm, "paired": known.paired,
        "distrust_after": known.distrust_after, "sent": last.last if last else 0,
        "acknowledged": acknowledged.seq if acknowledged else 0, "received": node.inbound.cursor(known.node).seq,
    }  # fmt: skip


def _released(node: Node, name: str) -> Iterator[dict[str, Any]]:
    """Every item that was ever released to a partner, in this epoch and before, with its portions and transforms."""
    store, sent = node.core.store, node.core.store.releases.to(name)
    for start in range(0, len(sent), _STEP):
        some = sent[start : start + _STEP]
        seqs = sorted({one.record_seq for one in some})
        rows = {row.seq: row for row in store.records.rows(seqs)}
        altered = store.releases.altered(name, seqs)
        asked = store.recalls.asked_of(name, seqs)
        for one in some:
            row = rows[one.record_seq]
            held = {part.name: part.digest for part in row.record().portions if part.digest in one.portions}
            transforms = {
                part: altered[row.seq, digest] for part, digest in held.items() if (row.seq, digest) in altered
            }
            yield {
                **summary(node, row), "epoch": one.epoch, "item": one.seq, "digest": row.digest.hex(),
                "portions": in_order(node, row.kind, [*held]), "transforms": transforms,
                "withheld_since": len(one.portions) - len(held), "acknowledged": one.acknowledged,
                "recalled": row.seq in asked,
            }  # fmt: skip


def _lines(held: list[dict[str, Any]]) -> list[str]:
    if not held:
        return []
    sure = sum(one["acknowledged"] for one in held)
    return [
        f"{count(len(held), 'release')}, {sure:,} acknowledged:",
        *(
            f"  {one['id']}  version {one['version']}, {one['banner']}, {day(one['created'])}: "
            f"{listed(_parts(one)) or 'no portion'}{'' if one['acknowledged'] else '  (not acknowledged)'}"
            f"{'  (recalled)' if one['recalled'] else ''}"
            for one in held
        ),
    ]


def _parts(one: dict[str, Any]) -> list[str]:
    """The names of the portions, each with what was done to it on its way."""
    return [f"{name} [{one['transforms'][name]}]" if name in one["transforms"] else name for name in one["portions"]]


_FIELDS = ("epoch", "item", "id", "version", "kind", "project", "originator", "digest", "banner", "created", "portions",
           "acknowledged", "recalled")  # fmt: skip


def _csv(held: list[dict[str, Any]]) -> Iterator[str]:
    """The list as RFC 4180 has it; cells that a spreadsheet would take for a formula begin with an apostrophe."""
    for row in [
        dict(zip(_FIELDS, _FIELDS, strict=True)),
        *({**one, "portions": "; ".join(_parts(one))} for one in held),
    ]:
        written = io.StringIO()
        cells = [str(row.get(field, "")) for field in _FIELDS]
        csv.writer(written, lineterminator="").writerow([f"'{cell}" if cell[:1] in "=+-@" else cell for cell in cells])
        yield written.getvalue()
