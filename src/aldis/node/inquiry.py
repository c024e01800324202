"""An inquiry: everything this node knows of one record or one partner, as files that verify without the node.

README.txt      what there is, for people
inquiry.json    who made it, about what, the digest of every other file, and the keys
inquiry.sig     the node's signature over inquiry.json
records.json    each version: the exact bytes of its header, of its portions, and where it came from
releases.json   each item that left for a partner, with portions, transforms and whether it was acknowledged
receipts.json   the newest signed receipt of each partner
decisions.json  what was decided, with reasons, and the input that it can be decided again from
leaves.json     the ledger's leaves on all of that, each with its proof under a signed checkpoint
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from aldis.kernel.authority import Act
from aldis.kernel.encoding import b64, digest_from_hex, sha256, unb64
from aldis.kernel.errors import AldisError, InvalidInput, NotAuthentic, UnknownTerm, VerificationFailed
from aldis.kernel.labels import encode_label
from aldis.kernel.ledger import Leaf, decode_leaf
from aldis.kernel.records import read_portion, read_record
from aldis.kernel.signatures import Key, algorithm_named
from aldis.node.attachments import Attachments
from aldis.node.audit import Audit, Proof, check_proof
from aldis.node.core import Core
from aldis.node.partners import Partners
from aldis.node.people import Person, Sights, name_of
from aldis.node.rulings import Asked
from aldis.node.store import Held, Row

__all__ = ["Head", "Inquiry", "Said", "carries", "read_head", "verify_inquiry"]

CONTEXT = b"aldis/inquiry/1"
_HEAD, _SIGNATURE, _README = "inquiry.json", "inquiry.sig", "README.txt"
_STEP = 2000
_LARGEST = 1024 * 1024 * 1024


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who made an inquiry, when (ms since 1970 UTC), about what; digests of its files in hex; keys in base64url."""

    format: int
    node: str
    party: str
    made: int
    about: dict[str, str]
    algorithm: str
    key: str
    ledger_key: str
    files: dict[str, str]


class Said(msgspec.Struct, frozen=True):
    """What a folder that verified holds."""

    head: Head
    records: int
    releases: int
    leaves: int


class _Record(msgspec.Struct, frozen=True):
    """A version as bytes; the portions are left out where only its existence concerns the inquiry."""

    digest: str
    header: str
    portions: list[str]
    source: str
    arrived: int
    erased: str
    attachments: list[dict[str, Any]] = []


class Inquiry:
    """Gathers what concerns one record or one partner.

    It holds leaves of the ledger, so of persons it is for auditors of this node's own nation at its ceiling; and
    content, so a record is gathered for a person who sees the whole of every version.
    """

    def __init__(self, core: Core, audit: Audit, partners: Partners, attachments: Attachments, sights: Sights) -> None:
        self._attachments = attachments
        self._sights = sights
        self._core = core
        self._audit = audit
        self._partners = partners
        self._store = core.store

    def record(self, record_id: str, folder: Path, by: str | Person) -> Head:
        """Write everything that concerns a record, its content among it, to an empty folder.

        Raises:
            UnknownTerm: no such record, or not for this person.
            InvalidInput: the folder is not empty.
            RefusedByPolicy: a person who is no such auditor.
        """
        author = self._author(by)
        rows = self._store.records.versions(record_id)
        if not rows or not self._sees(by, rows):
            raise UnknownTerm(f"no record {record_id!r} here", fix="`aldis list` and `aldis search` find what is")
        sent = self._store.releases.of([row.seq for row in rows])
        parties = self._partners.parties()
        shapes = {_shape(self._core, row, parties.get(row.originator, "")) for row in rows}
        recalls = {one.recall for row in rows for one in self._store.recalls.of(row.digest, row.originator, row.source)}
        recalls |= {digest for digest, _ in self._store.recalls.asked([row.digest for row in rows]).values() if digest}
        subjects = {record_id, *(row.digest.hex() for row in rows), *(digest.hex() for digest in recalls)}
        subjects |= {held.attachment.digest for row in rows for held in self._attachments.of(row)}
        came = {(row.source, row.arrived) for row in rows if row.source}
        rulings = self._store.referrals.moments([row.seq for row in rows])
        found = []
        for index, leaf in self._leaves():
            if any(carries(leaf, one) for one in sent):
                subjects.add(leaf.subject)  # the bundle; its receipt names it too
            concerns = leaf.subject in subjects
            near = next((at for who, at in came if who == leaf.actor), None)
            if leaf.type == "admission" and near is not None and leaf.at >= near:
                came -= {(leaf.actor, near)}
                concerns = True
            if leaf.type == "decision":
                concerns = (leaf.subject, leaf.at) in rulings or _asked_shape(self._asked(leaf)) in shapes
            if concerns:
                found.append(index)
        return self._write(folder, {"record": record_id}, rows, sent, found, author, content=True)

    def partner(self, name: str, folder: Path, by: str | Person) -> Head:
        """Write everything that concerns a partner; of records their headers, not their content.

        Raises:
            UnknownTerm: no such partner.
            InvalidInput: the folder is not empty.
            RefusedByPolicy: a person who is no such auditor.
        """
        author, node = self._author(by), self._partners.get(name).node
        sent, after, rows = self._store.releases.to(node), 0, list[Row]()
        released = {one.record_seq for one in sent}
        while some := self._store.records.since(after, _STEP):
            rows += [row for row in some if row.seq in released or node in (row.source, row.originator)]
            after = some[-1].seq
        found = [
            index
            for index, leaf in self._leaves()
            if node in (leaf.subject, leaf.actor) or (leaf.reasons and leaf.reasons[0] == node)
        ]
        return self._write(folder, {"partner": node}, rows, sent, found, author, content=False)

    def _author(self, by: str | Person) -> str:
        author = name_of(by, Act.INQUIRE)
        self._sights.check_whole(
            by,
            "an inquiry tells of every record here that it rests on",
            "Ask a national of this node's party who works at its ceiling",
        )
        return author

    def _sees(self, by: str | Person, rows: Sequence[Row]) -> bool:
        """Whether whoever asks sees the whole of every row."""
        if not isinstance(by, Person):
            return True
        sight = self._sights.of(by)
        cut = [self._sights.cut(row, sight) for row in rows]
        return all(seen is not None and len(seen.portions) == len(row.portions)
                   for seen, row in zip(cut, rows, strict=True))  # fmt: skip

    def _leaves(self) -> Iterator[tuple[int, Leaf]]:
        start = 0
        while rows := self._store.ledger.leaves(start, _STEP):
            yield from ((row.index, decode_leaf(row.data)) for row in rows)
            start = rows[-1].index + 1

    def _asked(self, leaf: Leaf) -> Asked | None:
        data = self._store.ledger.snapshot(digest_from_hex(leaf.input))
        try:
            return msgspec.json.decode(data, type=Asked) if data else None
        except msgspec.MsgspecError:
            return None

    def _write(
        self,
        folder: Path,
        about: dict[str, str],
        rows: Sequence[Row],
        sent: Sequence[Held],
        indexes: Sequence[int],
        author: str,
        *,
        content: bool,
    ) -> Head:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidInput(f"{folder} is not empty", fix="Name a new folder")
        core = self._core
        with self._store.transaction():
            what = [f"{word} {name}" for word, name in about.items()]
            self._audit.write("export", core.node, verdict="inquiry", reasons=what, actor=author)
        proofs = self._audit.prove_all(indexes)
        files = {
            "records.json": _json([self._told(row, content=content) for row in rows]),
            "releases.json": _json([*self._releases(sent)]),
            "receipts.json": _json([*self._receipts({one.partner for one in sent} | {*about.values()})]),
            "decisions.json": _json([*self._decisions(proofs)]),
            "leaves.json": _json(proofs),
        }
        files[_README] = "\n".join(self._readme(about, rows, sent, proofs)).encode() + b"\n"
        head = Head(
            format=1,
            node=core.node,
            party=core.party,
            made=core.clock.now(),
            about=about,
            algorithm=core.signer.public.algorithm.value,
            key=b64(core.signer.public.raw),
            ledger_key=b64(core.note_signer.public),
            files={name: sha256(data).hex() for name, data in sorted(files.items())},
        )
        data = _json(head)
        files[_SIGNATURE], files[_HEAD] = b64(core.signer.sign(CONTEXT, data)).encode() + b"\n", data
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, one in files.items():
            (folder / name).write_bytes(one)
        return head

    def _told(self, row: Row, *, content: bool) -> _Record:
        portions = [portion.decode() for portion in row.portions] if content else []
        gone = self._store.erasure.of(row.digest)
        erased = f"{_when(gone.at)}: {gone.because}" if gone else ""
        files = [
            {"portion": held.portion, **msgspec.to_builtins(held.attachment), "state": held.state}
            for held in (self._attachments.of(row) if content else ())
        ]
        return _Record(row.digest.hex(), row.header.decode(), portions, row.source, row.arrived, erased, files)

    def _releases(self, sent: Sequence[Held]) -> Iterator[dict[str, Any]]:
        for one in sent:
            row = self._store.records.rows([one.record_seq])[0]
            names = {part.digest: part.name for part in row.record().portions}
            words = self._store.releases.altered(one.partner, [one.record_seq])
            yield {
                "partner": one.partner, "epoch": one.epoch, "item": one.seq, "record": row.id, "version": row.version,
                "digest": row.digest.hex(), "acknowledged": one.acknowledged,
                "portions": [
                    {"digest": digest.hex(), "name": names.get(digest, ""), "as": words.get((row.seq, digest), "")}
                    for digest in one.portions
                ],
            }  # fmt: skip

    def _receipts(self, names: Iterable[str]) -> Iterator[dict[str, Any]]:
        for name in sorted(names):
            held = self._store.partners.acknowledged(name)
            if held is not None:
                yield {"partner": name, "epoch": held.epoch, "item": held.seq, "bundle": held.digest.hex(),
                       "receipt": b64(held.receipt)}  # fmt: skip

    def _decisions(self, proofs: Sequence[Proof]) -> Iterator[dict[str, Any]]:
        for proof in proofs:
            leaf = decode_leaf(proof.leaf.encode())
            if leaf.type == "decision":
                data = self._store.ledger.snapshot(digest_from_hex(leaf.input)) or b""
                yield {"leaf": proof.index, "at": leaf.at, "for": leaf.subject, "verdict": leaf.verdict,
                       "reasons": leaf.reasons, "by": leaf.actor, "input": data.decode()}  # fmt: skip

    def _readme(
        self, about: dict[str, str], rows: Sequence[Row], sent: Sequence[Held], proofs: Sequence[Proof]
    ) -> Iterator[str]:
        core, [(word, name)] = self._core, about.items()
        yield f"What the node {core.node} of {core.party} knows of the {word} {name}, {_when(core.clock.now())}"
        yield "Handle these files as the records in them are marked.\n"
        yield "RECORDS"
        for row in rows:
            origin = f"from {row.source}" if row.source else "written here"
            yield f"  {row.id}, version {row.version}, of {row.originator}: {origin}, {_when(row.arrived)}"
            yield f"    digest {row.digest.hex()}"
            for held in self._attachments.of(row) if "record" in about else ():
                file = held.attachment
                yield f"    attachment {file.name}, {file.size} bytes, SHA-256 {file.digest}: {held.state} here"
        yield "\nRELEASES"
        by_seq = {row.seq: row for row in rows}
        for one in sent:
            row = by_seq[one.record_seq]
            sure = "acknowledged" if one.acknowledged else "not acknowledged"
            yield (
                f"  to {one.partner}: {row.id}, version {row.version}, {len(one.portions)} portions, as item {one.seq}"
                f" of epoch {one.epoch or '?'}; {sure}"
            )
        yield "\nLEDGER"
        for proof in proofs:
            leaf = decode_leaf(proof.leaf.encode())
            why = f": {'; '.join(leaf.reasons)}" if leaf.reasons else ""
            yield f"  leaf {proof.index}, {_when(leaf.at)}, {leaf.type} {leaf.verdict} ({leaf.subject}){why}"
        yield "\nTo verify these files without this node: aldis inquiry verify DIR"


def read_head(folder: Path) -> Head:
    """Who made the inquiry in a folder; believed only once `verify_inquiry` has returned.

    Raises:
        InvalidInput: there is none.
    """
    try:
        return msgspec.json.decode(_read(folder, _HEAD), type=Head)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"{folder / _HEAD} is not the head of an inquiry: {error}") from error


def verify_inquiry(folder: Path, pinned: tuple[Key, bytes] | None = None) -> Said:
    """What a folder holds, once all of it is verified: nothing of the node that made it is needed.

    1 the keys are the `pinned` ones, where there are any; 2 the signature over the head; 3 each file's digest, and no
    file more or less; 4 each record's bytes give its digest, and each portion is committed to; 5 each leaf stands under
    a checkpoint signed by the ledger's key; 6 each decision is that of its leaf, and its input the one the leaf names.

    Raises:
        InvalidInput: a file that cannot be read as what it should be.
        NotAuthentic, VerificationFailed: one of these does not hold.
    """
    head = read_head(folder)
    key, ledger_key = Key(algorithm_named(head.algorithm), unb64(head.key)), unb64(head.ledger_key)
    if pinned is not None and pinned != (key, ledger_key):  # 1
        raise NotAuthentic(f"it is not signed with the keys that {head.node} has here", fix="Ask its maker")
    key.verify(CONTEXT, _read(folder, _HEAD), unb64(_read(folder, _SIGNATURE).decode("ascii", "replace").strip()))  # 2
    there = {path.name for path in folder.iterdir()} - {_HEAD, _SIGNATURE}
    if there != head.files.keys():  # 3
        odd = ", ".join(sorted(there ^ head.files.keys()))
        raise VerificationFailed(f"{folder} has files too many or too few: {odd}", fix="Ask for it again")
    data = {name: _read(folder, name) for name in head.files}
    for name, digest in head.files.items():
        if sha256(data[name]).hex() != digest:
            raise VerificationFailed(f"{folder / name} was altered", fix="Ask for it again")
    records = _list(data["records.json"], list[_Record])
    for one in records:  # 4
        record = read_record(one.header.encode(), [portion.encode() for portion in one.portions])
        if record.digest.hex() != one.digest:
            raise VerificationFailed(f"record {record.header.id!r} has another digest than it says")
    leaves = _list(data["leaves.json"], list[Proof])
    for proof in leaves:  # 5
        if proof.node != head.node:
            raise VerificationFailed(f"leaf {proof.index} is of the ledger of {proof.node}")
        check_proof(proof, ledger_key)
    _check_decisions(_list(data["decisions.json"], list[dict[str, Any]]), leaves)  # 6
    return Said(head, len(records), len(_list(data["releases.json"], list[dict[str, Any]])), len(leaves))


def _check_decisions(decisions: list[dict[str, Any]], leaves: Sequence[Proof]) -> None:
    proven = {proof.index: decode_leaf(proof.leaf.encode()) for proof in leaves}
    for one in decisions:
        leaf = proven.get(one.get("leaf", -1))
        same = leaf is not None and (leaf.verdict, [*leaf.reasons]) == (one.get("verdict"), one.get("reasons"))
        if leaf is None or not same or sha256(str(one.get("input", "")).encode()).hex() != leaf.input:
            raise VerificationFailed(f"decision {one.get('leaf')} is not the one in the ledger")


def _list(data: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"a file of the inquiry cannot be read: {error}") from error


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if "/" in name or path.is_symlink():
        raise VerificationFailed(f"{path} is not a file of this folder", fix="Ask for it again")
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", fix="Name the folder of an inquiry") from error
    if len(data) > _LARGEST:
        raise VerificationFailed(f"{path} is larger than {_LARGEST} bytes")
    return data


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value)) + b"\n"


def _when(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def carries(leaf: Leaf, one: Held) -> bool:
    """Whether a leaf tells of the bundle in which an item went; across epochs, one too many rather."""
    if leaf.type != "release" or len(leaf.reasons) < 2 or leaf.reasons[0] != one.partner:
        return False
    first, _, last = leaf.reasons[1].partition("-")
    return first.isdigit() and last.isdigit() and int(first) <= one.seq <= int(last)


Shape = tuple[str, str, str, bytes, tuple[tuple[str, bytes], ...]]


def _shape(core: Core, row: Row, party: str) -> Shape:
    """What decisions are made on: records alike in it are decided by one leaf."""
    profile = core.store.profiles.profile
    parts = zip(map(read_portion, row.portions), row.portion_profiles, strict=True)
    portions = sorted((part.name, encode_label(profile(number).label)) for part, number in parts)
    return row.kind, row.project, party, encode_label(profile(row.profile).label), tuple(portions)


def _asked_shape(said: Asked | None) -> Shape | None:
    if said is None:
        return None
    try:
        portions = tuple(sorted((name, bytes(label)) for name, label in said.portions))
        return said.kind, said.project, said.originator, bytes(said.label), portions
    except (AldisError, ValueError):
        return None
