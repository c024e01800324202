"""`aldis label`: labels of files as other systems write them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

import click

from aldis.interfaces.cli.exporting import SIDECAR
from aldis.interfaces.cli.files import read_whole, write_whole
from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.ooxml import embedded
from aldis.interfaces.cli.session import Session, operator, pass_session
from aldis.kernel.bindings import Binding, problems, read_binding
from aldis.kernel.encoding import b64, sha256, unb64
from aldis.kernel.errors import UnknownTerm, VerificationFailed
from aldis.kernel.policies import Policies
from aldis.kernel.trees import XML_LIMIT
from aldis.node.node import Node

__all__ = ["label"]

_FILE = 256 * 1024 * 1024
_SIGNATURE = ".sig"
_SIGNED = 64 * 1024
_CONTEXT = b"aldis/label/1"
_PACKAGES = (".docx", ".xlsx", ".pptx")


@click.group("label")
def label() -> None:
    """Labels of files as other systems write them (ADatP-4774), and what binds them (ADatP-4778)."""


@label.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--signed-by", "signer", metavar="NODE", help="And that this node signed the binding.")
@pass_session
def verify(session: Session, file: Path, signer: str | None) -> None:
    """Check that FILE is what its label was bound to, by FILE.bdo beside it or the binding inside an Office document.

    This shows that nothing changed, not who bound it, unless --signed-by asks for the signature in FILE.sig too.
    """
    node, marks = session.node, Marks.of(session.node)
    carrier = _carrier(file)
    if signer is not None:
        _check_signature(node, file, carrier, signer)
    binding, wrong = _checked(file, carrier, node.core.policies)
    if wrong:
        raise VerificationFailed(
            f"{file.name}: {'; '.join(wrong)}", fix="Treat it as unlabelled: ask for it again, or label it anew"
        )
    shown = [(one.role.value, marks.write(one.in_force(node.core.clock.now()), one.created)) for one in binding.labels]
    data = {
        "file": str(file), "holds": True, "signed_by": signer, "references": [one.uri for one in binding.references],
        "labels": [{"role": role, "marking": text, "label": marks.data(one.label), "created": one.created}
                   for (role, text), one in zip(shown, binding.labels, strict=True)],
    }  # fmt: skip
    session.out.lines(data, [f"{file.name}: {shown[0][1]}", *(f"{role}: {text}" for role, text in shown[1:])])
    session.out.say(f"The binding holds for {', '.join(unquote(one.uri) for one in binding.references)}.")


@label.command("sign")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def sign(session: Session, file: Path) -> None:
    """Sign what binds the label of FILE with this node's key, into FILE.sig: partners can tell who bound it."""
    node, carrier = session.node, _carrier(file)
    _, wrong = _checked(file, carrier, node.core.policies)
    if wrong:
        raise VerificationFailed(f"{file.name}: {'; '.join(wrong)}", fix="Label it anew before it is signed")
    place = file.with_name(file.name + _SIGNATURE)
    with node.core.store.transaction():
        digest, reasons = sha256(carrier).hex(), ["label", file.name]
        node.audit.write("export", digest, verdict="signed", reasons=reasons, actor=operator())
    write_whole(place, f"{b64(node.core.signer.sign(_CONTEXT, carrier))}\n".encode())
    session.out.lines({"file": str(file), "signature": str(place), "node": node.name}, [str(place)])


def _check_signature(node: Node, file: Path, carrier: bytes, signer: str) -> None:
    known = node.partners.keys()
    if signer not in known:
        raise UnknownTerm(f"{signer!r} is no node known here", fix=f"Known: {', '.join(sorted(known))}")
    place = file.with_name(file.name + _SIGNATURE)
    if not place.exists():
        raise VerificationFailed(f"{file.name} is not signed: {place.name} is not beside it", fix=f"Ask {signer}")
    signature = unb64(read_whole(place, _SIGNED).decode("ascii", "replace").strip())
    known[signer][1].verify(_CONTEXT, carrier, signature)


def _carrier(file: Path) -> bytes:
    """The bytes that hold the binding: the sidecar, or the Office document."""
    beside = file.with_name(file.name + SIDECAR)
    if beside.exists():
        return read_whole(beside, XML_LIMIT)
    data = read_whole(file, _FILE)
    if file.suffix.lower() not in _PACKAGES:
        raise VerificationFailed(
            f"{file.name} has no label: {beside.name} is not beside it", fix="Treat it as unlabelled"
        )
    return data


def _checked(file: Path, carrier: bytes, policies: Policies) -> tuple[Binding, tuple[str, ...]]:
    beside = file.with_name(file.name + SIDECAR)
    if file.suffix.lower() in _PACKAGES and not beside.exists():
        return embedded(carrier, policies)
    binding = read_binding(carrier, policies)
    wrong = list(problems(binding, lambda uri: _beside(file.parent, uri)))
    if quote(file.name) not in {one.uri for one in binding.references}:
        wrong.append(f"{beside.name} is of {', '.join(one.uri for one in binding.references)}, not of {file.name}")
    return binding, tuple(wrong)


def _beside(folder: Path, uri: str) -> bytes | None:
    """The content of a plain file name; what would lead elsewhere is nothing."""
    name = unquote(uri)
    if name != Path(name).name or name in ("", ".", "..") or not (folder / name).is_file():
        return None
    return read_whole(folder / name, _FILE)
