"""Globs, image names and label selectors: what a matcher means by what it says."""

from __future__ import annotations

import pytest
from plimsoll.policy.matching import MAX_REMEMBERED, Globs, ImageGlobs, LabelSelector, Requirement, image_names


@pytest.mark.parametrize(
    ("globs", "text", "matches"),
    [
        (["app"], "app", True),
        (["app"], "apps", False),
        (["app"], "my-app", False),
        (["app"], "App", False),
        (["app", "web"], "web", True),
        (["*"], "", True),
        (["*"], "any/thing\nat all", True),
        (["*/istio/proxyv2*"], "docker.io/istio/proxyv2:1.27", True),
        (["*/istio/proxyv2*"], "istio/proxyv2", False),
        (["logging-*"], "logging-", True),
        (["logging-*"], "logging", False),
        (["we?"], "web", True),
        (["we?"], "we", False),
        (["we?"], "webs", False),
        (["a", "b*", "?c"], "xc", True),
        (["a", "b*", "?c"], "bee", True),
        (["a", "b*", "?c"], "d", False),
        (["[ab]*"], "a1", False),  # only * and ? are special
        (["[ab]*"], "[ab]1", True),
        (["[!a]?"], "[!a]b", True),
        (["a.c?"], "abcd", False),
        (["a+*"], "aa", False),
        (["*a*"], "\udc00a", True),
        ([], "", False),
        ([], "anything", False),
    ],
)
def test_a_glob_matches_the_whole_text(globs: list[str], text: str, matches: bool) -> None:
    compiled = Globs.of(globs)
    assert compiled.match(text) is matches
    assert compiled.written == tuple(globs)


def test_a_glob_of_many_stars_does_not_backtrack() -> None:
    """It would take until the end of the world otherwise."""
    assert not Globs.of(["*a" * 30]).match("a" * 29 + "b" * 100_000)


@pytest.mark.parametrize(
    ("image", "names"),
    [
        ("nginx", {"nginx", "docker.io/library/nginx"}),
        ("nginx:1.29", {"nginx:1.29", "nginx", "docker.io/library/nginx:1.29", "docker.io/library/nginx"}),
        ("istio/proxyv2", {"istio/proxyv2", "docker.io/istio/proxyv2"}),
        ("docker.io/nginx", {"docker.io/nginx", "docker.io/library/nginx"}),
        ("docker.io/istio/proxyv2", {"docker.io/istio/proxyv2"}),
        ("index.docker.io/library/nginx", {"index.docker.io/library/nginx", "docker.io/library/nginx"}),
        ("quay.io/team/app:1", {"quay.io/team/app:1", "quay.io/team/app"}),
        ("Quay.IO/team/app", {"Quay.IO/team/app", "quay.io/team/app"}),
        ("localhost/app", {"localhost/app"}),
        ("registry:5000/app", {"registry:5000/app"}),
        ("registry:5000/app:1", {"registry:5000/app:1", "registry:5000/app"}),
        ("EVIL/nginx", {"EVIL/nginx", "evil/nginx"}),  # a registry by the grammar: no folder of Docker's has capitals
        (
            "nginx@sha256:ab",
            {"nginx@sha256:ab", "nginx", "docker.io/library/nginx@sha256:ab", "docker.io/library/nginx"},
        ),
        (
            "quay.io/a/b:1@sha256:ab",
            {"quay.io/a/b:1@sha256:ab", "quay.io/a/b:1", "quay.io/a/b"},
        ),
        ("", {"", "docker.io/library/"}),
    ],
)
def test_an_image_goes_by_these_names(image: str, names: set[str]) -> None:
    assert set(image_names(image)) == names


def test_an_image_matches_by_any_of_its_names() -> None:
    official = ImageGlobs(Globs.of(["docker.io/library/*"]))
    assert official.match("nginx:1.29")
    assert official.match("docker.io/nginx")
    assert not official.match("EVIL/nginx")
    assert not official.match("quay.io/docker.io/library/nginx")
    assert ImageGlobs(Globs.of(["nginx"])).match("nginx:1.29@sha256:ab")


def test_an_image_of_any_length_has_names_and_only_short_ones_are_remembered() -> None:
    long = "a" * MAX_REMEMBERED + ":1"
    assert image_names(long) is not image_names(long)
    assert image_names(long) == image_names(long)
    assert image_names("nginx:2") is image_names("nginx:2")


@pytest.mark.parametrize(
    ("operator", "values", "labels", "matches"),
    [
        ("In", ["ops", "dev"], {"tier": "ops"}, True),
        ("In", ["ops", "dev"], {"tier": "shop"}, False),
        ("In", ["ops"], {}, False),
        ("In", [""], {}, False),
        ("In", [""], {"tier": ""}, True),
        ("NotIn", ["ops"], {"tier": "shop"}, True),
        ("NotIn", ["ops"], {"tier": "ops"}, False),
        ("NotIn", ["ops"], {}, True),
        ("Exists", [], {"tier": ""}, True),
        ("Exists", [], {"other": "x"}, False),
        ("DoesNotExist", [], {"other": "x"}, True),
        ("DoesNotExist", [], {"tier": ""}, False),
    ],
)
def test_a_requirement_means_what_it_means_in_kubernetes(
    operator: str, values: list[str], labels: dict[str, str], matches: bool
) -> None:
    assert Requirement("tier", operator, frozenset(values)).match(labels) is matches


def test_all_requirements_of_a_selector_must_hold_and_none_match_everything() -> None:
    both = LabelSelector(
        (Requirement("tier", "In", frozenset({"ops"})), Requirement("old", "DoesNotExist", frozenset()))
    )
    assert both.match({"tier": "ops"})
    assert not both.match({"tier": "ops", "old": ""})
    assert not both.match({})
    assert LabelSelector(()).match({})
