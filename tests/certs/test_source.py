"""Our own certificate in a real state folder, and pairs of files that somebody else writes."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509 as reference
from plimsoll.certs import x509
from plimsoll.certs.source import GivenPair, OwnCertificate
from plimsoll.errors import CertificateError
from plimsoll.files.state import StateFolder

NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
NOW = datetime.now(UTC).replace(microsecond=0)


def pair(folder: Path, name: str = "given", life_began: datetime = NOW) -> tuple[Path, Path]:
    """A certificate and its key in two files."""
    pem = x509.issue_leaf(x509.issue_authority(life_began), NAMES, life_began)
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(x509.certificates_of(pem))
    key.write_bytes(pem.replace(x509.certificates_of(pem), b""))
    return certificate, key


def test_the_first_start_makes_an_authority_and_a_certificate_for_every_name(tmp_path: Path) -> None:
    served = OwnCertificate(StateFolder(tmp_path), NAMES).refresh(NOW)
    assert served is not None
    assert served.issued_because == "there is no usable authority yet"
    assert served.certificate.names == NAMES
    leaf = reference.load_pem_x509_certificate((tmp_path / "serving.pem").read_bytes())
    authority = reference.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes())
    leaf.verify_directly_issued_by(authority)


def test_private_files_are_for_this_user_alone_and_the_clients_file_for_everybody(tmp_path: Path) -> None:
    state = tmp_path / "state"
    OwnCertificate(StateFolder(state), NAMES).refresh(NOW)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (state, *state.iterdir())}
    assert modes == {"state": 0o700, "authority.pem": 0o600, "serving.pem": 0o600, "ca.crt": 0o644, ".lock": 0o600}
    assert b"PRIVATE" not in (state / "ca.crt").read_bytes()


def test_a_restart_serves_the_same_certificate(tmp_path: Path) -> None:
    first = OwnCertificate(StateFolder(tmp_path), NAMES).refresh(NOW)
    second = OwnCertificate(StateFolder(tmp_path), NAMES).refresh(NOW + timedelta(days=1))
    assert first is not None
    assert second is not None
    assert second.certificate == first.certificate
    assert second.issued_because == ""


def test_nothing_is_new_while_nothing_changed(tmp_path: Path) -> None:
    source = OwnCertificate(StateFolder(tmp_path), NAMES)
    assert source.refresh(NOW) is not None
    assert source.refresh(NOW + timedelta(days=59)) is None


def test_at_two_thirds_of_its_life_a_certificate_is_renewed_under_the_same_authority(tmp_path: Path) -> None:
    source = OwnCertificate(StateFolder(tmp_path), NAMES)
    source.refresh(NOW)
    trusted = (tmp_path / "ca.crt").read_bytes()
    served = source.refresh(NOW + timedelta(days=60))
    assert served is not None
    assert served.issued_because.startswith("two thirds of the certificate's life are over")
    assert (tmp_path / "ca.crt").read_bytes() == trusted


def test_after_the_authority_is_renewed_clients_may_trust_the_old_one_until_it_ends(tmp_path: Path) -> None:
    source = OwnCertificate(StateFolder(tmp_path), NAMES)
    source.refresh(NOW)
    old = (tmp_path / "ca.crt").read_bytes()
    source.refresh(NOW + timedelta(days=2500))
    both = (tmp_path / "ca.crt").read_bytes()
    assert both.endswith(old)
    assert both.count(b"BEGIN CERTIFICATE") == 2
    source.refresh(NOW + timedelta(days=5000))
    later = (tmp_path / "ca.crt").read_bytes()
    assert later.count(b"BEGIN CERTIFICATE") == 2
    assert old not in later


@pytest.mark.parametrize("name", ["authority.pem", "serving.pem", "ca.crt"])
@pytest.mark.parametrize("content", [None, b"", b"no PEM at all"])
def test_a_file_that_is_lost_or_spoilt_is_made_again(tmp_path: Path, name: str, content: bytes | None) -> None:
    OwnCertificate(StateFolder(tmp_path), NAMES).refresh(NOW)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    source = OwnCertificate(StateFolder(tmp_path), NAMES)
    assert source.refresh(NOW) is not None
    assert source.refresh(NOW) is None
    leaf = reference.load_pem_x509_certificate((tmp_path / "serving.pem").read_bytes())
    authority = reference.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes())
    leaf.verify_directly_issued_by(authority)


def test_two_servers_on_one_state_folder_end_with_one_certificate_for_both(tmp_path: Path) -> None:
    one = OwnCertificate(StateFolder(tmp_path), NAMES)
    other = OwnCertificate(StateFolder(tmp_path), NAMES | {"other.example"})
    assert one.refresh(NOW) is not None
    theirs = other.refresh(NOW)
    ours = one.refresh(NOW)
    assert theirs is not None
    assert ours is not None
    assert ours.certificate == theirs.certificate
    assert one.refresh(NOW) is None
    assert other.refresh(NOW) is None


def test_a_name_that_no_certificate_can_hold_is_said(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="cannot be a name in a certificate"):
        OwnCertificate(StateFolder(tmp_path), frozenset({"näme"})).refresh(NOW)


def test_a_given_pair_is_served_and_served_anew_when_its_content_changes(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path)
    source = GivenPair(certificate, key)
    first = source.refresh(NOW)
    assert first is not None
    assert isinstance(first.context, ssl.SSLContext)
    assert source.refresh(NOW) is None
    certificate.touch()
    assert source.refresh(NOW) is None
    other = pair(tmp_path, "other")
    certificate.write_bytes(other[0].read_bytes())
    with pytest.raises(CertificateError, match="the private key does not belong to the certificate"):
        source.refresh(NOW)
    key.write_bytes(other[1].read_bytes())
    second = source.refresh(NOW)
    assert second is not None
    assert second.certificate.key_id != first.certificate.key_id


def test_a_pair_that_is_put_back_after_a_bad_one_is_not_new(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path)
    source = GivenPair(certificate, key)
    source.refresh(NOW)
    good = certificate.read_bytes()
    certificate.write_bytes(good[: len(good) // 2])
    with pytest.raises(CertificateError):
        source.refresh(NOW)
    certificate.write_bytes(good)
    assert source.refresh(NOW) is None


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        (None, None, "given.crt cannot be read: No such file or directory"),
        (b"", None, "no PEM certificate can be read from it"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None, "no PEM certificate can be read"),
        (b"x" * 300_000, None, "the PEM text has 262145 bytes; at most 262144 are read"),
        ("good", b"", "no PEM private key can be read from it"),
        ("good", b"x" * 300_000, "the key's PEM text has 262145 bytes"),
        ("good", "encrypted", "the private key is encrypted; a key without a password is accepted"),
        ("good", "another", "the private key does not belong to the certificate"),
    ],
)
def test_a_pair_that_cannot_be_served_is_refused_with_a_reason(
    tmp_path: Path, certificate: bytes | str | None, key: bytes | str | None, said: str
) -> None:
    good, good_key = pair(tmp_path)
    if certificate is None:
        good.unlink()
    elif isinstance(certificate, bytes):
        good.write_bytes(certificate)
    if key == "another":
        good_key.write_bytes(pair(tmp_path, "another")[1].read_bytes())
    elif key == "encrypted":
        good_key.write_bytes(_encrypted(good_key.read_bytes()))
    elif isinstance(key, bytes):
        good_key.write_bytes(key)
    with pytest.raises(CertificateError) as refused:
        GivenPair(good, good_key).refresh(NOW)
    assert said in str(refused.value)
    assert "PRIVATE KEY" not in str(refused.value)


def test_an_expired_pair_is_refused(tmp_path: Path) -> None:
    certificate, key = pair(tmp_path, life_began=NOW - timedelta(days=91))
    with pytest.raises(CertificateError, match=r"given.crt expired at "):
        GivenPair(certificate, key).refresh(NOW)


def _encrypted(key: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
