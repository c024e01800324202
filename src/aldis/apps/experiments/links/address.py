"""Where a system is: `[PROTOCOL+]SCHEME://HOST:PORT[?OPTION=…]`, or the path of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from aldis.kernel.errors import InvalidInput

__all__ = ["Address", "endpoint", "exposed", "read_address"]

_OPTIONS = {
    "udp": frozenset({"to", "via"}),
    "tcp": frozenset[str](),
    "tcp-listen": frozenset[str](),
    "tls": frozenset({"ca", "cert", "key", "name"}),
    "tls-listen": frozenset({"ca", "cert", "key"}),
    "file": frozenset[str](),
}
_BUSES = {"zenoh": "zenoh", "zenoh-listen": "zenoh", "dds": "umaa"}
"""Schemes whose own modules read their addresses, and the protocol that each carries."""
_URL = re.compile(r"(?:(?P<protocol>[a-z][a-z0-9-]*)\+)?(?P<url>(?P<scheme>[a-z][a-z-]*)://.*)")
_FORMS = "Write mavlink+udp://127.0.0.1:14550, cot+tcp://127.0.0.1:8087, udp://:10110, or the path of a recording"


@dataclass(frozen=True, slots=True)
class Address:
    """`protocol` is "" where it is to be told from what arrives; `path` is that of a file, `url` that of a bus."""

    scheme: str
    host: str = ""
    port: int = 0
    protocol: str = ""
    options: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    url: str = ""


def read_address(text: str) -> Address:
    """The address that a text names; without a host it is the loopback address.

    `udp` listens, and sends to `to=HOST:PORT` or else to whoever was heard lately; for a multicast group `via` is the
    address of the interface, the loopback one unless said. `tcp` and `tls` connect, and connect again; `…-listen` wait
    for others. `tls` needs `ca`, `cert` and `key`, files in PEM; `name` is the name in the other's certificate.
    For `zenoh`, `zenoh-listen` and `dds` see the modules of these names.

    Raises:
        InvalidInput: another scheme or option, no port, or no such file.
    """
    found = _URL.fullmatch(text)
    if found is None:
        return _file(text)
    try:
        parts = urlsplit(found["url"])
        port = parts.port
    except ValueError as error:
        raise InvalidInput(f"not an address: {text!r}: {error}", fix=_FORMS) from error
    scheme, protocol = found["scheme"], found["protocol"] or ""
    if scheme in _BUSES:
        return Address(scheme, protocol=protocol or _BUSES[scheme], url=found["url"])
    if scheme not in _OPTIONS:
        raise InvalidInput(f"not an address: {text!r}: no scheme {scheme!r}", fix=_FORMS)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if scheme == "file":
        return _file(parts.path, protocol)
    unknown = sorted(options.keys() - _OPTIONS[scheme])
    if unknown:
        known = ", ".join(sorted(_OPTIONS[scheme])) or "none"
        raise InvalidInput(f"unknown option {unknown[0]!r} in {text!r}", fix=f"Options of {scheme}: {known}")
    if port is None or parts.path or "@" in parts.netloc or parts.fragment:
        raise InvalidInput(f"not an address: {text!r}: it takes a host and a port, and no path", fix=_FORMS)
    if scheme.startswith("tls") and not {"ca", "cert", "key"} <= options.keys():
        raise InvalidInput(
            f"{text!r} does not say whom to trust and who we are", fix="Add ?ca=FILE&cert=FILE&key=FILE, in PEM"
        )
    return Address(scheme, parts.hostname or "127.0.0.1", port, protocol, options)


def exposed(address: Address) -> str:
    """The address at which others than this machine's own programs reach what listens there; "" where none do."""
    host = address.host
    if address.scheme in _BUSES:
        parts = urlsplit(address.url)
        listens = address.scheme == "dds" or address.scheme.endswith("-listen")
        on = dict(parse_qsl(parts.query, keep_blank_values=True)).get("on", "127.0.0.1")
        host = on if address.scheme == "dds" else parts.hostname or "127.0.0.1"
    else:
        listens = address.scheme == "udp" or address.scheme.endswith("-listen")
    try:
        place = ip_address(host)
        if place.is_multicast:
            place = ip_address(address.options.get("via", "127.0.0.1"))
        own = place.is_loopback
    except ValueError:
        own = False  # a name may be of any address
    return host if listens and not own else ""


def endpoint(text: str) -> tuple[str, int]:
    """Host and port of an option such as `to`.

    Raises:
        InvalidInput: not a host and a port.
    """
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"\d{1,5}", port) or not 0 < int(port) < 65_536:
        raise InvalidInput(f"not a host and a port: {text!r}", fix="Write 127.0.0.1:14551")
    return host.strip("[]"), int(port)


def _file(text: str, protocol: str = "") -> Address:
    if not protocol and (found := re.fullmatch(r"([a-z][a-z0-9-]*)\+(/.*|\./.*)", text)):
        protocol, text = found.groups()
    path = Path(text)
    if not path.is_file():
        raise InvalidInput(f"{text!r} is neither an address nor a file that is there", fix=_FORMS)
    return Address("file", protocol=protocol, path=path)
