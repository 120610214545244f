"""What a scalar means, where the test against Kubernetes' own reader (control_plane) cannot run."""

import json

import pytest
from plimsoll.schemas.scalars import CACHED_LENGTH, key_text, plain_value, tagged_value

PLAIN = [
    ("", None),
    ("~", None),
    ("null", None),
    ("yes", True),
    ("on", True),
    ("y", True),
    ("off", False),
    ("N", False),
    ("tRUE", "tRUE"),
    ("010", 8),
    ("0o17", 15),
    ("0x10", 16),
    ("0b11", 3),
    ("-0b11", -3),
    ("1_000", 1000),
    ("_1", "_1"),
    ("08", 8),
    ("0", 0),
    ("1e3", 1000),
    ("1E", "1E"),
    (".5", 0.5),
    (".5_0", 0.5),
    ("._5", "._5"),
    ("1.10", 1.1),
    ("1.0", 1),
    ("1:30", "1:30"),
    ("2026-12-01", "2026-12-01"),
    ("2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ("18446744073709551615", 2**64 - 1),
    ("18446744073709551616", 18446744073709552000),
    ("-9223372036854775808", -(2**63)),
    ("-9223372036854775809", -9223372036854776000),
    ("1e21", 1e21),
    ("1e400", "1e400"),
    ("-", "-"),
    (".", "."),
    ("128Mi", "128Mi"),
    ("text", "text"),
]


@pytest.mark.parametrize(("text", "value"), PLAIN)
def test_a_plain_scalar_means_what_it_means_to_kubernetes(text: str, value: object) -> None:
    assert json.dumps(plain_value(text)) == json.dumps(value)


@pytest.mark.parametrize(
    ("before", "repeated", "value"), [("", "9", None), ("", "0", 0), ("0x", "f", None), ("1", "_", 1), ("0", "7", None)]
)
def test_a_number_of_a_million_digits_is_answered(before: str, repeated: str, value: object) -> None:
    digits = before + repeated * 1_000_000
    assert len(digits) > CACHED_LENGTH
    assert plain_value(digits) == (digits if value is None else value)


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".nan", "+.INF"])
def test_a_number_that_json_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="in quotes it is text"):
        plain_value(text)


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("tag:yaml.org,2002:str", "010", "010"),
        ("tag:yaml.org,2002:int", "010", 8),
        ("tag:yaml.org,2002:float", "3", 3),
        ("tag:yaml.org,2002:float", "0.5", 0.5),
        ("tag:yaml.org,2002:bool", "yes", True),
        ("tag:yaml.org,2002:null", "", None),
        ("tag:yaml.org,2002:binary", "aGk=", "hi"),
        ("!mine", "010", "010"),
    ],
)
def test_a_tag_decides_what_a_scalar_is(tag: str, text: str, value: object) -> None:
    assert tagged_value(tag, text) == value


@pytest.mark.parametrize(
    ("tag", "text"), [("int", "x"), ("int", "true"), ("float", "x"), ("bool", "1"), ("null", "x"), ("int", "1.5")]
)
def test_a_tag_that_is_not_true_is_refused(tag: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"!!{tag}"):
        tagged_value(f"tag:yaml.org,2002:{tag}", text)


@pytest.mark.parametrize("text", ["*", "/w=="])
def test_binary_that_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        tagged_value("tag:yaml.org,2002:binary", text)


@pytest.mark.parametrize(
    ("key", "text"), [("a", "a"), (True, "true"), (False, "false"), (8, "8"), (1.5, "1.5"), (2**64, str(2**64))]
)
def test_a_key_is_text_in_the_end(key: object, text: str) -> None:
    assert key_text(key) == text


@pytest.mark.parametrize(("key", "found"), [(None, "nothing"), ({}, "a map"), ([], "a list")])
def test_what_cannot_be_a_key_is_refused(key: object, found: str) -> None:
    with pytest.raises(ValueError, match=f"{found} is used as a key"):
        key_text(key)
