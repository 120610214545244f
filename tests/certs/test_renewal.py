"""When and why our own certificate is issued anew, as a table of sentences."""

from datetime import UTC, datetime, timedelta

import pytest
from plimsoll.certs.renewal import Certificate, plan_renewal, renewal_time

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = frozenset({"localhost", "127.0.0.1"})


def authority(days: int = 3000, key_id: str = "a1") -> Certificate:
    return Certificate(START, START + timedelta(days=days), frozenset(), key_id, "")


def leaf(days: int = 90, names: frozenset[str] = NAMES, issuer: str = "a1") -> Certificate:
    return Certificate(START, START + timedelta(days=days), names, "b2", issuer)


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def test_the_renewal_time_is_two_thirds_of_the_life() -> None:
    assert renewal_time(leaf(90)) == at(60)


@pytest.mark.parametrize(
    ("kept", "day", "both", "reason"),
    [
        ((None, None), 0, True, "there is no usable authority yet"),
        ((authority(), None), 0, False, "there is no usable certificate yet"),
        ((None, leaf()), 0, True, "there is no usable authority yet"),
        ((authority(), leaf()), 60, False, "two thirds of the certificate's life are over; it ends at 2026-04-01"),
        ((authority(), leaf()), 90, False, "the certificate expired at 2026-04-01T00:00:00Z"),
        (
            (authority(), leaf()),
            -1,
            True,
            "the authority is not valid before 2026-01-01T00:00:00Z; the clock went back",
        ),
        ((authority(90), leaf(90)), 60, True, "two thirds of the authority's life are over"),
        ((authority(30), leaf(90)), 31, True, "the authority expired at 2026-01-31T00:00:00Z"),
        ((authority(key_id="other"), leaf()), 0, False, "the certificate was issued by another authority"),
        ((authority(), leaf(names=frozenset({"localhost"}))), 0, False, "the certificate lacks the name 127.0.0.1"),
    ],
)
def test_a_certificate_is_issued_for_a_stated_reason(
    kept: tuple[Certificate | None, Certificate | None], day: float, both: bool, reason: str
) -> None:
    plan = plan_renewal(kept[0], kept[1], NAMES, at(day))
    assert plan.leaf
    assert plan.authority == both
    assert plan.reason.startswith(reason)


@pytest.mark.parametrize("day", [0, 1, 59.9])
def test_nothing_is_issued_while_both_are_good(day: float) -> None:
    plan = plan_renewal(authority(), leaf(), NAMES, at(day))
    assert (plan.authority, plan.leaf, plan.reason) == (False, False, "")


def test_names_of_another_server_on_the_same_state_folder_are_kept() -> None:
    theirs = leaf(names=frozenset({"localhost", "other.example"}))
    assert plan_renewal(authority(), theirs, NAMES, at(0)).names == NAMES | {"other.example"}
    assert plan_renewal(authority(), leaf(names=NAMES | {"other.example"}), NAMES, at(0)).reason == ""
