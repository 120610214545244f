"""When a certificate of our own must be issued anew, and why. Pure: facts and ``now`` in, a plan out.

A certificate is renewed at two thirds of its life, so that a third is left to notice that renewing fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

AUTHORITY_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)
BACKDATED = timedelta(hours=1)
"""New certificates are valid from an hour ago: clients' clocks differ from ours."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is asked of a certificate; times are aware and in UTC."""

    not_before: datetime
    not_after: datetime
    names: frozenset[str]
    """DNS names and IP addresses a client may call it by."""
    key_id: str
    """Its own subject key identifier, hex; empty where it has none."""
    issuer_key_id: str
    """The key identifier of its issuer, hex; empty where it has none."""


@dataclass(frozen=True, slots=True)
class RenewalPlan:
    """What to issue now; an empty ``reason`` means nothing."""

    authority: bool
    leaf: bool
    names: frozenset[str]
    reason: str


def renewal_time(certificate: Certificate) -> datetime:
    """The instant at which two thirds of its life are over."""
    return certificate.not_before + (certificate.not_after - certificate.not_before) * 2 / 3


def plan_renewal(
    authority: Certificate | None, leaf: Certificate | None, wanted: frozenset[str], now: datetime
) -> RenewalPlan:
    """What must be issued so that a client that trusts our authority may call us by every name in ``wanted``.

    Names that the leaf already has are kept: two servers that share a state folder would otherwise
    take turns in renewing.
    """
    names = wanted | leaf.names if leaf else wanted
    reason = _reason("authority", authority, now)
    if reason:
        return RenewalPlan(authority=True, leaf=True, names=names, reason=reason)
    reason = _reason("certificate", leaf, now)
    if reason:
        return RenewalPlan(authority=False, leaf=True, names=names, reason=reason)
    if leaf and authority and leaf.issuer_key_id != authority.key_id:
        reason = "the certificate was issued by another authority than the one kept beside it"
    elif leaf and not wanted <= leaf.names:
        reason = f"the certificate lacks the name {', '.join(sorted(wanted - leaf.names))}"
    return RenewalPlan(authority=False, leaf=bool(reason), names=names, reason=reason)


def _reason(what: str, certificate: Certificate | None, now: datetime) -> str:
    if certificate is None:
        return f"there is no usable {what} yet"
    if now >= certificate.not_after:
        return f"the {what} expired at {certificate.not_after:%Y-%m-%dT%H:%M:%SZ}"
    if now < certificate.not_before:
        return f"the {what} is not valid before {certificate.not_before:%Y-%m-%dT%H:%M:%SZ}; the clock went back"
    if now >= renewal_time(certificate):
        return f"two thirds of the {what}'s life are over; it ends at {certificate.not_after:%Y-%m-%dT%H:%M:%SZ}"
    return ""
