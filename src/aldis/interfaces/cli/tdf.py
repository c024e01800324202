"""`aldis tdf`: records in OpenTDF containers, and containers opened by a key at hand."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from aldis.interfaces.cli.exporting import MARKDOWN, labels_of, markdown
from aldis.interfaces.cli.files import read_whole, write_whole
from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.parties import partner_node
from aldis.interfaces.cli.session import Session, operator, pass_session
from aldis.interfaces.cli.text import listed
from aldis.interfaces.remote_kas import RemoteKas, check_url
from aldis.kernel.errors import InvalidInput, NeedsPerson, RefusedByPolicy
from aldis.kernel.labels import Label
from aldis.kernel.markings import adatp4774
from aldis.kernel.records import Portion, Record
from aldis.kernel.release import Verdict
from aldis.kernel.tdf import FORMS, Opened, Statement, TdfPolicy, open_tdf, seal_tdf
from aldis.node.kas import CURVES, KasKey, KasPublic, OfflineKas, key_file, make_key
from aldis.node.node import Node
from aldis.node.whole import whole_file

__all__ = ["tdf"]

_PEM = 64 * 1024


@click.group("tdf")
def tdf() -> None:
    """Containers after OpenTDF 4.3.0: encrypted, labelled, and opened only where a key-access server permits."""


@tdf.command("key")
@click.argument("name", metavar="NAME")
@click.option(
    "--kind",
    type=click.Choice(["rsa:2048", "rsa:4096", *CURVES]),
    default="rsa:2048",
    show_default=True,
    help="Its kind.",
)
@click.option("--serve", is_flag=True, help="Keep NAME.key in the node's folder, to be used at its `kas_url`.")
@pass_session
def key(session: Session, name: str, kind: str, serve: bool) -> None:
    """Make the key pair of a key-access server: NAME.key, which stays, and NAME.pem, which is given out.

    With --serve the node uses it at the setting `kas_url`, for people who are signed in; of several keys of one kind,
    the last by name is given out, and all are used. Without, it is the key of an offline server.
    """
    private, public = make_key(kind)
    kept, given = Path(f"{name}.key"), Path(f"{name}.pem")
    url = ""
    if serve:
        url, folder = session.node.key_access.url, session.node.key_access.folder
        folder.mkdir(mode=0o700, exist_ok=True)
        kept = folder / kept.name
    key_file(kept, private)
    write_whole(given, public)
    data = {"key": str(kept), "public": str(given), "kid": KasKey(private).kid, "url": url}
    session.out.lines(data, [str(kept), str(given)])
    if serve and not url:
        session.out.next("set `kas_url` in aldis.toml: where this node's key-access server is reached")
    if serve:
        return
    session.out.next(f"give {name}.pem to those who seal for you; {name}.key opens what they seal", here=False)


@tdf.command("export")
@click.argument("id_", metavar="ID")
@click.argument("node_name", metavar="NODE")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="The container.",
)
@click.option(
    "--kas",
    "servers",
    metavar="[URL=]PEM|here,...",
    required=True,
    multiple=True,
    help="Public key of a key-access server, or this node's; all of those given are needed to open it.",
)
@click.option(
    "--form",
    type=click.Choice([*FORMS]),
    default="4.3.0",
    show_default=True,
    help="Version of the format: 3.0.0 is for OpenTDF's SDKs before 4.3.0.",
)
@pass_session
def export(session: Session, id_: str, node_name: str, output: Path, servers: tuple[str, ...], form: str) -> None:
    """Seal what of record ID may go to NODE now, as Markdown with its marks, its label bound to it.

    The label, the kind and the project can be read without a key: servers decide by them.
    """
    node = session.node
    recipient = partner_node(node, node_name)
    record, parts = _going(node, id_, recipient)
    labels = labels_of(node, record, parts)
    label, text = labels[0].label, markdown(node, record, parts, labels[0].label)
    splits = [[_server(node, part)] for given in servers for part in given.split(",")]
    statement = Statement(
        "label", adatp4774.write(labels[0], node.core.policies).decode(), "xml-structured", adatp4774.NAMESPACE
    )
    sealed = io.BytesIO()
    policy = TdfPolicy(label, record.header.kind, node.core.party, (recipient,), record.header.project, record.digest)
    random = node.core.random
    given = policy.to_bytes(random)
    seal_tdf(
        io.BytesIO(text), sealed, splits, given, random, mime_type=MARKDOWN, statements=[statement], form=FORMS[form]
    )
    write_whole(output, sealed.getvalue())
    with node.core.store.transaction():
        said = ["TDF", recipient, output.name, *(part.name for part in parts)]
        node.audit.write("export", record.digest.hex(), verdict="written", reasons=said, actor=operator())
    banner = Marks.of(node).write(label, record.header.created)
    data = {
        "id": record.header.id,
        "node": recipient,
        "file": str(output),
        "portions": [p.name for p in parts],
        "banner": banner,
    }
    session.out.lines(data, [str(output)])
    session.out.say(f"{banner}: {listed(part.name for part in parts)}.")


@tdf.command("policy")
@click.argument("nodes", metavar="NODE...", nargs=-1, required=True)
@click.option("--marking", required=True, help="Of what is to be sealed.")
@click.option("--kind", required=True, help="What it is.")
@click.option("--project", default="", metavar="P", help="Its project.")
@pass_session
def policy(session: Session, nodes: tuple[str, ...], marking: str, kind: str, project: str) -> None:
    """Print the policy under which another maker seals for NODEs, as JSON: this node's key-access server decides by it.

    OpenTDF's SDK takes it as `scope.policyObject`.
    """
    node = session.node
    label = Marks.of(node).read(marking, node.core.clock.now())
    names = tuple(node.name if name == node.name else partner_node(node, name) for name in nodes)
    made = TdfPolicy(label, kind, node.core.party, names, project).to_bytes(node.core.random)
    session.out.lines(msgspec.json.decode(made), [made.decode()])


@tdf.command("open")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--kas-key", "keys", type=click.Path(path_type=Path), metavar="KEY", multiple=True,
    help="Private key of a key-access server; repeatable.",
)  # fmt: skip
@click.option(
    "--kas", "servers", metavar="URL=FILE", multiple=True,
    help="A key-access server to ask, and the file with a session's token there; repeatable.",
)  # fmt: skip
@click.option("--for", "recipient", metavar="NODE", help="For whom it is opened.  [default: this node]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default=Path("-"),
    help="Where to write.  [default: stdout]",
)
@pass_session
def open_(
    session: Session,
    file: Path,
    keys: tuple[Path, ...],
    servers: tuple[str, ...],
    recipient: str | None,
    output: Path,
) -> None:
    """Open container FILE with keys at hand, if the rules here permit it to the node that its policy names.

    Each key stands in for a key-access server that cannot be reached; one that can is asked with --kas. Nothing is
    written unless all of it holds.
    """
    node = session.node
    remote = RemoteKas(dict(_tokens(servers)))
    who = node.name if recipient in (None, node.name) else partner_node(node, str(recipient))
    kas = OfflineKas(node.core, node.epochs, [KasKey(read_whole(path, _PEM)) for path in keys], who)
    with file.open("rb") as source:
        opened = open_tdf(source, lambda access, policy: kas.unwrap(access, policy) or remote.unwrap(access, policy))
        policy = TdfPolicy.from_bytes(opened.policy)
        kas.check(policy)
        _agrees(node, opened, policy.label)
        _write(opened, output)
    with node.core.store.transaction():
        said = ["TDF", who, file.name, policy.originator]
        node.audit.write("release", policy.kind, verdict="opened", reasons=said, actor=operator())
    banner = Marks.of(node).write(policy.label, node.core.clock.now())
    if str(output) != "-":
        session.out.lines({"file": str(output), "node": who, "banner": banner, "bytes": opened.size}, [str(output)])
    session.out.say(f"{banner}: opened for {who}, from {policy.originator}.")


@dataclass(frozen=True, slots=True)
class _Where:
    url: str
    path: Path


def _tokens(servers: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for text in servers:
        url, equals, path = text.rpartition("=")
        if not equals:
            raise InvalidInput(f"{text!r} names no token", fix="Write URL=FILE; `aldis sign-in --json` gives a token")
        yield check_url(url), read_whole(Path(path), _PEM).decode("ascii", "replace").strip()


def _server(node: Node, text: str) -> KasPublic:
    if text == "here":
        own = node.key_access.public() if node.key_access.url else None
        if own is None:
            raise InvalidInput("this node has no key-access server", fix="`aldis tdf key NAME --serve`, and `kas_url`")
        return own
    url, equals, path = text.rpartition("=")
    where = _Where(url if equals else f"https://{Path(text).stem}.invalid/kas", Path(path))
    return KasPublic(read_whole(where.path, _PEM), where.url)


def _going(node: Node, id_: str, recipient: str) -> tuple[Record, list[Portion]]:
    """The record, and the portions of it that may go as they are."""
    explanation, record = node.desk.why(id_, recipient), node.records.get(id_).record()
    header = explanation.header.decision
    if not header.permits:
        error = NeedsPerson if header.verdict is Verdict.REFER else RefusedByPolicy
        raise error(f"{id_!r} may not go to {recipient}", fix=f"`aldis why {id_} {recipient}` says why")
    now, parts = node.core.clock.now(), []
    for part in record.portions:
        decision = explanation.portions[part.name].decision
        if decision.permits and not decision.transforms and decision.not_before <= now:
            parts.append(part)
    if not parts:
        raise RefusedByPolicy(
            f"no portion of {id_!r} may go to {recipient} as it is", fix=f"`aldis why {id_} {recipient}` says why"
        )
    return record, parts


def _agrees(node: Node, opened: Opened, label: Label) -> None:
    """Refuse a container whose label assertion says other than its policy."""
    for one in opened.statements:
        if one.schema == adatp4774.NAMESPACE:
            stated = adatp4774.read(one.value.encode(), node.core.policies)
            if stated.label != adatp4774.carried(label, stated.created, node.core.policies):
                raise RefusedByPolicy("its label and its policy say different things", fix="Ask its maker for it again")


def _write(opened: Opened, output: Path) -> None:
    if str(output) == "-":
        write_whole(output, b"".join(opened.segments()))
        return
    with whole_file(output) as file:
        file.writelines(opened.segments())
