"""Makes the vectors of records, bundles, admission and messages; run this file to write them anew.

Each vector is a request of conformance/NODE-CLI.md and what must come of it. What the kernel makes here is kept in the
files, so a change of any byte on the wire shows as a change of a vector.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from bundle_vectors import admission, bundles
from sealing import (
    AT,
    AUS,
    BOTH,
    ONLY_GBR,
    epoch,
    salts,
    signer,
)
from vector_parts import DOC, SECOND, Vectors, fails, hexed, key, passes, small

from aldis.kernel.attachments import write_chunk
from aldis.kernel.encoding import sha256
from aldis.kernel.frames import Update, seal_frame
from aldis.kernel.messages import Content, ContentReceipt, Cursor, Greeting, Receipt, Welcome, sign_message
from aldis.kernel.records import Record, make_record, tombstone
from aldis.kernel.signatures import Algorithm, Key

CONTENT_RECEIPT = ContentReceipt("gbr", "aus", AT, "ab" * 32, 7, "partial")
FOLDER = Path(__file__).parents[2] / "spec" / "vectors"

# records


def records() -> Vectors:
    parts = [portion.data for portion in DOC.portions]
    header = json.loads(DOC.data)

    def read(data: bytes, portions: list[bytes]) -> dict[str, Any]:
        return {"do": "read-record", "header": data.hex(), "portions": hexed(portions)}

    def whole(why: str, record: Record, portions: list[bytes], *names: str) -> dict[str, Any]:
        said = record.header
        ok = {"digest": record.digest.hex(), "id": said.id, "version": said.version, "originator": said.originator}
        return passes(why, read(record.data, portions), **ok, names=list(names))

    def headed(**changes: Any) -> bytes:
        return json.dumps({**header, **changes}, separators=(",", ":")).encode()

    def lone(data: bytes) -> tuple[bytes, list[bytes]]:
        return headed(portions=[sha256(data).hex()]), [data]

    zeros = b"0" * 32
    nested = {deep: b'["%s","title",{},%s]' % (zeros, b"[" * deep + b"]" * deep) for deep in (32, 33)}
    other = small("doc-2", seed=5)
    relabelled = parts[1].replace(b'["GBR"]', b'["USA"]')
    return [
        whole("a record with all its portions", DOC, parts, "title", "annex"),
        whole("the annex withheld", DOC, parts[:1], "title"),
        whole("every portion withheld", DOC, []),
        whole("its second version", SECOND, []),
        whole("its tombstone", make_record(tombstone(SECOND, "officer", AT), salts(4)), []),
        passes("a space is part of what was signed", read(DOC.data + b" ", []), digest=sha256(DOC.data + b" ").hex()),
        passes("a value nested 32 deep", read(*lone(nested[32])), names=["title"]),
        fails("a value nested 33 deep", "too-large", read(*lone(nested[33]))),
        fails("a portion altered", "verification-failed", read(DOC.data, [parts[0].replace(b"N", b"M")])),
        fails("a portion relabelled", "verification-failed", read(DOC.data, [relabelled])),
        fails("a portion of another record", "verification-failed", read(DOC.data, [other.portions[0].data])),
        fails("a portion twice", "verification-failed", read(DOC.data, [parts[0], parts[0]])),
        *(
            fails(f"a portion with {why}", "invalid-input", read(*lone(data)))
            for why, data in (
                ("three fields", b'["%s","title",{}]' % zeros),
                ("five fields", b'["%s","title",{},1,2]' % zeros),
                ("a short salt", b'["00","title",{},1]'),
                ("a salt in upper case", b'["%s","title",{},1]' % (b"A" * 32)),
                ("a name in upper case", b'["%s","Title",{},1]' % zeros),
                ("no number", b'["%s","title",{},NaN]' % zeros),
            )
        ),
        *(
            fails(f"a header with {why}", code, read(headed(**change), []))
            for why, code, change in (
                ("an unknown member", "invalid-input", {"urgent": True}),
                ("version 0", "invalid-input", {"version": 0}),
                ("version 1 and a predecessor", "invalid-input", {"previous": DOC.digest.hex()}),
                ("version 2 and no predecessor", "invalid-input", {"version": 2}),
                ("a version that is no whole number", "invalid-input", {"version": 1.5}),
                ("a time before 1970", "invalid-input", {"created": -1}),
                ("a time beyond 2^53", "invalid-input", {"created": 2**53}),
                ("a path as id", "invalid-input", {"id": "../doc"}),
                ("a control character", "invalid-input", {"author": "x\x1b[2J"}),
                ("a digest in upper case", "invalid-input", {"portions": ["AB" * 32]}),
                ("65 portions", "too-large", {"portions": ["ab" * 32] * 65}),
                ("a deletion and portions", "invalid-input", {"deleted": True}),
            )
        ),
        fails("a header that is no JSON", "invalid-input", read(b"\xff", [])),
    ]


# messages, frames and signatures


def messages() -> Vectors:
    cursor = Cursor(1, 7, "ab" * 32)
    receipt = Receipt("gbr", "aus", AT, cursor, 1)
    known: dict[str, Any] = {"greeting": Greeting("aus", "gbr", AT, 1, "a checkpoint", 3, ["cd" * 32]),
             "welcome": Welcome("gbr", "aus", AT, cursor, 3, "a cosignature"), "receipt": receipt,
             "content": Content("aus", "gbr", "ab" * 32, 9), "content-receipt": CONTENT_RECEIPT}  # fmt: skip
    data = {name: sign_message(message, AUS) for name, message in known.items()}

    def asked(kind: str, wrong: bytes, of: Key = AUS.public) -> dict[str, Any]:
        return {"do": "open-message", "type": kind, **key(of), "message": wrong.hex()}

    def stated(**changes: Any) -> dict[str, Any]:
        payload = json.dumps({**msgspec.to_builtins(receipt), **changes}).encode()
        return asked("receipt", msgspec.msgpack.encode([payload, AUS.sign(Receipt.CONTEXT, payload)]))

    payload = json.dumps({**msgspec.to_builtins(CONTENT_RECEIPT), "state": "lost"}).encode()
    lost = msgspec.msgpack.encode([payload, AUS.sign(ContentReceipt.CONTEXT, payload)])
    return [
        *(passes(f"a {n}", asked(n, data[n]), payload=msgspec.to_builtins(m)) for n, m in known.items()),
        fails("a receipt for a content receipt", "not-authentic", asked("content-receipt", data["receipt"])),
        fails("a content receipt in a state that is none", "invalid-input", asked("content-receipt", lost)),
        fails("a welcome for a receipt", "not-authentic", asked("receipt", data["welcome"])),
        fails("another key", "not-authentic", asked("receipt", data["receipt"], signer("usa").public)),
        fails("cut short", "invalid-input", asked("receipt", data["receipt"][:-1])),
        fails("an unknown member", "invalid-input", stated(urgent=True)),
        fails("a cursor beyond 2^53", "invalid-input", stated(cursor={"epoch": 1, "seq": 2**53, "digest": ""})),
        fails("a digest in upper case", "invalid-input", stated(cursor={"epoch": 1, "seq": 1, "digest": "AB" * 32})),
        *chunks(),
        *frames(),
        *signatures(),
    ]


def chunks() -> Vectors:
    digest = sha256(b"the content")

    def asked(body: bytes) -> dict[str, Any]:
        return {"do": "open-chunk", "chunk": body.hex()}

    def packed(*fields: Any) -> dict[str, Any]:
        return asked(msgspec.msgpack.encode(fields))

    ok = {"digest": digest.hex(), "offset": 4, "data": b"content".hex()}
    return [
        passes("a piece of a content", asked(write_chunk(digest, 4, b"content")), **ok),
        passes("a question how much is held", asked(write_chunk(digest, 0, b"")), offset=0, data=""),
        passes("the only piece of an empty content", asked(write_chunk(sha256(b""), 0, b"")), digest=sha256(b"").hex()),
        fails("a field too many", "invalid-input", packed("aldis-content/1", digest, 0, b"", 1)),
        fails("a field too few", "invalid-input", packed("aldis-content/1", digest, 0)),
        fails("another format", "invalid-input", packed("aldis-content/2", digest, 0, b"")),
        fails("a short digest", "invalid-input", packed("aldis-content/1", digest[1:], 0, b"")),
        fails("a digest as text", "invalid-input", packed("aldis-content/1", digest.hex(), 0, b"")),
        fails("an offset below 0", "invalid-input", packed("aldis-content/1", digest, -1, b"")),
        fails("an offset beyond 2^53", "invalid-input", packed("aldis-content/1", digest, 2**53, b"")),
        fails("cut short", "invalid-input", asked(write_chunk(digest, 0, b"content")[:-1])),
    ]


def frames() -> Vectors:
    spot = Update("trk-1", "track", "position", AT, {"lat_deg": 59.5})
    name = Update("trk-1", "track", "identity", AT, "a ship")
    data = seal_frame(
        {BOTH: [spot], ONLY_GBR: [name]},
        origin="aus", audience="gbr", epoch=1, number=5, created=AT, policy_epoch=epoch().digest, signer=AUS,
    )  # fmt: skip
    form, manifest, signature, body = msgspec.msgpack.decode(data)
    groups = msgspec.msgpack.decode(body)
    exchanged = msgspec.msgpack.encode([form, manifest, signature, msgspec.msgpack.encode(groups[:1])])

    def asked(wrong: bytes = data, **changes: Any) -> dict[str, Any]:
        fixed = {"do": "open-frame", **key(AUS.public), "origin": "aus", "audience": "gbr", "after": [1, 4], "at": AT}
        return {**fixed, "frame": wrong.hex(), **changes}

    within = seal_frame(
        {BOTH: [spot]}, passed={("gbr", BOTH): [name]},
        origin="aus", audience="gbr", epoch=1, number=5, created=AT, policy_epoch=epoch().digest, signer=AUS,
    )  # fmt: skip
    updates = [["SECRET", one.id, one.portion, one.value] for one in (spot, name)]
    return [
        passes("a frame", asked(), epoch=1, number=5, updates=updates),
        passes("a frame with values of another node", asked(within), number=5, passed=[["gbr", *updates[1]]]),
        passes("a frame of a new epoch", asked(after=[0, 99]), number=5),
        fails("a frame again", "stale", asked(after=[1, 5])),
        fails("a frame of an old epoch", "stale", asked(after=[2, 0])),
        fails("a frame that is too old", "stale", asked(at=AT + 30_001)),
        fails("a frame for another", "not-authentic", asked(audience="usa")),
        fails("a frame of another", "not-authentic", asked(origin="usa")),
        fails("a frame with another body", "verification-failed", asked(exchanged)),
    ]


def signatures() -> Vectors:
    """Those of the algorithms that draw randomness are kept from the file while they hold."""
    kept = {}
    if (FOLDER / "messages.json").exists():
        for one in json.loads((FOLDER / "messages.json").read_text("utf-8"))["vectors"]:
            if one["request"]["do"] == "verify" and "ok" in one:
                kept[one["request"]["algorithm"]] = one["request"]
    found: Vectors = []
    for algorithm in Algorithm:
        keys = signer("aus", algorithm)
        request = {"do": "verify", **key(keys.public), "context": "aldis/bundle/1", "message": b"message".hex()}
        old = kept.get(algorithm.value, {})
        fresh = {name: old.get(name) for name in request} != request
        signature = keys.sign(b"aldis/bundle/1", b"message") if fresh else bytes.fromhex(old["signature"])
        keys.public.verify(b"aldis/bundle/1", b"message", signature)
        asked = {**request, "signature": signature.hex()}
        flipped = bytes([signature[0] ^ 1]) + signature[1:]
        found += [
            passes(f"{algorithm.value}", asked),
            fails(f"{algorithm.value}, another context", "not-authentic", {**asked, "context": "aldis/frame/1"}),
            fails(f"{algorithm.value}, another message", "not-authentic", {**asked, "message": b"massage".hex()}),
            fails(f"{algorithm.value}, a bit flipped", "not-authentic", {**asked, "signature": flipped.hex()}),
            fails(f"{algorithm.value}, cut short", "not-authentic", {**asked, "signature": signature[:-1].hex()}),
        ]
    return found


FILES: dict[str, Callable[[], Vectors]] = {
    "records": records,
    "bundles": bundles,
    "admission": admission,
    "messages": messages,
}


def text(file: str) -> str:
    """The content of one file, a vector a line."""
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in FILES[file]())
    return f'{{\n "source": "made by tests/kernel/protocol_vectors.py",\n "vectors": [\n{lines}\n ]\n}}\n'


if __name__ == "__main__":
    for name in FILES:
        (FOLDER / f"{name}.json").write_text(text(name), "utf-8")
