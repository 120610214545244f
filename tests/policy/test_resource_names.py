"""Names of resources: which are native, which extended, and what the server says to the others."""

import pytest
from plimsoll.policy.resource_names import (
    container_resource_problems,
    is_extended,
    is_native,
    is_whole,
    may_overcommit,
    plain_name,
    pod_resource_problems,
    qualified_name_problems,
    resource_problems,
)

LONG = "a" * 64


@pytest.mark.parametrize(
    ("name", "native", "extended", "overcommits", "whole"),
    [
        ("cpu", True, False, True, False),
        ("pods", True, False, True, True),
        ("hugepages-2Mi", True, False, False, False),
        ("nvidia.com/gpu", False, True, False, True),
        ("kubernetes.io/batch-cpu", True, False, True, False),
        ("foo.kubernetes.io/bar", True, False, True, False),
        ("requests.nvidia.com/gpu", False, False, False, False),
        ("Upper.com/gpu", False, False, False, False),
    ],
)
def test_kinds_of_resources(name: str, native: bool, extended: bool, overcommits: bool, whole: bool) -> None:
    assert (is_native(name), is_extended(name), may_overcommit(name), is_whole(name)) == (
        native,
        extended,
        overcommits,
        whole,
    )


@pytest.mark.parametrize(
    "name", ["cpu", "a", "A.b_c-d", "example.com/A", "a-b.c/d", "requests.cpu", LONG[:63], "a.a/" + LONG[:63]]
)
def test_a_legal_name_has_no_problem(name: str) -> None:
    assert qualified_name_problems(name) == ()
    assert plain_name(name) == name


@pytest.mark.parametrize(
    ("name", "beginnings"),
    [
        ("", ["name part must be non-empty", "name part must consist of"]),
        ("a/", ["name part must be non-empty", "name part must consist of"]),
        ("/a", ["prefix part must be non-empty"]),
        ("a/b/c", ["a valid label key must consist of"]),
        (LONG, ["name part must be no more than 63 bytes"]),
        ("é" * 32, ["name part must be no more than 63 bytes", "name part must consist of"]),
        ("-a", ["name part must consist of"]),
        ("a\n", ["name part must consist of"]),
        ("A.com/a", ["prefix part a lowercase RFC 1123 subdomain must consist of"]),
        ("a." * 127 + "aa/b", ["prefix part must be no more than 253 bytes"]),
        ("a b/c d", ["prefix part a lowercase RFC 1123 subdomain", "name part must consist of"]),
    ],
)
def test_an_illegal_name_is_explained(name: str, beginnings: list[str]) -> None:
    found = qualified_name_problems(name)
    assert len(found) == len(beginnings)
    assert all(text.startswith(start) for text, start in zip(found, beginnings, strict=True))


@pytest.mark.parametrize("name", ["cpu", "ephemeral-storage", "hugepages-1Gi", "nvidia.com/gpu", "kubernetes.io/x"])
def test_what_a_container_may_ask_for(name: str) -> None:
    assert container_resource_problems(name) == ()


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("gpu", ["must be a standard resource type or fully qualified", "must be a standard resource for containers"]),
        ("storage", ["must be a standard resource for containers"]),
        ("requests.cpu", ["must be a standard resource for containers"]),
        ("requests.hugepages-2Mi", ["must be a standard resource for containers"]),
        ("limits.example.com/x", []),
        ("requests.example.com/x", ["doesn't follow extended resource name standard"]),
    ],
)
def test_what_it_may_not_is_said(name: str, details: list[str]) -> None:
    assert container_resource_problems(name) == tuple(f'Invalid value: "{name}": {detail}' for detail in details)


def test_an_illegal_extended_name_has_both_faults() -> None:
    assert len(container_resource_problems("Upper.com/gpu")) == 2


@pytest.mark.parametrize("name", ["cpu", "memory", "hugepages-2Mi"])
def test_what_a_pod_itself_may_ask_for(name: str) -> None:
    assert pod_resource_problems(name) == ()


@pytest.mark.parametrize("name", ["storage", "requests.hugepages-2Mi", "limits.memory", "services.nodeports", "a.b/c"])
def test_a_name_is_known_elsewhere_in_the_api(name: str) -> None:
    assert resource_problems(name) == ()
    assert pod_resource_problems(name)[0].startswith("Unsupported value: ")


def test_a_hostile_name_is_shown_short_and_printable() -> None:
    assert plain_name("\x1b[31m" + "x" * 1000).isprintable()
    assert len(plain_name("/" * 10_000)) < 50
