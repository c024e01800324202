"""A record as a release sees it, and what is asked of its header and of each portion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from aldis.kernel.labels import Label
from aldis.kernel.release.decisions import NOBODY, Request

__all__ = ["NO_GRANTS", "View", "requests_for"]

NO_GRANTS: Mapping[str, Collection[bytes]] = MappingProxyType({})
_NO_APPROVALS = Counter[bytes]()


class View(Protocol):
    """What a release asks of a record; `originator` is a party, `created` in ms since 1970 UTC."""

    @property
    def digest(self) -> bytes:
        """The record's digest, 32 bytes."""

    @property
    def kind(self) -> str:
        """Its kind."""

    @property
    def id(self) -> str:
        """Its id, by which holds name it."""

    @property
    def project(self) -> str:
        """Its project, or the empty string."""

    @property
    def originator(self) -> str:
        """The party that originated it."""

    @property
    def created(self) -> int:
        """When this version was made."""

    @property
    def label(self) -> Label:
        """The label of its header."""

    @property
    def portions(self) -> Sequence[tuple[bytes, str, Label]]:
        """Digest, name and label of each portion held."""


def requests_for(
    view: View,
    recipient: str,
    purpose: str | None,
    *,
    grants: Mapping[str, Collection[bytes]] = NO_GRANTS,
    approved: Collection[bytes] = (),
) -> list[tuple[bytes, Request]]:
    """What is asked of the header (under the record's digest, first) and of each portion; as `release`."""
    parts = [(view.digest, "", view.label), *view.portions]
    said = Counter(approved) if approved else _NO_APPROVALS
    return [
        (
            digest,
            Request(
                label=label, kind=view.kind, recipient=recipient, originator=view.originator, project=view.project,
                portion=name, purpose=purpose, approved=said[digest], record=view.id, created=view.created,
                origin_grants=_granted(grants, digest, name) if grants else NOBODY,
            ),
        )
        for digest, name, label in parts
    ]  # fmt: skip


def _granted(grants: Mapping[str, Collection[bytes]], digest: bytes, name: str) -> frozenset[str]:
    """The parties that the originator's grant names for a portion; every one of them may have the header."""
    return frozenset(party for party, given in grants.items() if not name or digest in given)
