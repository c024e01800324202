"""Certificates that can be pinned, and contexts that trust nothing else."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from aldis.kernel.errors import InvalidInput
from aldis.node.tls import check_certificate, client_context, make_certificate, pin, server_context

NOW = 1_750_000_000_000


def _issue(subject, key, issuer=None, issuer_key=None, *, authority=False, constraints=True) -> bytes:
    """A certificate (DER) as some other tool might make it."""
    builder = x509.CertificateBuilder(
        subject_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]),
        issuer_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer or subject)]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=datetime.now(UTC) - timedelta(days=1),
        not_valid_after=datetime.now(UTC) + timedelta(days=1),
    )
    if constraints:
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    signer = issuer_key or key
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else SHA256()
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


def _save(folder: Path, name: str, certificate: bytes, key) -> tuple[Path, Path]:
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_text(ssl.DER_cert_to_PEM_cert(certificate))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _own(folder: Path, name: str) -> tuple[tuple[Path, Path], bytes]:
    certificate, key = make_certificate(name, NOW)
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_bytes(certificate)
    files[1].write_bytes(key)
    return files, ssl.PEM_cert_to_DER_cert(certificate.decode())


def _shake(client: ssl.SSLContext, server: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLObject:
    """Handshake in memory; the client's end, after it read one byte."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, session=session)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (here, there):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    there.write(b"x")
    assert here.read(1) == b"x"
    return here


def test_a_new_certificate_names_the_node_and_can_be_pinned():
    pem, _ = make_certificate("aus-low", NOW)
    der = ssl.PEM_cert_to_DER_cert(pem.decode())
    check_certificate(der)
    parsed = x509.load_der_x509_certificate(der)
    assert parsed.subject.rfc4514_string() == "CN=aus-low"
    assert parsed.not_valid_before_utc == datetime.fromtimestamp(NOW / 1000, UTC) - timedelta(days=1)
    assert parsed.not_valid_after_utc.year == 9999
    assert pin(der) == parsed.fingerprint(SHA256())


def test_no_two_certificates_are_the_same():
    assert make_certificate("aus-low", NOW) != make_certificate("aus-low", NOW)


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_node_id_that_fits_no_certificate_is_refused(name):
    with pytest.raises(InvalidInput, match="node id"):
        make_certificate(name, NOW)


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())])
def test_partners_may_use_other_keys(key, tmp_path):
    theirs = _issue("gbr-low", key)
    files = _save(tmp_path, "gbr", theirs, key)
    own, ours = _own(tmp_path, "aus-low")
    assert _shake(client_context(*files, ours), server_context(*own, [theirs])).version() == "TLSv1.3"


def test_an_authority_cannot_be_pinned():
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InvalidInput, match="authority"):
        check_certificate(_issue("gbr-low", key, authority=True))
    with pytest.raises(InvalidInput, match="extension"):
        check_certificate(_issue("gbr-low", key, constraints=False))


def test_a_certificate_that_another_key_signed_cannot_be_pinned():
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InvalidInput, match="self-signed"):
        check_certificate(_issue("gbr-low", key, issuer_key=other))
    with pytest.raises(InvalidInput, match="self-signed"):
        check_certificate(_issue("gbr-low", key, "root", other))


def test_a_second_certificate_cannot_ride_along(tmp_path):
    own, _ = _own(tmp_path, "aus-low")
    partner, stowaway = _own(tmp_path, "gbr-low")[1], _own(tmp_path, "usa-low")[1]
    with pytest.raises(InvalidInput, match="self-signed"):
        server_context(*own, [partner + stowaway])


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256K1())], ids=["RSA", "secp256k1"]
)
def test_other_algorithms_cannot_be_pinned(key):
    with pytest.raises(InvalidInput, match="Ed25519, P-256 or P-384"):
        check_certificate(_issue("gbr-low", key))


@pytest.mark.parametrize("garbage", [b"", b"\x30\x80", b"-----BEGIN CERTIFICATE-----"])
def test_garbage_cannot_be_pinned(garbage):
    with pytest.raises(InvalidInput, match="invitation"):
        check_certificate(garbage)


def test_a_partner_cannot_vouch_for_others(tmp_path):
    """A certificate signed with a paired partner's key is still a stranger's."""
    own, ours = _own(tmp_path, "aus-low")
    key, stranger = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    partner = _issue("gbr-low", key)
    files = _save(tmp_path, "stranger", _issue("usa-low", stranger, "gbr-low", key), stranger)
    with pytest.raises(ssl.SSLError):
        _shake(client_context(*files, ours), server_context(*own, [partner]))


def test_same_name_other_key_is_refused_by_both_sides(tmp_path):
    aus, aus_der = _own(tmp_path, "aus-low")
    gbr_der = _own(tmp_path, "gbr-low")[1]
    impostor, impostor_der = _own(tmp_path, "gbr-low")
    with pytest.raises(ssl.SSLError):
        _shake(client_context(*impostor, aus_der), server_context(*aus, [gbr_der]))
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake(client_context(*aus, gbr_der), server_context(*impostor, [aus_der]))
    assert _shake(client_context(*impostor, aus_der), server_context(*aus, [impostor_der])).version() == "TLSv1.3"


def test_a_client_without_a_certificate_is_refused(tmp_path):
    aus, aus_der = _own(tmp_path, "aus-low")
    gbr_der = _own(tmp_path, "gbr-low")[1]
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.load_verify_locations(cadata=aus_der)
    with pytest.raises(ssl.SSLError):
        _shake(bare, server_context(*aus, [gbr_der]))


@pytest.mark.parametrize("side", ["client", "server"])
def test_tls_1_2_is_refused(side, tmp_path):
    aus, aus_der = _own(tmp_path, "aus-low")
    gbr, gbr_der = _own(tmp_path, "gbr-low")
    client, server = client_context(*gbr, aus_der), server_context(*aus, [gbr_der])
    old = client if side == "client" else server
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        _shake(client, server)


def test_no_ticket_is_issued_and_no_session_resumed(tmp_path):
    aus, aus_der = _own(tmp_path, "aus-low")
    gbr, gbr_der = _own(tmp_path, "gbr-low")
    client, server = client_context(*gbr, aus_der), server_context(*aus, [gbr_der])
    first = _shake(client, server)
    assert first.session is None or not first.session.has_ticket
    assert not _shake(client, server, first.session).session_reused


def test_the_control_a_server_with_tickets_does_resume(tmp_path):
    """Holds what the test above must not find."""
    aus, aus_der = _own(tmp_path, "aus-low")
    gbr, gbr_der = _own(tmp_path, "gbr-low")
    client, server = client_context(*gbr, aus_der), server_context(*aus, [gbr_der])
    server.num_tickets = 2
    first = _shake(client, server)
    assert first.session is not None and first.session.has_ticket
    assert _shake(client, server, first.session).session_reused


def test_missing_or_mismatched_files_are_named(tmp_path):
    (certificate, key), der = _own(tmp_path, "aus-low")
    (_, other), _ = _own(tmp_path, "gbr-low")
    for files in [(tmp_path / "gone.crt", key), (certificate, other)]:
        with pytest.raises(InvalidInput, match=str(files[0])):
            client_context(*files, der)
