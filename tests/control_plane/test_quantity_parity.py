"""Our quantities against apimachinery's: the same texts accepted, the same amounts, the same order.

Left out, because apimachinery spins on them or wraps their exponent, and we refuse them: exponents beyond ±64 and texts
of more than 64 characters. The last test shows that nothing else is left out.
"""

import itertools
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plimsoll.policy.quantity import (
    MAX_EXPONENT,
    MAX_LENGTH,
    NANO,
    ZERO,
    Quantity,
    QuantityError,
    parse,
    parse_json_value,
)

from tests.control_plane.parity_program import answers, parity_or_skip

SEED = 1876  # the year of the Act that put the line on every hull
GENERATED = 150_000
GRAMMAR = "01.+-eEinumkKMGTP"
NEAR = "0123456789.+-eEinumkKMGTPiBbxyRQZN_, µ１\n\t\x00"
SUFFIXES: tuple[str, ...] = ("", "", "", *"numkMGTPE", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
WRONG_SUFFIXES = ("K", "ki", "KI", "MB", "MiB", "B", "Zi", "R", "e", "E+", "e-", "ee3", "e3m", "mi", "kk", "i", "e1.5")
LAST_EXACT_TEXT = 1000 * 10**18 * NANO
"""From here on the server (≤ 1.37) prints a decimal amount without its suffix: 1000E as 1."""


@pytest.fixture(scope="module")
def parity() -> Path:
    return parity_or_skip()


def test_generated_texts_mean_the_same_to_apimachinery(parity: Path) -> None:
    texts = list(dict.fromkeys(text for text in itertools.chain(short_texts(), generated_texts()) if is_bounded(text)))
    said = answers(parity, "quantity", (json.dumps({"text": text}) for text in texts))
    assert len(said) == len(texts) >= 100_000
    accepted = 0
    previous = ZERO
    differences: list[tuple[str, str, dict[str, Any]]] = []
    for text, theirs in zip(texts, said, strict=True):
        ours = quantity_or_none(text)
        difference = "" if ours is None and not theirs["accepted"] else difference_of(ours, previous, theirs)
        if difference:
            differences.append((text, difference, theirs))
        if ours is not None:
            accepted += 1
            previous = ours
    assert not differences, f"{len(differences)} differ, such as {differences[:5]}"
    assert 0.3 < accepted / len(texts) < 0.9, "neither the accepted nor the refused texts may be a handful"
    print(f"{len(texts):,} texts agree with apimachinery in acceptance, amount and order; {accepted:,} are quantities")


def test_any_two_amounts_compare_as_in_apimachinery(parity: Path) -> None:
    """Neighbours in a list sorted by amount: where the order is closest to being wrong."""
    texts = [text for text in generated_texts(20_000) if is_bounded(text) and quantity_or_none(text) is not None]
    texts.sort(key=parse)
    said = answers(parity, "quantity", (json.dumps({"text": text}) for text in texts))
    for before, text, theirs in zip(texts, texts[1:], said[1:], strict=False):
        assert theirs["order"] == (parse(text) > parse(before)), (before, text)


def test_json_values_mean_the_same_to_the_api_servers_decoder(parity: Path) -> None:
    values = list(json_values())
    raws = [json.dumps(value, ensure_ascii=False) for value in values]
    said = answers(parity, "quantity", (f'{{"json":{raw}}}' for raw in raws))
    for value, raw, theirs in zip(values, raws, said, strict=True):
        try:
            nano = str(parse_json_value(value).nano)
        except QuantityError:
            nano = "refused"
        assert nano == theirs.get("nano", "refused"), raw
    print(f"{len(raws):,} JSON values agree with the API server's decoder")


def test_the_exceptions_are_texts_that_apimachinery_accepts(parity: Path) -> None:
    texts = [
        *(f"1e{sign}{exponent}" for sign in ("", "-") for exponent in range(MAX_EXPONENT + 1, 300)),
        *("1" * length for length in range(MAX_LENGTH + 1, 200)),
        "1e4294967297",
    ]
    said = answers(parity, "quantity", (json.dumps({"text": text}) for text in texts))
    for text, theirs in zip(texts, said, strict=True):
        assert theirs["accepted"], text
        assert not is_bounded(text)
        assert quantity_or_none(text) is None


def difference_of(ours: Quantity | None, previous: Quantity, theirs: dict[str, Any]) -> str:
    """What we say otherwise than apimachinery; empty where nothing."""
    if ours is None or not theirs["accepted"]:
        return f"acceptance: {ours}"
    if ours.nano != int(theirs["nano"]):
        return f"amount: {ours.nano}"
    if (ours > previous) - (ours < previous) != theirs["order"]:
        return f"order: after {previous}"
    if ours.ceil_milli().nano != int(theirs["milliNano"]):
        return f"rounded to milli: {ours.ceil_milli()}"
    if abs(ours.nano) < LAST_EXACT_TEXT:
        if parse(theirs["text"]) != ours:
            return "the text it stores reads otherwise"
        if theirs["format"] != "DecimalExponent" and ours.canonical != theirs["canonical"]:
            return f"canonical text: {ours.canonical}"
    return ""


def quantity_or_none(text: str) -> Quantity | None:
    try:
        return parse(text)
    except QuantityError:
        return None


def is_bounded(text: str) -> bool:
    exponent = re.search(r"[eE][+-]?([0-9]+)\Z", text)
    return len(text) <= MAX_LENGTH and (exponent is None or int(exponent[1]) <= MAX_EXPONENT)


def short_texts() -> Iterator[str]:
    """Every text of up to three characters of the grammar's alphabet."""
    for length in range(4):
        yield from map("".join, itertools.product(GRAMMAR, repeat=length))


def generated_texts(count: int = GENERATED) -> Iterator[str]:
    """Well-formed, nearly well-formed, and junk; the same ones every time."""
    chance = random.Random(SEED)
    for _ in range(count):
        kind = chance.random()
        if kind < 0.55:
            yield number(chance) + suffix(chance)
        elif kind < 0.65:
            yield number(chance) + chance.choice(WRONG_SUFFIXES)
        elif kind < 0.95:
            yield mutated(number(chance) + suffix(chance), chance)
        else:
            yield "".join(chance.choices(NEAR, k=chance.randint(0, 12)))


def number(chance: random.Random) -> str:
    sign = chance.choice(("", "", "", "", "+", "-"))
    whole = digits(chance, longest=chance.choice((1, 3, 3, 6, 12, 20, 30)))
    if chance.random() < 0.5:
        return sign + whole
    return f"{sign}{whole}.{digits(chance, longest=chance.choice((0, 1, 3, 9, 10, 12, 25)))}"


def digits(chance: random.Random, *, longest: int) -> str:
    """Often with zeros at either end, where canonical texts and fast paths branch."""
    text = "".join(chance.choices("0123456789", k=chance.randint(0, longest)))
    return "0" * chance.choice((0, 0, 0, 0, 1, 3)) + text + "0" * chance.choice((0, 0, 0, 1, 3, 6))


def suffix(chance: random.Random) -> str:
    if chance.random() < 0.75:
        return chance.choice(SUFFIXES)
    exponent = chance.randint(0, chance.choice((3, 9, 20, MAX_EXPONENT)))
    return f"{chance.choice('eE')}{chance.choice(('', '', '+', '-'))}{chance.choice(('', '', '0', '000'))}{exponent}"


def mutated(text: str, chance: random.Random) -> str:
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randint(0, len(text))
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:at] + chance.choice(NEAR) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + 1 :]
        elif kind == 2:
            text = text[:at] + chance.choice(NEAR) + text[at + 1 :]
        else:
            text = text[at:] + text[:at]
    return text


def json_values() -> Iterator[object]:
    """Strings with space of every kind around them, numbers, and everything that is neither.

    Without U+2028 and U+2029: Go's encoder escapes them on kubectl's way, where the server then refuses them as we do.
    """
    yield from (None, True, False, {}, [], {"cpu": 1}, ["1"], "", " ", "null")
    spaces = [chr(code) for code in range(0x3001) if chr(code).isspace() or code < 0x21]
    for space in (*spaces, "\u200b", "\ufeff", "  "):
        if space not in "\u2028\u2029":
            yield from (f"{space}128Mi", f"1.5{space}", f"{space}1{space}", f"1{space}Mi", space)
    chance = random.Random(SEED)
    for _ in range(2_000):
        yield chance.randint(-(10 ** chance.randint(0, 40)), 10 ** chance.randint(0, 40))
        # Whole digits that a float keeps; what it cannot keep is lost before anybody of us sees it.
        yield round(chance.uniform(-1, 1) * 10 ** chance.randint(0, 5), chance.randint(0, 9))
        yield chance.choice((1.0, -3.0, 7.0, 0.1)) * 10.0 ** chance.randint(-12, 22)
