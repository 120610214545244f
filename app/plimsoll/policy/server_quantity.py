"""How the API server prints a quantity and turns it into a machine integer, where that differs from exact arithmetic.

Our own checks compare exact amounts (`quantity`). This page serves predictions alone: what LimitRanger and API
validation up to 1.37 will say. Follows k8s.io/apimachinery pkg/api/resource (String, ScaledValue, Add).
"""

from __future__ import annotations

import re
from typing import Final

from plimsoll.policy.quantity import NANO, Quantity

MILLI: Final = NANO // 1000
MAX_MILLI_VALUE: Final = (2**63 - 1) // 1000
"""Amounts of more whole units are compared in whole units, smaller ones in milli-units."""

_KIBI: Final = 1024 * NANO
_SUFFIX_POWERS: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_DIGITS: Final = {"Ki": 11, "Mi": 8, "Gi": 5, "Ti": 2, "Pi": -1, "Ei": -4}
_WRITTEN: Final = re.compile(
    r"[+-]?0*+([0-9]*+)(?:\.([0-9]*+))?+(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?[0-9]+))", re.ASCII
)
_MOST_DIGITS: Final = 18
# Powers of ten by which the server multiplies at once, and so wraps; by any other it notices, and says zero.
_WRAPPING_POWERS: Final = frozenset({0, 1, 2, 3, 6, 9})


def server_text(quantity: Quantity) -> str:
    """The quantity as the server prints it in its messages: ``1536Mi``, ``500m``, ``2e3``; some texts as written."""
    if _is_kept(quantity.text):
        return quantity.text
    return _exponent_text(quantity.nano) if is_exponent(quantity) else quantity.canonical


def is_exponent(quantity: Quantity) -> bool:
    """Was it written with an exponent (``2e3``)? The server keeps to that."""
    written = _WRITTEN.fullmatch(quantity.text)
    return written is not None and written[5] is not None


def whole_units(quantity: Quantity) -> int:
    """``Quantity.Value()``: whole units, rounded away from zero; wrong beyond 2^63, in the server's way."""
    return _machine_integer(quantity, NANO, 0)


def milli_units(quantity: Quantity) -> int:
    """``Quantity.MilliValue()``, likewise."""
    return _machine_integer(quantity, MILLI, -3)


class Amount(int):
    """Nano-units that remember how they were written, since that decides how the server prints their sum."""

    like: Quantity
    is_sum: bool

    def __new__(cls, nano: int, like: Quantity, *, is_sum: bool = False) -> Amount:
        """``like`` is the quantity whose suffixes are kept."""
        amount = super().__new__(cls, nano)
        amount.like = like
        amount.is_sum = is_sum
        return amount

    def __add__(self, other: int) -> Amount:
        if not isinstance(other, Amount):
            return Amount(int(self) + other, self.like, is_sum=self.is_sum or other != 0)
        # A sum is printed like its first term, unless that was zero.
        return Amount(int(self) + int(other), self.like if self else other.like, is_sum=True)

    __radd__ = __add__

    @property
    def quantity(self) -> Quantity:
        """The amount as a quantity, with the server's text."""
        if not self.is_sum:
            return self.like
        nano = int(self)
        if is_exponent(self.like):
            return Quantity(nano, _exponent_text(nano))
        plain = Quantity.from_nano(nano, binary=self.like.is_binary)
        if nano == 0 or plain.is_binary == self.like.is_binary:
            return plain
        # The family must stay in the text, though the amount prints without a suffix.
        whole, rest = divmod(abs(nano), _KIBI)
        fraction = f"{rest * 10**19 // _KIBI:019d}".rstrip("0")
        return Quantity(nano, f"{'-' if nano < 0 else ''}{whole}.{fraction}Ki")


def _exponent_text(nano: int) -> str:
    if nano == 0:
        return "0"
    power = -9
    while nano % 1000 == 0:
        nano //= 1000
        power += 3
    return f"{nano}e{power}" if power else str(nano)


def _is_kept(text: str) -> bool:
    """True where the server's parser takes the text for canonical and prints it again, which it does for `+1.500`."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        return False
    whole, fraction, binary, *_ = written.groups()
    digits = (whole or "0") + (fraction or "")
    if binary is not None:
        return not fraction and len(digits) <= _BINARY_DIGITS[binary] and int(digits) % 8 != 0
    is_short = len(digits) <= _MOST_DIGITS and not digits.startswith("0") and not digits.endswith("000")
    return is_short and (scale := _scale(written)) % 3 == 0 and scale >= -9


def _scale(written: re.Match[str]) -> int:
    """The power of ten that the digits of a decimal text are multiplied by."""
    _, fraction, _, suffix, exponent = written.groups()
    return (int(exponent) if exponent else _SUFFIX_POWERS[suffix or ""]) - len(fraction or "")


def _machine_integer(quantity: Quantity, unit: int, power: int) -> int:
    nano = quantity.nano
    exact = -(-nano // unit) if nano > 0 else nano // unit
    if -(2**63) <= exact < 2**63:
        return exact
    written = _WRITTEN.fullmatch(quantity.text)
    if written is not None and written[3] is None:
        digits = (written[1] or "0") + (written[2] or "")
        if len(digits) <= _MOST_DIGITS and _scale(written) - power not in _WRAPPING_POWERS:
            return 0
    return (exact + 2**63) % 2**64 - 2**63
