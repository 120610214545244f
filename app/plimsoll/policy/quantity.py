"""Exact amounts: Kubernetes' quantity grammar as integers of nano-units, with the text they came from.

Accepts what the API server accepts and gives the same value, so that we never judge another amount than the one that
will run. Written by hand for correctness: the official client's parser accepts texts the server refuses and the other
way round. Follows k8s.io/apimachinery pkg/api/resource/quantity.go. Must not use floats, and must not compare texts.

Refused here although the server takes them, because they are absurd and cost the server dearly (it spins on them, or
wraps the exponent modulo 2^32 up to 1.37): texts of more than MAX_LENGTH characters, exponents beyond ±MAX_EXPONENT.
"""

import re
from functools import lru_cache
from typing import Final

import msgspec

MAX_LENGTH: Final = 64
MAX_EXPONENT: Final = 64
NANO: Final = 10**9
"""Nano-units in one unit."""

STRICT_PATTERN: Final = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
"""What policy documents and CRD schemas accept: the pattern controller-gen gives every quantity field."""

ACCEPTED: Final = (
    "a number, followed by nothing, by one of n u m k M G T P E or Ki Mi Gi Ti Pi Ei, or by an exponent such as e3"
)

_MAX_BINARY: Final = (2**63 - 1) * NANO
_MILLI: Final = 10**6
_MANY_CORES: Final = 500 * NANO  # as a request of one container: beyond nearly every machine, and usual as milli-cores
_MOST_MILLICORES: Final = 100_000 * NANO
_ONE_MEBI: Final = 2**20 * NANO  # no container starts in less
_MOST_MEBIBYTES: Final = 65_536 * NANO
_ONE_EXA: Final = 10**18 * NANO
_NUMERIC: Final = "+-.0123456789"

# Every part begins with characters that the part before it cannot eat, so matching is linear.
_SPLIT: Final = re.compile(r"([+-]?)([0-9]*+)(?:\.([0-9]*+))?+([eEinumkKMGTP]*+[+-]?[0-9]*+)", re.ASCII)
_EXPONENT: Final = re.compile(r"[eE]([+-]?[0-9]+)", re.ASCII)
_STRICT: Final = re.compile(STRICT_PATTERN, re.ASCII)

_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
# What Go's strings.TrimSpace removes from a JSON string; control characters arrive there as escapes and are kept.
_JSON_SPACE: Final = (
    " \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)


class QuantityError(ValueError):
    """The text is not a quantity. `found` is what was there (shortened, printable), `accepted` what would do."""

    def __init__(self, found: str, reason: str, accepted: str = ACCEPTED) -> None:
        super().__init__(f"{found} is not a quantity: {reason}; accepted is {accepted}")
        self.found = found
        self.reason = reason
        self.accepted = accepted


class Quantity(msgspec.Struct, frozen=True, gc=False, eq=False, order=False):
    """An exact amount. Two quantities are equal when their amounts are, whatever their texts (`1` = `1000m`).

    `nano` is the amount in nano-units; anything finer was rounded away from zero, and texts with a binary suffix were
    capped at 2^63-1 units, as the server does. `text` is the text as written, for saying what was found.
    """

    nano: int
    text: str
    canonical: str = ""
    """The text the server would print, except that exponents are written out and sizes above 1000E are right.

    `parse` reads it back to the same amount wherever it has at most MAX_LENGTH characters (always below 10^50).
    Filled in by itself: it is wanted for every value that is set, and an amount is made once and used often.
    """

    def __post_init__(self) -> None:
        if not self.canonical:
            msgspec.structs.force_setattr(self, "canonical", canonical_text(self.nano, binary=self.is_binary))

    @classmethod
    def from_nano(cls, nano: int, *, binary: bool = False) -> "Quantity":
        """The quantity of this many nano-units, with its canonical text (`binary`: Ki, Mi, … where they fit)."""
        return cls(nano, canonical_text(nano, binary=binary))

    @property
    def is_binary(self) -> bool:
        """Was it written with a binary suffix (Ki, Mi, …)?"""
        return self.text.endswith("i")

    @property
    def is_zero(self) -> bool:
        """Is the amount nothing at all?"""
        return self.nano == 0

    def ceil_milli(self) -> "Quantity":
        """Rounded away from zero to a whole milli-unit, as API defaulting does with every requests and limits entry."""
        if self.nano % _MILLI == 0:
            return self
        rounded = -(-abs(self.nano) // _MILLI) * _MILLI
        return of_nano(rounded if self.nano > 0 else -rounded, self)

    def __eq__(self, other: object) -> bool:
        return self.nano == other.nano if isinstance(other, Quantity) else NotImplemented

    def __ne__(self, other: object) -> bool:  # Struct brings one of its own, which compares identities
        return self.nano != other.nano if isinstance(other, Quantity) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.nano)

    def __lt__(self, other: "Quantity") -> bool:
        return self.nano < other.nano

    def __le__(self, other: "Quantity") -> bool:
        return self.nano <= other.nano

    def __gt__(self, other: "Quantity") -> bool:
        return self.nano > other.nano

    def __ge__(self, other: "Quantity") -> bool:
        return self.nano >= other.nano


ZERO: Final = Quantity(0, "0", "0")


@lru_cache(maxsize=4096)
def parse(text: str) -> Quantity:
    """The quantity that the API server reads from this text; QuantityError where it reads none.

    Digit-less texts (`m`, `Ki`, `-`) are zero, as on the server; `suspicion` speaks of them. Surrounding space is
    refused here and trimmed by `parse_json_value`. The cache holds short texts only: longer ones raise, and an
    exception is never cached.
    """
    if len(text) > MAX_LENGTH:
        raise QuantityError(shown(text), f"it has {len(text)} characters, more than {MAX_LENGTH}")
    match = _SPLIT.fullmatch(text) if text else None
    if match is None:
        raise QuantityError(shown(text), _what_is_wrong(text))
    sign, whole, fraction, suffix = match.groups()
    fraction = fraction or ""
    digits = whole + fraction
    exponent = _DECIMAL.get(suffix)
    shift = 0
    if exponent is None:
        shift = _BINARY.get(suffix, 0)
        exponent = 0 if shift else _exponent(suffix, text)
    if not digits and (shift >= 50 or exponent < -9):
        raise QuantityError(shown(text), "it has no digits")  # the server takes other digit-less texts for zero
    amount = int(digits or "0") << shift
    power = 9 + exponent - len(fraction)
    nano = amount * 10**power if power >= 0 else -(-amount // 10**-power)
    if shift and nano > _MAX_BINARY:
        nano = _MAX_BINARY
    return Quantity(-nano if sign == "-" else nano, text)


def parse_strict(text: str) -> Quantity:
    """The quantity of a policy document: STRICT_PATTERN, then `parse`. Digit-less texts are refused."""
    if len(text) <= MAX_LENGTH and _STRICT.fullmatch(text) is None:
        raise QuantityError(shown(text), _what_is_wrong(text))
    return parse(text)


def parse_json_value(value: object) -> Quantity:
    """The quantity of a decoded JSON or YAML value, as the server's JSON decoder reads it.

    Strings lose surrounding space (not line breaks and tabs, which the server refuses), numbers are taken by their
    shortest text, null is zero. QuantityError for anything else.
    """
    if isinstance(value, str):
        return parse(value.strip(_JSON_SPACE))
    if value is None:
        return ZERO
    if isinstance(value, bool):
        raise QuantityError(str(value).lower(), "it is a boolean")
    if isinstance(value, int):
        if abs(value) >= 10 ** (MAX_LENGTH - 1):  # also keeps str() away from numbers it refuses to print
            raise QuantityError("a number", f"it has more than {MAX_LENGTH - 1} digits")
        return parse(str(value))
    if isinstance(value, float):
        return parse(repr(value))
    kind = "an object" if isinstance(value, dict) else "an array" if isinstance(value, list) else type(value).__name__
    raise QuantityError(kind, "it is neither a string nor a number")


def stored(value: object) -> Quantity:
    """The quantity that the server stores in requests and limits for a decoded JSON value: `parse_json_value`, rounded.

    QuantityError where it is none.
    """
    if type(value) is str and len(value) <= MAX_LENGTH:
        return _stored(value)
    return parse_json_value(value).ceil_milli()


@lru_cache(maxsize=4096)
def _stored(text: str) -> Quantity:
    return parse_json_value(text).ceil_milli()


def of_nano(nano: int, like: Quantity) -> Quantity:
    """The quantity of this many nano-units, written in the family (binary or decimal suffixes) of `like`."""
    return Quantity.from_nano(nano, binary=like.is_binary)


def canonical_text(nano: int, *, binary: bool) -> str:
    """The shortest suffixed text with a whole number before it; never an exponent.

    Binary suffixes only for whole amounts of 1024 and more, as on the server: smaller and broken ones turn decimal.
    """
    if nano == 0:
        return "0"
    if binary and nano % NANO == 0 and abs(nano) >= 1024 * NANO:
        amount = nano // NANO
        unit = ""
        for suffix in _BINARY:
            if amount % 1024:
                break
            amount //= 1024
            unit = suffix
        return f"{amount}{unit}"
    unit = "n"
    for suffix in ("u", "m", "", "k", "M", "G", "T", "P", "E"):
        if nano % 1000:
            break
        nano //= 1000
        unit = suffix
    return f"{nano}{unit}"


def floor_to_unit(nano: int, resource: str) -> int:
    """The largest amount ≤ `nano` that may be stored for this resource: milli-units of cpu, whole units of others."""
    unit = _MILLI if resource == "cpu" else NANO
    return nano // unit * unit


def shown(text: str) -> str:
    """A hostile text in quotes, printable and short."""
    head = text if len(text) <= 40 else text[:39] + "…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in head) + '"'


class Suspicion(msgspec.Struct, frozen=True, gc=False):
    """An amount that parses and almost surely is not what its author meant.

    `found` is the text, `meaning` what it amounts to ("0.512 byte"), `meant` the text that was probably meant, or None.
    """

    found: str
    meaning: str
    meant: str | None


def suspicion(resource: str, text: str) -> Suspicion | None:
    """The look-alike trap in this amount, or None. QuantityError where the text is no quantity.

    Judged by value wherever possible, because the server rewrites texts before a webhook sees them (`1000` cores
    arrive as `1k`). Deliberately few: amounts that no machine has or no process can live in, never matters of taste.
    """
    return _suspicion(_SUSPECT.get(resource, ""), text)


_SUSPECT: Final = {"cpu": "cpu", "memory": "bytes", "ephemeral-storage": "bytes"}


@lru_cache(maxsize=4096)
def _suspicion(measure: str, text: str) -> Suspicion | None:
    quantity = parse(text)
    nano = quantity.nano
    if nano == 0:
        return None if any(c.isdigit() for c in text) else Suspicion(text, "0, because it has no digits", None)
    if measure == "cpu":
        return _cpu_suspicion(quantity)
    return _bytes_suspicion(quantity) if measure == "bytes" else None


def _cpu_suspicion(quantity: Quantity) -> Suspicion | None:
    if 0 < quantity.nano < _MILLI:
        return Suspicion(quantity.text, "1m, because the API server rounds it up", None)
    if quantity.nano < _MANY_CORES:
        return None
    cores = _decimal_text(quantity.nano)
    likely = quantity.nano % NANO == 0 and quantity.nano <= _MOST_MILLICORES
    return Suspicion(quantity.text, f"{cores} cores", f"{cores}m" if likely else None)


def _bytes_suspicion(quantity: Quantity) -> Suspicion | None:
    nano, text = quantity.nano, quantity.text
    if nano < 0 or _ONE_MEBI <= nano < _ONE_EXA:
        return None
    suffix = text.lstrip(_NUMERIC)
    if nano < _ONE_MEBI and suffix not in {"", "m", "u", "n"}:
        return None
    number = nano * 1000 if suffix == "m" else nano
    likely = number <= _MOST_MEBIBYTES and number % NANO == 0 and suffix in {"", "m"}
    meaning = f"{_decimal_text(nano)} {'byte' if nano <= NANO else 'bytes'}"
    return Suspicion(text, meaning, f"{number // NANO}Mi" if likely else None)


def _decimal_text(nano: int) -> str:
    """A positive amount as a plain decimal number: 0.512, 1000."""
    whole, fraction = divmod(nano, NANO)
    return f"{whole}.{fraction:09d}".rstrip("0") if fraction else str(whole)


def _exponent(suffix: str, text: str) -> int:
    match = _EXPONENT.fullmatch(suffix)
    if match is None:
        raise QuantityError(shown(text), _what_is_wrong(text))
    exponent = int(match[1])
    if abs(exponent) > MAX_EXPONENT:
        raise QuantityError(shown(text), f"its exponent is outside -{MAX_EXPONENT} to {MAX_EXPONENT}")
    return exponent


def _what_is_wrong(text: str) -> str:
    """Why a text is refused, with the spelling that was probably meant."""
    if not text:
        return "it is empty"
    if text != text.strip():
        return "it has space around it"
    suffix = text.lstrip(_NUMERIC)
    if suffix == text:
        return "it does not begin with a number"
    if not suffix or suffix in _DECIMAL or suffix in _BINARY:
        return "its number cannot be read"
    spelling = _spelling(suffix)
    return f"{shown(suffix)} is no suffix" + (f", {spelling} is" if spelling else "")


def _spelling(suffix: str) -> str:
    """The suffix that a misspelt one (K, kb, MiB, gi) stands for in other languages; empty where none comes to mind."""
    core = suffix.rstrip("bB")
    letter = core[:1].upper()
    if letter not in {"K", "M", "G", "T", "P", "E"} or core[1:] not in {"", "i", "I"} or core == "e":
        return ""
    if len(core) > 1:
        return f"{letter}i"
    return "k (1000) or Ki (1024)" if letter == "K" else f"{letter} or {letter}i"
