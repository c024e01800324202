"""For whom a command looks: a partner node, or a person who signed in, whose token lies in a file of their own."""

from __future__ import annotations

import os
from pathlib import Path

from aldis.interfaces.cli.parties import partner_node
from aldis.interfaces.cli.session import Session
from aldis.kernel.encoding import sha256
from aldis.kernel.errors import InvalidInput, NotAuthentic
from aldis.node.people import Person
from aldis.node.people.accounts import PREFIX

__all__ = ["drop_token", "keep_token", "kept_token", "signed_in", "viewer_named"]


def viewer_named(session: Session, name: str) -> str | Person:
    """The partner node of a node's or party's name, or the signed-in person of `person:ID`.

    Raises:
        UnknownTerm: no such partner.
        NotAuthentic: nobody is signed in under that name.
    """
    return signed_in(session, name) if name.startswith(PREFIX) else partner_node(session.node, name)


def signed_in(session: Session, name: str) -> Person:
    """The person of `person:ID`, by the token that `aldis sign-in` kept.

    Raises:
        InvalidInput: not a name of that form.
        NotAuthentic: nobody is signed in under that name.
    """
    if not name.startswith(PREFIX):
        raise InvalidInput(f"{name!r} is no person", fix=f"Write {PREFIX}ID, after `aldis sign-in ID`")
    person = name.removeprefix(PREFIX)
    found = session.node.people.sessions.who(kept_token(session, person))
    if found.id != person:
        raise NotAuthentic(f"{person} is not signed in", fix=f"`aldis sign-in {person}`")
    return found


def kept_token(session: Session, person: str) -> str:
    """The token that `aldis sign-in` kept for a person, "" where there is none."""
    try:
        return _file(session, person).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def drop_token(session: Session, person: str) -> None:
    """Keep a person's token no longer."""
    _file(session, person).unlink(missing_ok=True)


def keep_token(session: Session, person: str, token: str) -> Path:
    """Write a token where only this user can read it; the file."""
    path = _file(session, person)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token + "\n")
    return path


def _file(session: Session, person: str) -> Path:
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    name = sha256(f"{session.place.resolve()} {person}".encode("utf-8", "replace")).hex()[:32]
    return config / "aldis" / "sessions" / name
