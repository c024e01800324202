"""`aldis label`: labels of files as other systems write them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

import click

from aldis.interfaces.cli.exporting import SIDECAR
from aldis.interfaces.cli.files import read_whole
from aldis.interfaces.cli.marks import Marks
from aldis.interfaces.cli.ooxml import embedded
from aldis.interfaces.cli.session import Session, pass_session
from aldis.kernel.bindings import Binding, problems, read_binding
from aldis.kernel.errors import VerificationFailed
from aldis.kernel.policies import Policies
from aldis.kernel.trees import XML_LIMIT

__all__ = ["label"]

_FILE = 256 * 1024 * 1024
_PACKAGES = (".docx", ".xlsx", ".pptx")


@click.group("label")
def label() -> None:
    """Labels of files as other systems write them (ADatP-4774), and what binds them (ADatP-4778)."""


@label.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def verify(session: Session, file: Path) -> None:
    """Check that FILE is what its label was bound to, by FILE.bdo beside it or the binding inside an Office document.

    This shows that nothing changed, not who bound it: a binding is not signed.
    """
    node, marks = session.node, Marks.of(session.node)
    binding, wrong = _checked(file, node.core.policies)
    if wrong:
        raise VerificationFailed(
            f"{file.name}: {'; '.join(wrong)}", fix="Treat it as unlabelled: ask for it again, or label it anew"
        )
    shown = [(one.role.value, marks.write(one.in_force(node.core.clock.now()), one.created)) for one in binding.labels]
    data = {
        "file": str(file), "holds": True, "references": [one.uri for one in binding.references],
        "labels": [{"role": role, "marking": text, "label": marks.data(one.label), "created": one.created}
                   for (role, text), one in zip(shown, binding.labels, strict=True)],
    }  # fmt: skip
    session.out.lines(data, [f"{file.name}: {shown[0][1]}", *(f"{role}: {text}" for role, text in shown[1:])])
    session.out.say(f"The binding holds for {', '.join(unquote(one.uri) for one in binding.references)}.")


def _checked(file: Path, policies: Policies) -> tuple[Binding, tuple[str, ...]]:
    beside = file.with_name(file.name + SIDECAR)
    if file.suffix.lower() in _PACKAGES and not beside.exists():
        return embedded(read_whole(file, _FILE), policies)
    if not beside.exists():
        read_whole(file, _FILE)
        raise VerificationFailed(
            f"{file.name} has no label: {beside.name} is not beside it", fix="Treat it as unlabelled"
        )
    binding = read_binding(read_whole(beside, XML_LIMIT), policies)
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
