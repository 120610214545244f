"""How the server prints quantities and squeezes them into machine integers, which only predictions follow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plimsoll.policy.quantity import Quantity, parse
from plimsoll.policy.server_quantity import Amount, milli_units, server_text, whole_units

LOWEST = -(2**63)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0", "0"),
        ("0e3", "0"),
        ("1.5Gi", "1536Mi"),
        ("1000m", "1"),
        ("2e3", "2e3"),
        ("2.5E3", "2500"),
        ("15e8", "1500e6"),
        ("5e-1", "500e-3"),
        ("2e0", "2e0"),
        ("1.500", "1.500"),
        ("1.000", "1"),
        ("1.5e1", "1.5e1"),
        ("+05k", "+05k"),
        ("0.005", "5m"),
        ("+1Mi", "+1Mi"),
        ("+8Mi", "8Mi"),
        ("+12345678Mi", "+12345678Mi"),
        ("+123456781Mi", "123456781Mi"),
        ("+1234567890123456789", "1234567890123456789"),
        ("9Pi", "9Pi"),
        ("1E", "1E"),
        ("1E3", "1E3"),  # as written, because it looks canonical
        ("1000E3", "1e6"),
        (".5e0", "500e-3"),
        ("-1e3", "-1e3"),
        ("0.1Gi", "107374182400m"),
    ],
)
def test_it_prints_what_looks_canonical_as_written_and_keeps_exponents(text: str, printed: str) -> None:
    assert server_text(parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "whole", "milli"),
    [
        ("0", 0, 0),
        ("1500m", 2, 1500),
        ("1.5", 2, 1500),
        ("-1500m", -2, -1500),
        ("1Ki", 1024, 1024000),
        ("9223372036854775807", 2**63 - 1, -1000),  # as milli it wraps
        ("9223372036854775808", LOWEST, 0),
        ("-9223372036854775809", 2**63 - 1, -1000),
        ("18446744073709551616", 0, 0),
        ("10E", 0, 0),  # 18 zeros are multiplied one by one, and the overflow is noticed
        ("10000P", 0, 0),
        ("20000000000G", 1553255926290448384, 0),  # 9 zeros at once, and nobody notices; 12 one by one
        ("1e25", 0, 0),
        ("8Ei", 2**63 - 1, -1000),  # capped when it was parsed
    ],
)
def test_it_squeezes_amounts_into_64_bits(text: str, whole: int, milli: int) -> None:
    assert (whole_units(parse(text)), milli_units(parse(text))) == (whole, milli)


@given(st.integers(0, 2**63 - 1), st.sampled_from(["", "Ki", "m", "k"]))
def test_what_fits_is_exact(number: int, suffix: str) -> None:
    quantity = parse(f"{number % 10**12}{suffix}")
    assert whole_units(quantity) == -(-quantity.nano // 10**9)


class TestSums:
    def add(self, *texts: str) -> Quantity:
        amounts = [Amount(parse(text).nano, parse(text)) for text in texts]
        return sum(amounts[1:], amounts[0]).quantity

    @pytest.mark.parametrize(
        ("texts", "text"),
        [
            (["1.50"], "1.50"),
            (["1", "1Ki"], "1025"),
            (["1Ki", "1"], "1.0009765625Ki"),
            (["0", "0", "1Ki"], "1Ki"),
            (["0Ki", "1k"], "1k"),
            (["1e3", "1e3"], "2e3"),
            (["1e3", "-1e3"], "0"),
            (["1Ki", "-1Ki"], "0"),
            (["2e0", "0"], "2"),
            (["0", "2e0"], "2"),
            (["-1Ki", "1"], "-0.9990234375Ki"),
        ],
    )
    def test_the_first_amount_decides_how_it_is_written(self, texts: list[str], text: str) -> None:
        assert self.add(*texts).text == text

    @given(st.lists(st.sampled_from(["0", "1", "1Ki", "1500m", "1e3", "0.1Gi", "3Mi"]), min_size=1, max_size=5))
    def test_its_text_is_its_amount(self, texts: list[str]) -> None:
        total = self.add(*texts)
        assert total.nano == sum(parse(text).nano for text in texts)
        assert parse(total.text) == total

    def test_an_amount_can_stand_beside_a_plain_number(self) -> None:
        assert (0 + Amount(5, parse("5n"))).quantity == parse("5n")
        assert (Amount(5, parse("5n")) + 1).quantity == parse("6n")


def test_a_text_of_no_grammar_is_no_hindrance() -> None:
    """Quantities can be made without parsing."""
    assert server_text(Quantity(10**9, "one")) == "1"
    assert whole_units(Quantity(2**63 * 10**9, "one")) == LOWEST
