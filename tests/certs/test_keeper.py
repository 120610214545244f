"""The certificate in force: what the keeper does with what its source finds, and what it tells."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from plimsoll.certs import x509
from plimsoll.certs.context import serving_context
from plimsoll.certs.keeper import CertificateKeeper
from plimsoll.certs.renewal import Certificate
from plimsoll.certs.source import OwnCertificate, Served
from plimsoll.errors import CertificateError
from plimsoll.files.state import StateFolder
from plimsoll.observations import CertificateIssued, CertificateRejected, CertificateSwapped, Observation

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def found(days: int, reason: str = "") -> Served:
    names = frozenset({"b", "a"})
    return Served(
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), Certificate(NOW, NOW + timedelta(days=days), names, "", ""), reason
    )


class Script:
    """A source that gives one thing after the other."""

    def __init__(self, *steps: Served | Exception | None) -> None:
        self._steps = list(steps)

    def refresh(self, now: datetime) -> Served | None:
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def kept(*steps: Served | Exception | None) -> tuple[CertificateKeeper, Sequence[Observation]]:
    """A keeper after it looked at every step, and what it told."""
    told: list[Observation] = []
    keeper = CertificateKeeper.start(Script(*steps), told.append, lambda: NOW)

    async def look() -> None:
        for _ in steps[1:]:
            await keeper.look()

    asyncio.run(look())
    return keeper, told


def test_the_first_certificate_is_told_with_its_names_and_its_end() -> None:
    _, told = kept(found(90))
    assert told == [CertificateSwapped(names=("a", "b"), not_after=NOW + timedelta(days=90))]


def test_one_that_was_issued_is_told_with_its_reason() -> None:
    _, told = kept(found(90, "there was none"))
    assert told[0] == CertificateIssued(reason="there was none", names=("a", "b"))


def test_a_start_without_a_certificate_fails() -> None:
    with pytest.raises(CertificateError, match="no certificate to serve"):
        kept(None)
    with pytest.raises(CertificateError, match="mismatch"):
        kept(CertificateError("mismatch"))


def test_a_new_certificate_is_in_force() -> None:
    keeper, told = kept(found(90), None, found(180))
    assert keeper.certificate.not_after == NOW + timedelta(days=180)
    assert len(told) == 2


def test_half_of_a_pair_that_is_being_written_is_not_worth_a_word() -> None:
    keeper, told = kept(found(90), CertificateError("mismatch"), found(180))
    assert keeper.problem == ""
    assert not any(isinstance(each, CertificateRejected) for each in told)


def test_a_bad_pair_that_stays_is_told_once_and_the_old_one_stays_in_force() -> None:
    bad = CertificateError("mismatch")
    keeper, told = kept(found(90), bad, bad, bad, bad)
    assert keeper.problem == "mismatch"
    assert keeper.certificate.not_after == NOW + timedelta(days=90)
    assert told[1:] == [CertificateRejected(reason="mismatch", serving_until=NOW + timedelta(days=90))]


def test_another_problem_is_told_again_and_a_good_pair_ends_it() -> None:
    first, second = CertificateError("mismatch"), OSError("the disk is full")
    keeper, told = kept(found(90), first, first, second, second, None)
    assert [each.reason for each in told if isinstance(each, CertificateRejected)] == ["mismatch", "the disk is full"]
    assert keeper.problem == ""


def test_a_key_that_openssl_finds_too_weak_cannot_be_served(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - weak on purpose
    pem = tmp_path / "weak.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + x509.certificates_of(x509.issue_authority(NOW))
    )
    with pytest.raises(CertificateError, match="cannot be served"):
        serving_context(pem, pem)


def test_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    pem = x509.issue_authority(NOW)
    key = serialization.load_pem_private_key(pem, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    encrypted = tmp_path / "encrypted.pem"
    encrypted.write_bytes(key + x509.certificates_of(pem))
    with pytest.raises(CertificateError, match="the private key is encrypted"):
        serving_context(encrypted, encrypted)


def test_an_authority_that_is_not_ours_is_not_used(tmp_path: Path) -> None:
    from cryptography import x509 as reference
    from cryptography.hazmat.primitives import hashes

    key = rsa.generate_private_key(65537, 2048)
    name = reference.Name([reference.NameAttribute(reference.NameOID.COMMON_NAME, "theirs")])
    certificate = (
        reference.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=999))
        .add_extension(reference.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    state = StateFolder(tmp_path)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    state.write("authority.pem", pem + certificate.public_bytes(serialization.Encoding.PEM), private=True)
    with pytest.raises(CertificateError, match=r"remove authority.pem to start anew"):
        OwnCertificate(state, frozenset({"localhost"})).refresh(NOW)
