"""Issue and read X.509 certificates: the only module that imports ``cryptography``.

Must not read or write files, nor know the clock. Imported by need, because it costs eight megabytes.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from plimsoll.certs.renewal import AUTHORITY_LIFE, BACKDATED, LEAF_LIFE, Certificate
from plimsoll.errors import CertificateError

MAX_BYTES = 256 * 1024
"""A longer PEM file is refused unread; parsers of certificates have been made slow by size before (CVE-2024-12401)."""


def issue_authority(now: datetime) -> bytes:
    """A certificate authority of our own: private key and certificate as one PEM text."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Plimsoll authority {now:%Y-%m-%d}")])
    certificate = (
        _builder(subject, subject, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


def issue_leaf(authority_pem: bytes, names: frozenset[str], now: datetime) -> bytes:
    """A serving certificate for ``names``, signed by the authority: private key and certificate as one PEM text.

    The API server looks at subject alternative names alone (kubernetes.md 1.11), so every name is one.
    """
    authority_key, authority = _private_key(authority_pem), _first_certificate(authority_pem)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise CertificateError("the authority's key is not an elliptic curve key; remove authority.pem to start anew")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plimsoll")])
    authority_id = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    end = min(now + LEAF_LIFE, authority.not_valid_after_utc)
    certificate = (
        _builder(subject, authority.subject, key.public_key(), now, end - now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in sorted(names)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_id), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    return _key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


def read_certificate(pem: bytes) -> Certificate:
    """The first certificate of a PEM text. Raises CertificateError where there is none that can be read."""
    certificate = _first_certificate(pem)
    try:
        extensions = certificate.extensions
    except ValueError as error:
        raise CertificateError(f"its extensions cannot be read: {error}") from error
    names: set[str] = set()
    key_id = issuer_key_id = ""
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            names.update(value.get_values_for_type(x509.DNSName))
            names.update(str(address) for address in value.get_values_for_type(x509.IPAddress))
        elif isinstance(value, x509.SubjectKeyIdentifier):
            key_id = value.digest.hex()
        elif isinstance(value, x509.AuthorityKeyIdentifier):
            issuer_key_id = (value.key_identifier or b"").hex()
    return Certificate(
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=frozenset(names),
        key_id=key_id,
        issuer_key_id=issuer_key_id,
    )


def read_pair(certificate_pem: bytes, key_pem: bytes) -> Certificate:
    """A serving certificate with its key. Raises CertificateError where they do not belong together."""
    certificate = read_certificate(certificate_pem)
    key = _private_key(key_pem)
    ours = key.public_key().public_bytes(_DER, _SPKI)
    theirs = _first_certificate(certificate_pem).public_key().public_bytes(_DER, _SPKI)
    if ours != theirs:
        raise CertificateError("the private key does not belong to the certificate")
    return certificate


def certificates_of(pem: bytes) -> bytes:
    """The certificates of a PEM text without its private keys."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in _certificates(pem))


def split_certificates(pem: bytes) -> list[bytes]:
    """Each certificate of a PEM text by itself; none where the text cannot be read."""
    try:
        return [each.public_bytes(serialization.Encoding.PEM) for each in _certificates(pem)]
    except CertificateError:
        return []


_DER = serialization.Encoding.DER
_SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name)
    except ValueError as error:
        raise CertificateError(f"{name!r} cannot be a name in a certificate: {error}") from error


def _certificates(pem: bytes) -> list[x509.Certificate]:
    if len(pem) > MAX_BYTES:
        raise CertificateError(f"the PEM text has {len(pem)} bytes; at most {MAX_BYTES} are read")
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise CertificateError("no PEM certificate can be read from it") from error


def _first_certificate(pem: bytes) -> x509.Certificate:
    return _certificates(pem)[0]


def _private_key(pem: bytes) -> PrivateKeyTypes:
    if len(pem) > MAX_BYTES:
        raise CertificateError(f"the key's PEM text has {len(pem)} bytes; at most {MAX_BYTES} are read")
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise CertificateError("the private key is encrypted; a key without a password is accepted") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError("no PEM private key can be read from it") from error
