"""Containers to open and to break."""

import base64
import hmac
import io
import json
import struct
import zipfile
from random import Random

from aldis.kernel.tdf import FORMS, Statement, Wrapped, open_tdf, seal_tdf

POLICY = b'{"uuid":"00000000-0000-4000-8000-000000000000","body":{"dataAttributes":null,"dissem":["gbr"]}}'
LABEL = Statement("label", "<a/>", "xml-structured", "urn:example", "handling", "tdo", "unencrypted")


class Server:
    """A key-access server whose wrapping hides nothing: the codec does not care."""

    kid = "k"

    def __init__(self, name="one"):
        self.url = f"https://{name}.invalid/kas"

    def wrap(self, share):
        return Wrapped("wrapped", share)


def unwrap(access, policy):
    return base64.b64decode(access.wrappedKey)


def only(*names):
    return lambda access, policy: unwrap(access, policy) if any(name in access.url for name in names) else None


def sealed(payload, splits=None, segment=16, statements=(LABEL,), seed=0, form="4.3.0"):
    sink = io.BytesIO()
    random = Random(seed).randbytes
    more = {"segment": segment, "statements": statements, "form": FORMS[form]}
    seal_tdf(io.BytesIO(payload), sink, splits or [[Server()]], POLICY, random, **more)
    return sink.getvalue()


def opened(data, unwrap=unwrap, **more):
    found = open_tdf(io.BytesIO(data), unwrap, **more)
    return b"".join(found.segments()), found


def taken_apart(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return json.loads(archive.read("0.manifest.json")), archive.read("0.payload")


def put_together(manifest, payload, names=("0.payload", "0.manifest.json"), method=zipfile.ZIP_STORED):
    sink = io.BytesIO()
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in zip(names, (payload, text), strict=True):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
    return sink.getvalue()


def pieces(manifest, payload):
    """The encrypted segments."""
    found, at = [], 0
    for one in integrity(manifest)["segments"]:
        found.append(payload[at : at + one["encryptedSegmentSize"]])
        at += one["encryptedSegmentSize"]
    return found


def integrity(manifest):
    return manifest["encryptionInformation"]["integrityInformation"]


def key_of(manifest):
    key = bytes(32)
    for access in manifest["encryptionInformation"]["keyAccess"]:
        key = bytes(a ^ b for a, b in zip(key, base64.b64decode(access["wrappedKey"]), strict=True))
    return key


def b64(data):
    return base64.b64encode(data).decode()


def as_before_4_3(data):
    """The same container as SDKs before 4.3.0 wrote it: hexadecimal hashes, no version, no assertions."""
    manifest, payload = taken_apart(data)
    del manifest["schemaVersion"]
    manifest.pop("assertions", None)
    key, hashes = key_of(manifest), b""
    for one, piece in zip(integrity(manifest)["segments"], pieces(manifest, payload), strict=True):
        found = hmac.digest(key, piece, "sha256").hex().encode()
        one["hash"], hashes = b64(found), hashes + found
    integrity(manifest)["rootSignature"]["sig"] = b64(hmac.digest(key, hashes, "sha256").hex().encode())
    return put_together(manifest, payload)


def attacks(data):  # noqa: C901 - one small change after another
    """What somebody without a key can make of a container of three segments or more, by name."""
    manifest, payload = taken_apart(data)
    parts = pieces(manifest, payload)

    def edit(change, payload=payload):
        copy = json.loads(json.dumps(manifest))
        change(copy)
        return put_together(copy, payload)

    def cut(copy):
        del integrity(copy)["segments"][-1]

    def swap(copy):
        rows = integrity(copy)["segments"]
        rows[0], rows[1] = rows[1], rows[0]

    def unsigned(copy):
        hashes = b"".join(base64.b64decode(one["hash"]) for one in integrity(copy)["segments"])
        integrity(copy)["rootSignature"] = {"alg": "GMAC", "sig": b64(hashes[-16:])}

    def cut_and_unsigned(copy):
        cut(copy)
        unsigned(copy)

    def access(copy, **fields):
        copy["encryptionInformation"]["keyAccess"][0].update(fields)

    def statement(copy, **fields):
        copy["assertions"][0]["statement"].update(fields)

    def bare(copy):
        del copy["assertions"][0]["binding"]

    def none(copy):
        text = copy["assertions"][0]["binding"]["signature"].split(".")
        header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        copy["assertions"][0]["binding"]["signature"] = f"{header}.{text[1]}."

    def other_hashes(copy):
        integrity(copy)["segmentHashAlg"] = "HS256" if integrity(copy)["segmentHashAlg"] == "GMAC" else "GMAC"

    def policy(copy):
        copy["encryptionInformation"]["policy"] = b64(POLICY.replace(b"gbr", b"usa"))

    flipped = bytearray(payload)
    flipped[len(parts[0]) + 14] ^= 1
    shift = json.loads(json.dumps(manifest))
    rows = integrity(shift)["segments"]
    for number, step in ((0, 1), (1, -1)):
        rows[number]["segmentSize"] += step
        rows[number]["encryptedSegmentSize"] += step
    return {
        "cut short as a file": data[:-1],
        "cut in half": data[: len(data) // 2],
        "empty": b"",
        "with more after its end": data + b"\0",
        "payload cut": put_together(manifest, payload[: -len(parts[-1])]),
        "payload and list cut": edit(cut, b"".join(parts[:-1])),
        "list cut": edit(cut),
        "segments in another order": put_together(manifest, parts[1] + parts[0] + b"".join(parts[2:])),
        "segments and list in another order": edit(swap, parts[1] + parts[0] + b"".join(parts[2:])),
        "a segment twice": put_together(manifest, parts[0] + parts[0] + b"".join(parts[2:])),
        "a bit of a segment turned": put_together(manifest, bytes(flipped)),
        "a boundary moved": put_together(shift, payload),
        "GMAC root": edit(unsigned),
        "GMAC root, cut": edit(cut_and_unsigned, b"".join(parts[:-1])),
        "another root algorithm": edit(lambda copy: integrity(copy)["rootSignature"].update(alg="none")),
        "no root": edit(lambda copy: integrity(copy)["rootSignature"].update(sig="")),
        "version of the other form": edit(
            lambda copy: copy.pop("schemaVersion", "") or copy.update(schemaVersion="4.3.0")
        ),
        "version of the future": edit(lambda copy: copy.update(schemaVersion="5.0.0")),
        "segment hashes said to be of another kind": edit(other_hashes),
        "not encrypted": edit(lambda copy: copy["payload"].update(isEncrypted=False)),
        "another policy": edit(policy),
        "another binding algorithm": edit(lambda copy: access(copy, policyBinding={"alg": "none", "hash": ""})),
        "another binding": edit(lambda copy: access(copy, policyBinding={"alg": "HS256", "hash": b64(b"0" * 64)})),
        "another key": edit(lambda copy: access(copy, wrappedKey=b64(bytes(32)))),
        "a short key": edit(lambda copy: access(copy, wrappedKey=b64(bytes(16)))),
        "no key": edit(lambda copy: copy["encryptionInformation"].update(keyAccess=[])),
        "another cipher": edit(lambda copy: copy["encryptionInformation"]["method"].update(algorithm="AES-128-CBC")),
        "no segments": edit(lambda copy: integrity(copy).update(segments=[]), b""),
        "assertion changed": edit(lambda copy: statement(copy, value="<b/>")),
        "assertion with another schema": edit(lambda copy: statement(copy, schema="urn:other")),
        "assertion not bound": edit(bare),
        "assertion signed by nobody": edit(none),
        "assertion with a field more": edit(lambda copy: copy["assertions"][0].update(more="x")),
        "manifest no JSON": put_together(b"{", payload),
        "other names": put_together(manifest, payload, ("0.payload", "manifest.json")),
        "compressed": put_together(manifest, payload, method=zipfile.ZIP_DEFLATED),
        "overlapping members": _overlapping(data),
    }  # fmt: skip


def _overlapping(data):
    """The directory gives the payload the size of all that is before the directory."""
    start = struct.unpack("<I", data[-6:-2])[0]
    entry = bytearray(data[start:-22])
    for at in (20, 24):
        entry[at : at + 4] = struct.pack("<I", start)
    return data[:start] + bytes(entry) + data[-22:]
