"""Ports, domains of DDS and certificates that no other test has at the same time."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import cycle
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Files", "certificate", "free_domain", "free_port"]

_DOMAINS = cycle(range(8))


def free_port() -> int:
    """A TCP port of the loopback address that was free just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def free_domain() -> int:
    """A domain for one test: each worker of a run has eight, and another run most likely others.

    UDP port 7400 + 250 * domain must exist (DDSI-RTPS 2.5, 9.6.2).
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    return 16 + (os.getppid() + worker) % 26 * 8 + next(_DOMAINS)


@dataclass(frozen=True)
class Files:
    """Paths of PEM files."""

    ca: Path
    cert: Path
    key: Path


def certificate(folder: Path) -> Files:
    """A throw-away authority, and a certificate of it for 127.0.0.1 as server and client."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away")])
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=1), now + timedelta(days=1)
    ca = (
        x509.CertificateBuilder(name, name, ca_key.public_key(), 1, start, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    cert = (
        x509.CertificateBuilder(name, subject, key.public_key(), 2, start, end)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    files = Files(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    files.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    files.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
