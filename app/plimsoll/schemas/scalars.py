"""What a scalar of YAML means to Kubernetes: text, a number, a truth value or nothing.

Follows go.yaml.in/yaml/v2 resolve.go and sigs.k8s.io/yaml, which every kubectl and API server reads with: ``010`` is 8,
``1e3`` a number, ``on`` true, ``1:30`` and dates stay text. Knows no documents and no positions.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

Scalar = str | int | float | bool | None

NOT_TEXT: Final = "+-.0123456789yYnNtTfFoO~"
"""What a plain scalar begins with when it may be anything but text."""
NUMERIC: Final = NOT_TEXT[:13]
CACHED_LENGTH: Final = 64
TAG: Final = "tag:yaml.org,2002:"

_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER: Final = re.compile(
    r"([+-]?)(?:0[xX]([0-9a-fA-F]++)|0[bB]([01]++)|0[oO]([0-7]++)|0([0-7]*+)|([1-9][0-9]*+))", re.ASCII
)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]++|[0-9]++(?:\.[0-9]*+)?+)(?:[eE][-+]?[0-9]++)?+", re.ASCII)

_POINT_FLOAT: Final = re.compile(r"\.[0-9]++(?:_[0-9]++)*+(?:[eE][-+]?[0-9]++(?:_[0-9]++)*+)?+", re.ASCII)


def plain_value(text: str) -> Scalar:
    """The value of a scalar without quotes. Raises ValueError for a number that JSON does not know."""
    if text[:1] not in NOT_TEXT:  # the empty text is "in" it, and means nothing
        return text
    return _cached(text) if len(text) < CACHED_LENGTH else _resolved(text)


def tagged_value(tag: str, text: str) -> Scalar:
    """The value of a scalar with a tag of its own (``!!str 1``); tags that YAML does not define are ignored, as in Go.

    Raises ValueError where the text is no such value.
    """
    name = tag.removeprefix(TAG)
    if name == "binary":
        try:
            return base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ValueError("!!binary takes text in base64 that is UTF-8") from None
    if name not in {"bool", "int", "float", "null"}:
        return text
    value = _resolved(text)
    found = "null" if value is None else type(value).__name__
    if found != name and (found, name) != ("int", "float"):
        raise ValueError(f"it is no {name}, though its tag !!{name} says so")
    return value


def key_text(key: object) -> str:
    """A key as the text that JSON needs; numbers with a fraction keep Python's shortest text.

    Raises ValueError for what cannot be a key.
    """
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int | float):
        return str(key)
    found = "nothing" if key is None else "a map" if isinstance(key, dict) else "a list"
    raise ValueError(f"{found} is used as a key; a key must be text")


def _resolved(text: str) -> Scalar:
    if text in _WORDS:
        word = _WORDS[text]
        if isinstance(word, float):
            raise ValueError(f"{text} is no number that JSON knows; in quotes it is text")
        return word
    if text[0] not in NUMERIC:
        return text
    plain = text
    if text[0] != ".":
        plain = text.replace("_", "")
        match = _INTEGER.fullmatch(plain)
        if match is not None and (integer := _integer(match)) is not None:
            return integer
    if not (_POINT_FLOAT if text[0] == "." else _FLOAT).fullmatch(plain):
        return text
    number = float(plain)
    if not math.isfinite(number):
        return text
    if number.is_integer() and abs(number) < 1e21:  # as Go prints them: without point and exponent
        return int(Decimal(repr(number)))
    return number


_cached = lru_cache(maxsize=4096)(_resolved)


def _integer(match: re.Match[str]) -> int | None:
    """The integer of Go's ParseInt or ParseUint (base 0, 64 bits); None where it does not fit."""
    sign, hexadecimal, binary, octal, old_octal, decimal = match.groups()
    if decimal is not None:
        value = int(decimal) if len(decimal) <= 20 else 2**64
    elif hexadecimal is not None:
        value = int(hexadecimal, 16)
    else:
        value = int(binary, 2) if binary is not None else int(octal or old_octal or "0", 8)
    if sign == "-":
        value = -value
    return value if -(2**63) <= value < (2**63 if sign else 2**64) else None
