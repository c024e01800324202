"""ADatP-4778 bindings: which label is of which files, and by digest of which content.

A detached `BindingInformation` whose `DataReference`s name the files. Their SHA-384 digests stand in a `ds:Manifest`,
in the place that the schema leaves for other elements. There is no `ds:Signature`: a binding shows change, not who made
it.
Sources: ADatP-4778(A)(1) sections 4.3 to 4.5 (XSD 1.4); ADatP-4778.2(A)(1) annex A (digests), chapters 5 and 9.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from aldis.kernel.errors import InvalidInput
from aldis.kernel.markings import adatp4774
from aldis.kernel.markings.adatp4774 import Confidentiality, Role
from aldis.kernel.policies import Policies
from aldis.kernel.trees import Element, parse_xml, write_xml

__all__ = ["NAMESPACE", "Binding", "Reference", "problems", "read_binding", "refer", "write_binding"]

NAMESPACE = "urn:nato:stanag:4778:bindinginformation:1:0"
_DS_SPACE = "http://www.w3.org/2000/09/xmldsig#"
_XMIME = "http://www.w3.org/2005/05/xmlmime"
_PREFIXES = {NAMESPACE: "mb", _DS_SPACE: "ds", _XMIME: "xmime", adatp4774.NAMESPACE: "slab"}
_MB, _DS = f"{{{NAMESPACE}}}", f"{{{_DS_SPACE}}}"
_TYPE = f"{{{_XMIME}}}contentType"
_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
_DIGESTS = {
    _SHA384: "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_REFERENCES = 1000
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+( *; *[\w-]+=[\w\"-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """A file by its URI, and the digest of its content by `algorithm` (none where nothing is said)."""

    uri: str
    media_type: str = ""
    digest: bytes = b""
    algorithm: str = "sha384"

    def matches(self, content: bytes) -> bool:
        """Whether this is the content that was bound."""
        return bool(self.digest) and hashlib.new(self.algorithm, content).digest() == self.digest


@dataclass(frozen=True, slots=True)
class Binding:
    """The labels (the originator's first, then alternatives) of all the files referred to."""

    labels: tuple[Confidentiality, ...]
    references: tuple[Reference, ...]

    def __post_init__(self) -> None:
        """Refuse what binds nothing, or leaves open whose label counts."""
        roles = [label.role for label in self.labels]
        if not self.references or roles[:1] != [Role.ORIGINATOR] or roles.count(Role.ORIGINATOR) != 1:
            raise InvalidInput("a binding has one originator's label, first, and at least one reference")
        if len({one.uri for one in self.references}) != len(self.references):
            raise InvalidInput("a binding refers to a file twice")

    @property
    def label(self) -> Confidentiality:
        """The originator's label."""
        return self.labels[0]


def refer(uri: str, content: bytes, media_type: str) -> Reference:
    """A reference to content as it is now."""
    return Reference(uri, media_type, hashlib.sha384(content).digest())


def write_binding(binding: Binding, policies: Policies) -> bytes:
    """The XML document of a binding; errors are those of `adatp4774.write`."""
    parts = [Element(_MB + "Metadata", children=(adatp4774.element(one, policies),)) for one in binding.labels]
    for one in binding.references:
        parts.append(
            Element(_MB + "DataReference", {"URI": one.uri, **({_TYPE: one.media_type} if one.media_type else {})})
        )
    bound = Element(_MB + "MetadataBinding", {"Id": "mb-1"}, children=tuple(parts))
    container = Element(_MB + "MetadataBindingContainer", children=(bound,))
    manifest = Element(_DS + "Manifest", {"Id": "digests"}, children=tuple(map(_digested, binding.references)))
    return write_xml(Element(_MB + "BindingInformation", children=(container, manifest)), _PREFIXES)


def _digested(one: Reference) -> Element:
    algorithm = next(uri for uri, name in _DIGESTS.items() if name == one.algorithm)
    value = base64.b64encode(one.digest).decode()
    parts = (Element(_DS + "DigestMethod", {"Algorithm": algorithm}), Element(_DS + "DigestValue", text=value))
    return Element(_DS + "Reference", {"URI": one.uri}, children=parts)


def read_binding(data: bytes, policies: Policies) -> Binding:
    """The binding that an XML document states; nothing is compared yet (`problems`).

    Raises:
        UnknownTerm: a label in it has a term that nobody defined.
        InvalidInput: no such document, or one with a part that is not understood, a signature among them.
    """
    root = parse_xml(data)
    if root.name != _MB + "BindingInformation":
        raise InvalidInput(f"{root.local} is not an ADatP-4778 binding", fix="Its root is BindingInformation")
    if any(root.all(_DS + "Signature")):
        raise InvalidInput(
            "the binding is signed, and XML signatures are not checked here", fix="Check it with its maker's tool"
        )
    root.closed(frozenset({_MB + "MetadataBindingContainer", _DS + "Manifest"}))
    container = root.only(_MB + "MetadataBindingContainer").closed(
        frozenset({_MB + "MetadataBinding"}), frozenset({"Id"})
    )
    bound = container.only(_MB + "MetadataBinding")
    bound.closed(frozenset({_MB + "Metadata", _MB + "DataReference"}), frozenset({"Id"}))
    labels = [_metadata(one, policies) for one in bound.all(_MB + "Metadata")]
    labels.sort(key=lambda one: one.role is not Role.ORIGINATOR)
    manifest = root.maybe(_DS + "Manifest")
    digests = _digests(manifest) if manifest else {}
    references = tuple(_reference(one, digests) for one in bound.all(_MB + "DataReference"))
    if digests.keys() - {one.uri for one in references}:
        raise InvalidInput("the manifest gives a digest of what the binding does not refer to")
    return Binding(tuple(labels), references)


def _metadata(one: Element, policies: Policies) -> Confidentiality:
    if len(one.children) != 1 or one.attributes.keys() - {_TYPE}:
        raise InvalidInput("Metadata holds one label", fix="Put an alternative label into a Metadata of its own")
    return adatp4774.read_element(one.children[0], policies)


def _reference(one: Element, digests: dict[str, tuple[str, bytes]]) -> Reference:
    one.closed(frozenset(), frozenset({"URI", _TYPE}))
    uri, media_type = one.attribute("URI"), one.attributes.get(_TYPE, "")
    if media_type and not _MEDIA_TYPE.fullmatch(media_type):
        raise InvalidInput(f"{media_type!r} is not a media type")
    algorithm, digest = digests.get(uri, ("sha384", b""))
    return Reference(uri, media_type, digest, algorithm)


def _digests(manifest: Element) -> dict[str, tuple[str, bytes]]:
    manifest.closed(frozenset({_DS + "Reference"}), frozenset({"Id"}))
    if len(manifest.children) > _REFERENCES:
        raise InvalidInput(f"a manifest of {len(manifest.children):,} references; the limit is {_REFERENCES:,}")
    found: dict[str, tuple[str, bytes]] = {}
    for one in manifest.children:
        one.closed(frozenset({_DS + "DigestMethod", _DS + "DigestValue"}), frozenset({"URI"}))
        method = one.only(_DS + "DigestMethod").closed(frozenset(), frozenset({"Algorithm"})).attribute("Algorithm")
        if method not in _DIGESTS:
            raise InvalidInput(f"digest method {method!r} is not taken", fix="SHA-384 is; SHA-256 and SHA-512 too")
        text = one.only(_DS + "DigestValue").closed(frozenset()).text
        try:
            value = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidInput(f"{text[:40]!r} is not a digest in base64") from error
        if len(value) != hashlib.new(_DIGESTS[method]).digest_size or one.attribute("URI") in found:
            raise InvalidInput(f"the digest of {one.attribute('URI')!r} is of the wrong size, or is there twice")
        found[one.attribute("URI")] = _DIGESTS[method], value
    return found


def problems(binding: Binding, content: Callable[[str], bytes | None]) -> tuple[str, ...]:
    """What does not hold, a sentence each; `content` gives what a URI names, or None where there is nothing."""
    found = []
    for one in binding.references:
        data = content(one.uri)
        if data is None:
            found.append(f"{one.uri} is not there")
        elif not one.digest:
            found.append(f"{one.uri} is bound by name only: nothing says what its content was")
        elif not one.matches(data):
            found.append(f"{one.uri} is not the content that was bound: its {one.algorithm.upper()} digest differs")
    return tuple(found)
