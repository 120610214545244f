"""Our reading of YAML against sigs.k8s.io/yaml, with which kubectl and the API server read: the same documents, the
same JSON.

Where we differ on purpose is in the table of exceptions below, and nowhere else.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plimsoll.schemas.yaml import Document, read_documents

from tests.control_plane.parity_program import answers, parity_or_skip

SEED = 1876
GENERATED = 20_000
ALPHABET = "0123456789+-._eExobnyYNTFa:~ "
REPOSITORY = Path(__file__).resolve().parents[2]

SCALARS = """
010 0o17 0x10 0b11 -0b11 1_000 1__0 0_1 _1 1e3 1E3 1E 1e+3 12e03 1. 1.5 1.10 .5 -.5 +.5 .5_0 ._5 . - + 0 00 08 -0 -0.0
0x 0xfg 0o8 1:30 12:30:45 18446744073709551615 18446744073709551616 -9223372036854775808 -9223372036854775809
+18446744073709551615 123456789012345678901 1e20 1e21 1e22 1e400 1e-400 1e-7 0.1 100m 128Mi 1Gi 1K yes no on off y n Y N
Yes YES true True TRUE tRUE false ~ null Null NULL 2026-12-01 2026-12-01T00:00:00Z "x" '1' "010" '~'
"""

STRUCTURES = (
    "a: 1 # c",
    "# c\na: 1",
    "%YAML 1.1\n---\na: 1",
    "--- {a: 1}",
    "--- # c\na: 1",
    "a: |\n  x\n  y\nb: >-\n  x\n  y",
    'a: "x\n  y"',
    "a: 'it''s'",
    'a: "\\x41\\0\\u00e9"',
    "- 1\n- - 2\n  - 3",
    "a: [1, 2, {b: c}, ]",
    'a: {b, c: , "d"}',
    "a:\nb:",
    "a: b: c",
    "a:\n\t- b",
    "a: [",
    "a: é",
    "\ufeffa: 1",
    "? [a]\n: 1",
    "? {a: 1}\n: 1",
    "~: 1",
    "a: 1\n? b\n: 2",
    "b: &x {p: 1, q: 2}\nc:\n  p: 9\n  <<: *x",
    "b: &x {p: 1}\nc:\n  <<: *x\n  p: 9",
    "b: &x {p: 1}\nd: &y {p: 2, r: 3}\nc:\n  <<: [*x, *y]",
    "a: {<<: {b: 1}, b: 2}",
    "<<: {a: 1}\n<<: {b: 2}",
    "<<: 1",
    '"<<": {a: 1}',
    "a: <<",
    "a: !!merge <<",
    "a: &a [*a]",
    "a: *b",
    "a: &a 1\nb: &a 2\nc: *a",
    "a: &a {x: &a 1, y: *a}\nb: *a",
    "&k a: 1\nb: {*k : 2}",
    "a: &x\nb: *x",
    "&x a",
    "a: !!str 010",
    "a: !!str",
    'a: !!int "1"',
    "a: !!int x",
    "a: !!float 3",
    "a: !!bool yes",
    'a: !!null ""',
    "a: !!binary aGk=",
    "a: !!timestamp 2026-01-01",
    "a: ! 12",
    "a: !mine 1",
    "!!map {a: 1}",
    "!!set {a, b}",
    "a: !!seq [1]",
    "yes: 1",
    "010: 1",
    "1: 2",
)

STRICTER = (
    ("a: 1\na: 2", "the last of two equal keys would win"),
    ("&k a: 1\n*k : 2", "the same by an alias"),
    ("on: 1\nyes: 2", "the same by what they mean"),
    (".inf: 1", "a key that is no number of JSON"),
)
LOOSER = (
    ("18446744073709551615: 1", "Go has no text for a key of this size"),
    ('a: "\\/"', "JSON may escape a slash, so it is read"),
    ("a: !!timestamp x", "what is no time stays text"),
)


@pytest.fixture(scope="module")
def parity() -> Path:
    return parity_or_skip()


def test_scalars_mean_the_same_wherever_they_stand(parity: Path) -> None:
    texts: list[str] = []
    for scalar in (*SCALARS.split(), *generated_scalars()):
        texts += (f"a: {scalar}", f"- {scalar}", f"[{scalar}, b]")
    agree(parity, texts)


def test_structures_mean_the_same(parity: Path) -> None:
    agree(parity, STRUCTURES)


def test_the_yaml_files_of_this_repository_mean_the_same(parity: Path) -> None:
    files = [*REPOSITORY.glob("deploy/**/*.yaml"), *REPOSITORY.glob("tests/cases/**/*.yaml")]
    texts = [part for file in files for part in file.read_text().split("\n---\n")]
    agree(parity, texts)
    assert len(texts) > 100


def test_the_exceptions_are_the_ones_that_are_written_down(parity: Path) -> None:
    theirs = kubernetes(parity, [text for text, _ in (*STRICTER, *LOOSER)])
    for (text, why), said in zip(STRICTER, theirs, strict=False):
        assert said != "refused", (text, why)
        assert ours(text) == "refused", (text, why)
    for (text, why), said in zip(LOOSER, theirs[len(STRICTER) :], strict=True):
        assert said == "refused", (text, why)
        assert ours(text) != "refused", (text, why)


def agree(parity: Path, texts: Any) -> None:
    """Fails with the first few documents that are read differently."""
    texts = list(dict.fromkeys(texts))
    theirs = kubernetes(parity, texts)
    different = [(text, mine, said) for text, said in zip(texts, theirs, strict=True) if (mine := ours(text)) != said]
    assert not different, f"{len(different)} of {len(texts)} differ, such as {different[:5]}"
    accepted = sum(said != "refused" for said in theirs)
    assert accepted > len(texts) / 2
    print(f"{len(texts):,} documents agree with sigs.k8s.io/yaml; {accepted:,} are YAML")


def kubernetes(parity: Path, texts: list[str]) -> list[Any]:
    said = answers(parity, "yaml", (json.dumps({"text": text}) for text in texts))
    return [canonical(answer["json"]) if "json" in answer else "refused" for answer in said]


def ours(text: str) -> Any:
    found = list(read_documents(text, "text"))
    if not found:
        return canonical("null")
    return canonical(found[0].json) if isinstance(found[0], Document) else "refused"


def canonical(text: str | bytes) -> str:
    """One text for one value; floats keep their digits, so that 1 and 1.0 stay apart."""
    return json.dumps(json.loads(text), sort_keys=True)


def generated_scalars() -> Iterator[str]:
    chance = random.Random(SEED)
    for _ in range(GENERATED):
        text = "".join(chance.choices(ALPHABET, k=chance.randint(1, 9))).strip()
        # Colons and dashes with space make structures, which are not the question here.
        if text and ": " not in text and not text.endswith(":") and not text.startswith(("- ", "-\n")) and text != "-":
            yield text
