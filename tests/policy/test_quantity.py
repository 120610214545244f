"""Quantities: the server's grammar, exact amounts, canonical texts, and the look-alikes worth a warning."""

import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plimsoll.policy.quantity import (
    MAX_EXPONENT,
    MAX_LENGTH,
    NANO,
    STRICT_PATTERN,
    ZERO,
    Quantity,
    QuantityError,
    Suspicion,
    canonical_text,
    floor_to_unit,
    of_nano,
    parse,
    parse_json_value,
    parse_strict,
    shown,
    suspicion,
)

VECTORS = Path(__file__).parent / "vectors"


def rows(name: str) -> list[list[str]]:
    lines = (VECTORS / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def nano_of(exact: str) -> int:
    amount = Fraction(exact) * NANO
    assert amount.denominator == 1
    return amount.numerator


QUANTITIES = rows("quantities.tsv")
JSON_VALUES = rows("json_values.tsv")


def test_the_tables_are_whole() -> None:
    assert len(QUANTITIES) == 154
    assert len(JSON_VALUES) == 21


@pytest.mark.parametrize(("text", "outcome", "canonical", "exact"), QUANTITIES)
def test_a_text_means_what_the_api_server_reads(text: str, outcome: str, canonical: str, exact: str) -> None:
    text = json.loads(text)
    if outcome != "accepted":
        with pytest.raises(QuantityError):
            parse(text)
        return
    quantity = parse(text)
    assert quantity.nano == nano_of(exact)
    assert quantity.canonical == canonical
    assert quantity.text == text


@pytest.mark.parametrize(("raw", "outcome", "exact"), JSON_VALUES)
def test_a_json_value_means_what_the_api_server_decodes(raw: str, outcome: str, exact: str) -> None:
    if outcome == "refused":
        with pytest.raises(QuantityError):
            parse_json_value(json.loads(raw))
    else:
        assert parse_json_value(json.loads(raw)).nano == nano_of(exact)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (math.nan, '"nan" is not a quantity: it does not begin with a number'),
        (-math.inf, '"-inf" is not a quantity'),
        (1e100, "its exponent is outside -64 to 64"),
        (10**63, "a number is not a quantity: it has more than 63 digits"),
        (True, "true is not a quantity: it is a boolean"),
        ({"cpu": 1}, "an object is not a quantity: it is neither a string nor a number"),
        ([1], "an array is not a quantity"),
        (b"1", "bytes is not a quantity"),
    ],
)
def test_a_json_value_that_is_no_amount_is_named(value: object, message: str) -> None:
    with pytest.raises(QuantityError) as refused:
        parse_json_value(value)
    assert message in str(refused.value)


# Absurd texts that the server accepts and we do not: the whole list, as the module's docstring states it.
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1" * (MAX_LENGTH + 1), "it has 65 characters, more than 64"),
        ("0" * 1000 + "1", "it has 1001 characters"),
        (f"1e{MAX_EXPONENT + 1}", "its exponent is outside -64 to 64"),
        (f"1E-{MAX_EXPONENT + 1}", "its exponent is outside"),
        ("1e2147483648", "its exponent is outside"),
        ("0e-2147483647", "its exponent is outside"),
        ("1e999999999", "its exponent is outside"),
        ("1e4294967297", "its exponent is outside"),
    ],
)
def test_what_the_server_takes_and_we_refuse_is_said_clearly(text: str, reason: str) -> None:
    with pytest.raises(QuantityError) as refused:
        parse(text)
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    "text", ["1" * MAX_LENGTH, f"1e{MAX_EXPONENT}", f"1e-{MAX_EXPONENT}", "1e+00064", "9" * 61 + "e64"]
)
def test_the_edge_of_the_bounds_is_accepted(text: str) -> None:
    assert parse(text).nano > 0


@pytest.mark.parametrize("text", ["Pi", "Ei", ".Ei", "-.Pi", "e-10", ".E-12", "+"])
def test_digit_less_texts_are_zero_exactly_where_the_server_says_so(text: str) -> None:
    if text == "+":
        assert parse(text) == ZERO
    else:
        with pytest.raises(QuantityError, match="it has no digits"):
            parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1K", '"K" is no suffix, k (1000) or Ki (1024) is'),
        ("64kb", '"kb" is no suffix, k (1000) or Ki (1024) is'),
        ("1KI", '"KI" is no suffix, Ki is'),
        ("1mi", '"mi" is no suffix, Mi is'),
        ("128MiB", '"MiB" is no suffix, Mi is'),
        ("128MB", '"MB" is no suffix, M or Mi is'),
        ("1g", '"g" is no suffix, G or Gi is'),
        ("1e", '"e" is no suffix'),
        ("1b", '"b" is no suffix'),
        ("1x", '"x" is no suffix'),
        ("1Kii", '"Kii" is no suffix'),
        ("", "it is empty"),
        (" 1", "it has space around it"),
        ("1\n", "it has space around it"),
        ("one", "it does not begin with a number"),
        ("1..5", "its number cannot be read"),
        ("1.2.3Mi", "its number cannot be read"),
        ("1.2.3m", "its number cannot be read"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_would_do(text: str, reason: str) -> None:
    with pytest.raises(QuantityError) as refused:
        parse(text)
    assert refused.value.reason == reason
    assert refused.value.found == shown(text)
    assert str(refused.value) == (
        f"{shown(text)} is not a quantity: {reason}; accepted is a number, followed by nothing, by one of "
        "n u m k M G T P E or Ki Mi Gi Ti Pi Ei, or by an exponent such as e3"
    )


def test_a_hostile_text_is_shown_short_and_printable() -> None:
    assert shown("a\x00\x1b[31m\u202e\ud800") == '"a\\x00\\x1b[31m\\u202e\\ud800"'
    assert shown("9" * 10**6) == '"' + "9" * 39 + '…"'
    with pytest.raises(QuantityError) as refused:
        parse("\ud800" * 10**6)
    str(refused.value).encode()
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize("text", ["1", "100m", "+1.5Gi", ".5", "1e3", "1E", "5."])
def test_a_policy_document_may_say(text: str) -> None:
    assert parse_strict(text) == parse(text)


@pytest.mark.parametrize("text", ["m", "Mi", ".", "-", "1K", "1e1.5", "", " 1", "1\n", "1" * 65])
def test_a_policy_document_may_not_say(text: str) -> None:
    with pytest.raises(QuantityError):
        parse_strict(text)


def test_the_strict_pattern_is_anchored_for_json_schema() -> None:
    assert STRICT_PATTERN.startswith("^")
    assert STRICT_PATTERN.endswith("$")


def test_equal_amounts_are_equal_whatever_their_texts() -> None:
    assert parse("1") == parse("1000m")
    assert hash(parse("1")) == hash(parse("1000m"))
    assert parse("1G") < parse("1Gi") <= parse("1024Mi")
    assert parse("1Gi") > parse("1G") >= parse("1000M")
    assert not (parse("1") != parse("1000m"))  # noqa: SIM202
    assert parse("1") != 1
    assert not (parse("1") == 1)  # noqa: SIM201
    assert parse("1") != parse("2")
    assert parse("0").is_zero
    assert not parse("1n").is_zero


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1u", "1m"),
        ("0.9999", "1"),
        ("1500u", "2m"),
        ("-1500u", "-2m"),
        ("100m", "100m"),
        ("0.00001Ki", "11m"),
        ("0", "0"),
    ],
)
def test_api_defaulting_rounds_away_from_zero_to_milli(text: str, stored: str) -> None:
    assert parse(text).ceil_milli().text == stored


def test_a_whole_milli_amount_keeps_its_text() -> None:
    assert parse("0.10").ceil_milli().text == "0.10"


@pytest.mark.parametrize(
    ("nano", "like", "text"),
    [
        (2**30 * NANO, "1Mi", "1Gi"),
        (2**30 * NANO, "1M", "1073741824"),
        (1536 * 2**20 * NANO, "1Gi", "1536Mi"),
        (1023 * NANO, "1Ki", "1023"),
        (-(2**20) * NANO, "1Ki", "-1Mi"),
        (2**70 * NANO, "1Ki", "1024Ei"),
        (NANO // 2, "1Gi", "500m"),
        (0, "1Gi", "0"),
        (10**24 * NANO, "1", "1000000E"),
    ],
)
def test_a_computed_amount_is_written_like_its_source(nano: int, like: str, text: str) -> None:
    made = of_nano(nano, parse(like))
    assert (made.nano, made.text) == (nano, text)


def test_a_quantity_from_nano_units_is_decimal_unless_told_otherwise() -> None:
    assert Quantity.from_nano(1024 * NANO).text == "1024"
    assert Quantity.from_nano(1024 * NANO, binary=True).text == "1Ki"


@pytest.mark.parametrize(
    ("amount", "resource", "floor"),
    [
        ("1.5", "memory", "1"),
        ("107374182400m", "memory", "107374182"),
        ("1500m", "ephemeral-storage", "1"),
        ("4096.5Ki", "hugepages-2Mi", "4194816"),
        ("1500u", "cpu", "1m"),
        ("250m", "cpu", "250m"),
        ("1.5", "nvidia.com/gpu", "1"),
    ],
)
def test_an_amount_is_floored_to_what_can_be_stored(amount: str, resource: str, floor: str) -> None:
    assert floor_to_unit(parse(amount).nano, resource) == parse(floor).nano


@pytest.mark.parametrize(
    ("resource", "text", "meaning", "meant"),
    [
        ("memory", "512m", "0.512 byte", "512Mi"),
        ("memory", "1500m", "1.5 bytes", "1500Mi"),
        ("ephemeral-storage", "1m", "0.001 byte", "1Mi"),
        ("memory", "512", "512 bytes", "512Mi"),
        ("memory", "1", "1 byte", "1Mi"),
        ("memory", "65536", "65536 bytes", "65536Mi"),
        ("memory", "65537", "65537 bytes", None),
        ("memory", "0.5", "0.5 byte", None),
        ("memory", "0.5m", "0.0005 byte", None),
        ("memory", "7u", "0.000007 byte", None),
        ("memory", "1E", "1000000000000000000 bytes", None),
        ("memory", "8Ei", "9223372036854775807 bytes", None),
        ("memory", "Mi", "0, because it has no digits", None),
        ("nvidia.com/gpu", "m", "0, because it has no digits", None),
        ("cpu", "500", "500 cores", "500m"),
        ("cpu", "1k", "1000 cores", "1000m"),
        ("cpu", "500.5", "500.5 cores", None),
        ("cpu", "256Mi", "268435456 cores", None),
        ("cpu", "1E", "1000000000000000000 cores", None),
        ("cpu", "0.1m", "1m, because the API server rounds it up", None),
    ],
)
def test_a_look_alike_is_said_with_what_it_means(resource: str, text: str, meaning: str, meant: str | None) -> None:
    assert suspicion(resource, text) == Suspicion(text, meaning, meant)


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        *(("cpu", text) for text in ("0", "1m", "100m", "0.5", "64", "128", "499", "1500u", "-1")),
        *(("memory", text) for text in ("0", "0Mi", "64Ki", "512k", "4Mi", "128974848", "129e6", "129M", "1Gi", "1G")),
        *(("memory", text) for text in ("107374182400m", "0.1Gi", "1Ti", "1048576", "-5")),
        *(("ephemeral-storage", text) for text in ("1Gi", "2G", "0")),
        *(("nvidia.com/gpu", text) for text in ("1", "500m", "1000")),
        ("hugepages-2Mi", "2Mi"),
    ],
)
def test_an_ordinary_amount_raises_no_alarm(resource: str, text: str) -> None:
    assert suspicion(resource, text) is None


def test_what_is_no_quantity_is_refused_and_not_suspected() -> None:
    with pytest.raises(QuantityError):
        suspicion("memory", "512MB")


digits = st.text("0123456789", max_size=20)
suffixes = st.sampled_from(["", *"numkMGTPE", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]) | st.integers(-64, 64).map(
    "e{}".format
)
texts = st.builds(
    "{}{}.{}{}".format,
    st.sampled_from(["", "+", "-"]),
    st.text("0123456789", min_size=1, max_size=20),
    digits,
    suffixes,
)
amounts = st.integers(-(10**58), 10**58)


@given(texts)
def test_the_canonical_text_keeps_the_amount(text: str) -> None:
    quantity = parse(text)
    if abs(quantity.nano) < 10**59:
        assert parse(quantity.canonical) == quantity
    if quantity.is_binary:
        assert abs(quantity.nano) < 2**63 * NANO


@given(amounts, st.booleans())
def test_a_canonical_text_is_read_back_and_is_its_own_canonical_text(nano: int, binary: bool) -> None:
    text = canonical_text(nano, binary=binary)
    if text.endswith("i") and abs(nano) >= 2**63 * NANO:
        return  # a sum of binary amounts may pass the cap that holds for texts
    assert parse(text).nano == nano
    assert canonical_text(parse(text).nano, binary=binary) == text


@given(texts, texts)
def test_order_is_the_order_of_the_exact_amounts(left: str, right: str) -> None:
    a, b = parse(left), parse(right)
    exact_a, exact_b = Fraction(a.nano, NANO), Fraction(b.nano, NANO)
    assert (a < b, a <= b, a == b, a >= b, a > b) == (
        exact_a < exact_b,
        exact_a <= exact_b,
        exact_a == exact_b,
        exact_a >= exact_b,
        exact_a > exact_b,
    )


@given(st.builds("{}.{}".format, digits.filter(len), digits))
def test_a_decimal_is_rounded_away_from_zero_by_less_than_a_nano(text: str) -> None:
    exact = Fraction(text if not text.endswith(".") else text[:-1]) * NANO
    assert 0 <= parse(text).nano - exact < 1
    assert parse("-" + text).nano == -parse(text).nano


@given(st.text() | st.text("0123456789.+-eEinumkKMGTP ", max_size=80))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        quantity = parse(text)
    except QuantityError as refused:
        str(refused).encode()
    else:
        assert quantity.text == text
        assert parse(quantity.text) == quantity


@given(st.sampled_from(["cpu", "memory", "ephemeral-storage"]), texts)
def test_what_was_probably_meant_is_itself_above_suspicion(resource: str, text: str) -> None:
    found = suspicion(resource, text)
    if found is not None and found.meant is not None:
        assert suspicion(resource, found.meant) is None


HOSTILE = """
from plimsoll.policy.quantity import QuantityError, parse, parse_json_value, parse_strict
million = 10**6
for text in (
    "1e2147483648", "1e-2147483647", "1e" + "9" * million, "0" * million, "9" * million + "Ei", "." * million,
    "+" * million, "1" + "e" * million, "1" + "K" * 62 + "!", "1" * 62 + "!",
    "." + "1" * 60 + "!!", " " * million + "x",
    "1E-" + "0" * 50 + "1", "\\u2003" * million, 10 ** (10**5),
):
    for read in (parse, parse_strict, parse_json_value) if isinstance(text, str) else (parse_json_value,):
        try:
            read(text)
        except QuantityError as refused:
            assert len(str(refused)) < 600, len(str(refused))
print(parse.cache_info().currsize)
"""


def test_hostile_texts_are_answered_at_once_and_never_cached() -> None:
    answered = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, timeout=20, check=False)
    assert answered.stderr == ""
    assert answered.stdout.strip() == "1"  # the one that is legal: an exponent with leading zeros
