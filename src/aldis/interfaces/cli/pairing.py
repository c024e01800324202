"""`aldis invite` and `aldis join`: two nodes pair by file and compare a fingerprint by voice."""

from __future__ import annotations

import hmac
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from aldis.interfaces.cli.files import read_whole, write_whole
from aldis.interfaces.cli.parties import known_party
from aldis.interfaces.cli.session import Session, pass_session
from aldis.interfaces.cli.text import listed
from aldis.kernel.errors import InvalidInput
from aldis.kernel.labels import rung_text
from aldis.node.pairing import Sheet, fingerprint

__all__ = ["accredited", "comparing", "digits_of", "invite", "join"]

_DIGITS = 30
_LARGEST = 256 * 1024


@click.command("invite")
@click.argument("party")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write it.  [default: NODE-PARTY.invite]",
)
@pass_session
def invite(session: Session, party: str, output: Path | None) -> None:
    """Write an invitation for a node of PARTY, good for a week; PARTY may be this node's own.

    It holds nothing secret: send it by any way, and read the fingerprint out over another one.
    """
    node = session.node
    known_party(node.core.policies, party)
    data = node.partners.invite(party)
    path = output or Path(f"{node.name}-{party.lower()}.invite")
    write_whole(path, data)
    digits = fingerprint(data)
    session.out.data({"file": str(path), "party": party, "fingerprint": digits}, str(path))
    session.out.say(f"Fingerprint: {digits}\nRead it out to {party} by telephone, never beside the file.")
    own = " --own" if party == node.core.party else ""
    session.out.next(f"send {path.name} to {party}, who runs `aldis join {path.name}{own}`", here=False)
    session.out.next("join the reply that comes back: `aldis join REPLY`")


@click.command("join")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--fingerprint", "said", metavar="DIGITS", help="The 30 digits that the partner reads out.")
@click.option("--own", is_flag=True, help="FILE is of another node of this node's own party, and that is meant.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="REPLY",
    help="Where to write the reply.  [default: NODE-PARTNER.reply]",
)
@pass_session
def join(session: Session, file: Path, said: str | None, own: bool, output: Path | None) -> None:
    """Pair with the node that made FILE, an invitation or the reply to one.

    On a terminal you compare the fingerprint with the one that the partner reads out; elsewhere give what was read
    out with --fingerprint. Nothing is changed unless they match. Between two nodes of one party all goes by itself that
    the other's ceiling covers, and to the lower one only what a release officer lets come down.
    """
    data, party = read_whole(file, _LARGEST), session.node.core.party

    known, reply = session.node.partners.join(data, comparing(session, party, digits_of(said)), own=own)
    paired = {"node": known.node, "party": known.party, "url": known.sheet.url, "ceiling": known.sheet.ceiling}
    if reply is None:
        session.out.data(paired, f"Paired with {known.node} of {known.party}.")
        agree = "`aldis instrument draft FILE` to agree what may be shared, or "
        session.out.next(f"{'' if known.party == session.node.core.party else agree}`aldis up` to connect")
        return
    path = output or Path(f"{session.node.name}-{known.node}.reply")
    write_whole(path, reply)
    answer = fingerprint(reply)
    session.out.data(
        {**paired, "reply": str(path), "fingerprint": answer},
        f"Paired with {known.node} of {known.party}. Reply: {path}",
    )
    session.out.say(f"Fingerprint of the reply: {answer}\nRead it out to {known.node} in turn.")
    step = f"send {path.name} to {known.node}, where it completes the pairing: `aldis join {path.name}`"
    session.out.next(step, here=False)


def comparing(session: Session, party: str, digits: str | None) -> Callable[[Sheet, str], bool]:
    """Compares a fingerprint with the digits that were read out; without these a person of `party` is asked."""

    def confirm(sheet: Sheet, found: str) -> bool:
        if digits is not None:
            return hmac.compare_digest(digits, found.replace(" ", ""))
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise click.UsageError(
                f"there is no terminal to compare the fingerprint of {sheet.node} at: give --fingerprint with the"
                " digits that its operator reads out"
            )
        session.out.say(_introduce(sheet))
        if sheet.party == party:
            session.out.say("a node of your own party: all that its ceiling covers goes to it, without any instrument")
        session.out.say(f"fingerprint  {found}")
        return bool(session.out.ask(f"Does the operator of {sheet.node} read out the same digits?"))

    return confirm


def digits_of(said: str | None) -> str | None:
    """The digits of a fingerprint as it was read out.

    Raises:
        InvalidInput: there are not thirty.
    """
    if said is None:
        return None
    digits = "".join(said.split()).replace("-", "")
    if len(digits) != _DIGITS or not digits.isascii() or not digits.isdigit():
        raise InvalidInput(
            f"a fingerprint has {_DIGITS} digits, and {said!r} is not that",
            fix='Write it as the partner reads it out: --fingerprint "12345 67890 ..."',
        )
    return digits


def accredited(categories: Mapping[str, Sequence[str]]) -> str:
    """What a node is accredited for beside its ceiling, in words."""
    return "; ".join(f"{tag}: {listed(values)}" for tag, values in categories.items()) or "none"


def _introduce(sheet: Sheet) -> str:
    ceiling = ", ".join(rung_text(policy, rung) for policy, rung in sheet.ceiling.items())
    rows = {
        "node": sheet.node,
        "party": sheet.party,
        "address": sheet.url,
        "ceiling": ceiling,
        "categories": accredited(sheet.categories),
        "algorithm": sheet.algorithm,
    }
    return "\n".join(f"{name:<12} {value}" for name, value in rows.items())
