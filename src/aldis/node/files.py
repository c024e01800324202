"""The exchange by file: a stick, a diode, an e-mail. The same bundles, the same verification, no second protocol.

The content of attachments lies beside the bundles, each in a file of its own behind a signed head.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aldis.kernel.bundles import BUNDLE_LIMIT, open_envelope
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, TooLarge, Unavailable
from aldis.kernel.messages import ContentReceipt, Receipt, open_message, read_unverified, sign_message
from aldis.node.attachments import CONTENT_SUFFIX, Attachments
from aldis.node.audit import Audit
from aldis.node.core import Core
from aldis.node.exchange import Exchange
from aldis.node.inbound import Inbound
from aldis.node.partners import Known, Partners
from aldis.node.whole import whole_file

__all__ = ["BUNDLE_SUFFIX", "RECEIPT_SUFFIX", "Files", "active", "read", "write"]

BUNDLE_SUFFIX = ".bundle"
RECEIPT_SUFFIX = ".receipt"


class Files:
    """Writes bundles and receipts to files, and reads them."""

    def __init__(
        self,
        core: Core,
        audit: Audit,
        partners: Partners,
        exchange: Exchange,
        inbound: Inbound,
        attachments: Attachments,
    ) -> None:
        self._attachments = attachments
        self._core = core
        self._audit = audit
        self._partners = partners
        self._exchange = exchange
        self._inbound = inbound

    def export(self, node: str, folder: Path) -> Iterator[Path]:
        """Write every bundle that a partner has not acknowledged, oldest first; then every such content, each alone.

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
            self._exchange.left(known.node, sealed, path.name)
            written = sealed.last
            yield path
        for row, path in self._attachments.outgoing.files(known.node, folder):
            with self._core.store.transaction():
                self._audit.write("export", row.digest.hex(), verdict="written", reasons=[known.node, path.name])
            yield path

    def take(self, path: Path) -> tuple[str, Path | None]:
        """Import a bundle, a content or a receipt: what it came to in words, and the receipt's file where there is one.

        Raises:
            InvalidInput: neither a bundle nor a receipt.
            VerificationFailed: it is not believed.
        """
        if path.suffix == CONTENT_SUFFIX:
            return self._take_content(path)
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

    def _take_content(self, path: Path) -> tuple[str, Path]:
        head, receipt = self._attachments.incoming.take_file(path)
        answer = path.with_suffix(RECEIPT_SUFFIX)
        write(answer, sign_message(receipt, self._core.signer))
        return f"an attachment of {head.size:,} bytes from {head.origin} is whole", answer

    def _take_receipt(self, data: bytes, problem: AldisError) -> str:
        try:
            claimed = read_unverified(data, Receipt)
        except InvalidInput:
            return self._take_content_receipt(data, problem)
        known = self._partners.get(claimed.origin)
        receipt = self._exchange.receipt(data, known)
        return f"{known.node} holds what was sent to it up to item {receipt.cursor.seq}"

    def _take_content_receipt(self, data: bytes, problem: AldisError) -> str:
        try:
            claimed = read_unverified(data, ContentReceipt)
        except InvalidInput:
            raise problem from None
        known = self._partners.get(claimed.origin)
        receipt = open_message(data, ContentReceipt, known.sheet.pinned)
        if receipt.audience != self._core.node:
            raise NotAuthentic(f"a receipt for {receipt.audience!r}", fix="Take it to that node")
        for row in self._core.store.attachments.outgoing(bytes.fromhex(receipt.digest)):
            if row.partner == known.node and row.state == "waits" and receipt.state in ("whole", "refused"):
                self._attachments.outgoing.settle(row, receipt)
        return f"{known.node} says of the attachment {receipt.digest[:12]}: {receipt.state}"


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
        with whole_file(path) as file:
            file.write(data)
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
