"""Aldis as an implementation under test: answers NODE-CLI.md on standard input and output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from aldis.kernel.admission import Peer, Peers
from aldis.kernel.attachments import open_chunk
from aldis.kernel.bundles import Grant, open_bundle, read_commitment, verify_grant
from aldis.kernel.encoding import unb64
from aldis.kernel.errors import AldisError, InvalidInput
from aldis.kernel.frames import open_frame
from aldis.kernel.ledger import leaf_hash, merkle_root, verify_checkpoint, verify_consistency, verify_inclusion
from aldis.kernel.messages import Content, ContentReceipt, Cursor, Greeting, Receipt, Welcome, open_message
from aldis.kernel.policies import builtin
from aldis.kernel.records import Kind, read_record
from aldis.kernel.signatures import Key, algorithm_named

__all__ = ["answer", "main"]

_Given = Mapping[str, Any]
_MESSAGES: dict[str, Any] = {
    "greeting": Greeting,
    "welcome": Welcome,
    "receipt": Receipt,
    "content": Content,
    "content-receipt": ContentReceipt,
}
_TYPES = {"text": str, "numbers": dict[str, float]}


def answer(request: _Given) -> dict[str, Any]:
    """The answer to one request."""
    do = _OPERATIONS.get(str(request.get("do")))
    if do is None:
        return {"id": request.get("id"), "unsupported": True}
    try:
        return {"id": request.get("id"), "ok": do(request)}
    except AldisError as error:
        return {"id": request.get("id"), "refused": error.code}


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def _bytes(given: _Given, name: str) -> bytes:
    return bytes.fromhex(given[name])


def _list(given: _Given, name: str) -> list[bytes]:
    return [bytes.fromhex(text) for text in given[name]]


def _key(given: _Given) -> Key:
    return Key(algorithm_named(given["algorithm"]), unb64(given["key"]))


def _verify(given: _Given) -> dict[str, Any]:
    _key(given).verify(given["context"].encode(), _bytes(given, "message"), _bytes(given, "signature"))
    return {}


def _read_record(given: _Given) -> dict[str, Any]:
    record = read_record(_bytes(given, "header"), _list(given, "portions"))
    header = record.header
    return {
        "digest": record.digest.hex(),
        "id": header.id,
        "version": header.version,
        "originator": header.originator,
        "names": [portion.name for portion in record.portions],
    }


def _open_bundle(given: _Given) -> dict[str, Any]:
    bundle = open_bundle(_bytes(given, "bundle"), _key(given))
    manifest = bundle.manifest
    return {
        "digest": bundle.digest.hex(),
        "origin": manifest.origin,
        "audience": manifest.audience,
        "epoch": manifest.epoch,
        "first": manifest.first,
        "records": [read_commitment(item.commitment).record.hex() for item in bundle.items],
    }


def _verify_grant(given: _Given) -> dict[str, Any]:
    try:
        grant = msgspec.msgpack.decode(_bytes(given, "grant"), type=Grant)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"not a grant: {error}") from error
    carried = read_commitment(_bytes(given, "carried"))
    manifest = verify_grant(grant, _key(given), party=given["party"], carried=carried)
    return {"origin": manifest.origin, "audience": manifest.audience}


def _admit(given: _Given) -> dict[str, Any]:
    peers = Peers(
        node=given["node"],
        party=given["party"],
        ceiling=tuple(given["ceiling"].items()),
        policies=builtin(),
        kinds={
            name: Kind(name, {portion: _TYPES[kind] for portion, kind in portions.items()})
            for name, portions in given["kinds"].items()
        },
        peers={
            one["node"]: Peer(
                one["node"], one["party"], _key(one), Cursor(**one["cursor"]), one["active"], one["distrust_after"]
            )
            for one in given["peers"]
        },
    )
    held: dict[tuple[str, str], dict[int, tuple[str, str]]] = {}
    for one in given["held"]:
        held.setdefault((one["originator"], one["id"]), {})[one["version"]] = (one["digest"], one["previous"])

    def history(wanted: Iterable[tuple[str, str, int]]) -> dict[tuple[str, str], dict[int, tuple[str, str]]]:
        keys = {(originator, id_) for originator, id_, _ in wanted}
        return {key: versions for key, versions in held.items() if key in keys}

    found = peers.admit(_bytes(given, "bundle"), sender=given["sender"], history=history, at=given["at"])
    return {
        "admitted": [one.record.digest.hex() for one in found.admitted],
        "refused": [[one.index, one.error.code] for one in found.refused],
        "cursor": msgspec.to_builtins(found.cursor),
    }


def _open_message(given: _Given) -> dict[str, Any]:
    message = open_message(_bytes(given, "message"), _MESSAGES[given["type"]], _key(given))
    return {"payload": msgspec.to_builtins(message)}


def _open_chunk(given: _Given) -> dict[str, Any]:
    chunk = open_chunk(_bytes(given, "chunk"))
    return {"digest": chunk.digest.hex(), "offset": chunk.offset, "data": bytes(chunk.data).hex()}


def _open_frame(given: _Given) -> dict[str, Any]:
    epoch, number = given["after"]
    frame = open_frame(
        _bytes(given, "frame"),
        _key(given),
        origin=given["origin"],
        audience=given["audience"],
        after=(epoch, number),
        at=given["at"],
    )
    return {
        "epoch": frame.manifest.epoch,
        "number": frame.manifest.number,
        "updates": [
            [label.classification, update.id, update.portion, update.value]
            for label, updates in frame.groups
            for update in updates
        ],
        "passed": [
            [origin, label.classification, update.id, update.portion, update.value]
            for origin, label, updates in frame.passed
            for update in updates
        ],
    }


def _merkle_root(given: _Given) -> dict[str, Any]:
    return {"root": merkle_root([leaf_hash(leaf) for leaf in _list(given, "leaves")]).hex()}


def _verify_inclusion(given: _Given) -> dict[str, Any]:
    leaf, root = leaf_hash(_bytes(given, "leaf")), _bytes(given, "root")
    verify_inclusion(leaf, given["index"], given["size"], _list(given, "proof"), root)
    return {}


def _verify_consistency(given: _Given) -> dict[str, Any]:
    old, new = _bytes(given, "old_root"), _bytes(given, "new_root")
    verify_consistency(given["old_size"], old, given["new_size"], new, _list(given, "proof"))
    return {}


def _verify_checkpoint(given: _Given) -> dict[str, Any]:
    checkpoint = verify_checkpoint(given["note"].encode(), given["name"], _bytes(given, "key"))
    return {"size": checkpoint.size, "root": checkpoint.root.hex()}


_OPERATIONS: dict[str, Callable[[_Given], dict[str, Any]]] = {
    "verify": _verify,
    "read-record": _read_record,
    "open-bundle": _open_bundle,
    "verify-grant": _verify_grant,
    "admit": _admit,
    "open-message": _open_message,
    "open-chunk": _open_chunk,
    "open-frame": _open_frame,
    "merkle-root": _merkle_root,
    "verify-inclusion": _verify_inclusion,
    "verify-consistency": _verify_consistency,
    "verify-checkpoint": _verify_checkpoint,
}


if __name__ == "__main__":
    main()
