"""The exchange by file: a stick, a diode, an e-mail. The same bundles, the same verification, no second protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aldis.kernel.bundles import BUNDLE_LIMIT, open_envelope
from aldis.kernel.errors import AldisError, InvalidInput, TooLarge, Unavailable
from aldis.kernel.messages import Receipt, read_unverified
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.exchange import Exchange, exported_to
from aldis.node.inbound import Inbound
from aldis.node.partners import Known, Partners

__all__ = ["BUNDLE_SUFFIX", "RECEIPT_SUFFIX", "Files", "active", "read", "write"]

BUNDLE_SUFFIX = ".bundle"
RECEIPT_SUFFIX = ".receipt"


class Files:
    """Writes bundles and receipts to files, and reads them."""

    def __init__(self, core: Core, audit: Audit, partners: Partners, exchange: Exchange, inbound: Inbound) -> None:
        self._core = core
        self._audit = audit
        self._partners = partners
        self._exchange = exchange
        self._inbound = inbound

    def export(self, node: str, folder: Path) -> Iterator[Path]:
        """Write every bundle that a partner has not acknowledged, oldest first; each file as it is written.

        Raises:
            InvalidInput: the partner is not active.
            RefusedByPolicy: an earlier file holds what may no longer go; see `Exchange.next_bundle`.
            Unavailable: the folder cannot be written to.
        """
        known = active(self._partners, node)
        written = 0
        while (sealed := self._exchange.next_bundle(known.node, written)) is not None:
            path = folder / f"{self._core.node}-{known.node}-{sealed.first:09d}-{sealed.last:09d}{BUNDLE_SUFFIX}"
            write(path, sealed.data or b"")
            with self._core.store.transaction():
                self._core.store.meta.set_number(exported_to(known.node), sealed.last)
                self._audit.write("export", sealed.digest.hex(), verdict="written", reasons=[known.node, path.name])
            written = sealed.last
            yield path

    def take(self, path: Path) -> tuple[str, Path | None]:
        """Import a bundle or a receipt: what it came to in words, and the receipt's file where there is one.

        Raises:
            InvalidInput: neither a bundle nor a receipt.
            VerificationFailed: it is not believed.
        """
        data = read(path)
        try:
            manifest = open_envelope(data)[0]
        except InvalidInput as problem:
            return self._take_receipt(data, problem), None
        receipt = self._inbound.deliver(None, data)
        answer = path.with_suffix(RECEIPT_SUFFIX)
        write(answer, receipt)
        known = self._partners.get(manifest.origin)
        said = read_unverified(receipt, Receipt)
        aside = f", {said.quarantined} of them set aside (`aldis quarantine list`)" if said.quarantined else ""
        return f"items {manifest.first} to {manifest.last} of {known.node} admitted{aside}", answer

    def _take_receipt(self, data: bytes, problem: AldisError) -> str:
        try:
            claimed = read_unverified(data, Receipt)
        except InvalidInput:
            raise problem from None
        known = self._partners.get(claimed.origin)
        receipt = self._exchange.receipt(data, known)
        return f"{known.node} holds what was sent to it up to item {receipt.cursor.seq}"


def active(partners: Partners, node: str) -> Known:
    """The partner, to which something may go.

    Raises:
        UnknownTerm: there is none.
        InvalidInput: it is not active.
    """
    known = partners.get(node)
    if not known.active:
        raise InvalidInput(f"{known.node} is {known.status.value}: nothing goes to it", fix="Resume it first")
    return known


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}", fix="Free space or name another folder"
        ) from error


def read(path: Path) -> bytes:
    """A file's bytes, where there are no more than a bundle has."""
    try:
        with path.open("rb") as file:
            data = file.read(BUNDLE_LIMIT + 1)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", fix="Check the path") from error
    if len(data) > BUNDLE_LIMIT:
        raise TooLarge(f"{path} is larger than {BUNDLE_LIMIT} bytes", fix="It is not a bundle")
    return data
