"""Each check by itself: what passes, what is found, what would be accepted, and which of two findings is worse."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plimsoll.policy.checks import CHECKS, SUFFIXES, Check, Found, Pair, checks_for, is_content, out_of_order
from plimsoll.policy.model import Bounds
from plimsoll.policy.outcome import Side
from plimsoll.policy.quantity import NANO, Quantity, parse

BY_SUFFIX = {check.suffix: check for check in CHECKS}


def amount(text: str) -> Quantity | None:
    return parse(text) if text else None


def pair(text: str) -> Pair:
    """`256Mi 1Gi` is request and limit, `-` is none; `+` after it: something else stands in for it."""
    request, limit = (each.removesuffix("+").replace("-", "") for each in text.split())
    first, second = text.split()
    return Pair(
        amount(request),
        amount(limit),
        request_given=bool(request) or first.endswith("+"),
        limit_given=bool(limit) or second.endswith("+"),
    )


def found(check: Check, bounds: Bounds, text: str) -> str:
    """`64Mi, at least 128Mi`, or nothing."""
    answer = check.judge(bounds, pair(text))
    return "" if answer is None else f"{answer.found or 'missing'}, {answer.allowed}"


REQUIRED = Bounds("memory", request_required=True, limit_required=True)
FORBIDDEN = Bounds("memory", request_forbidden=True, limit_forbidden=True)
BOUNDED = Bounds("memory", min=parse("128Mi"), max=parse("1Gi"))
RATIO = Bounds("memory", ratio=parse("1.5"))
EQUAL = Bounds("memory", equal=True)


@pytest.mark.parametrize(
    ("suffix", "bounds", "amounts", "expected"),
    [
        ("limit.required", REQUIRED, "- 1Gi", ""),
        ("limit.required", REQUIRED, "1Gi -", "missing, required"),
        ("limit.required", REQUIRED, "- -+", ""),
        ("request.required", REQUIRED, "1Gi -", ""),
        ("request.required", REQUIRED, "0 -", ""),
        ("request.required", REQUIRED, "- 1Gi", "missing, required"),
        ("request.required", REQUIRED, "-+ -", ""),
        ("limit.forbidden", FORBIDDEN, "1Gi -", ""),
        ("limit.forbidden", FORBIDDEN, "- 1Gi", "1Gi, not allowed"),
        ("request.forbidden", FORBIDDEN, "- 1Gi", ""),
        ("request.forbidden", FORBIDDEN, "0 -", "0, not allowed"),
        ("limit.max", BOUNDED, "- 1Gi", ""),
        ("limit.max", BOUNDED, "- 1024Mi", ""),
        ("limit.max", BOUNDED, "- 1073741825", "1073741825, at most 1Gi"),
        ("limit.max", BOUNDED, "2Gi -", ""),
        ("request.max", BOUNDED, "2Gi 1Gi", "2Gi, at most 1Gi"),
        ("request.max", BOUNDED, "- 2Gi", ""),
        ("limit.min", BOUNDED, "- 128Mi", ""),
        ("limit.min", BOUNDED, "- 127Mi", "127Mi, at least 128Mi"),
        ("limit.min", BOUNDED, "1 -", ""),
        ("request.min", BOUNDED, "0 -", "0, at least 128Mi"),
        ("request.min", BOUNDED, "- 1", ""),
        ("ratio", RATIO, "2 3", ""),
        ("ratio", RATIO, "2000m 3k", "3k limit to 2000m request, a limit of at most 1500m times the request"),
        ("ratio", RATIO, "0 0", ""),
        ("ratio", RATIO, "0 1", "1 limit to 0 request, a limit of at most 1500m times the request"),
        ("ratio", RATIO, "- 1", ""),
        ("ratio", RATIO, "1 -", ""),
        ("equal", EQUAL, "1Gi 1024Mi", ""),
        ("equal", EQUAL, "- -", ""),
        ("equal", EQUAL, "1Gi 2Gi", "2Gi limit and 1Gi request, a request equal to the limit"),
        ("equal", EQUAL, "1Gi -", "no limit and 1Gi request, a request equal to the limit"),
        ("equal", EQUAL, "- 1Gi", "1Gi limit and no request, a request equal to the limit"),
        ("equal", EQUAL, "1Gi -+", ""),  # the pod as a whole has the other side
        ("equal", EQUAL, "-+ 1Gi", ""),
    ],
)
def test_a_check_says_what_it_found_and_what_it_allows(
    suffix: str, bounds: Bounds, amounts: str, expected: str
) -> None:
    assert found(BY_SUFFIX[suffix], bounds, amounts) == expected


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.suffix)
@pytest.mark.parametrize("amounts", ["- -", "1Gi -", "- 1Gi", "2Gi 1Gi", "0 0"])
def test_a_check_that_is_off_finds_nothing(check: Check, amounts: str) -> None:
    if check.needs in ("min", "max", "ratio"):
        assert found(check, Bounds("memory"), amounts) == ""
    assert check not in checks_for(Bounds("memory").judged)


def test_the_checks_that_are_on_come_in_their_order() -> None:
    bounds = Bounds("memory", max=parse("1Gi"), min=parse("1Mi"), limit_required=True, equal=True)
    suffixes = [check.suffix for check in checks_for(bounds.judged)]
    assert suffixes == ["limit.required", "limit.max", "request.max", "limit.min", "request.min", "equal"]


@pytest.mark.parametrize(
    ("suffix", "bounds", "better", "worse"),
    [
        ("limit.max", BOUNDED, "- 2Gi", "- 3Gi"),
        ("limit.min", BOUNDED, "- 64Mi", "- 1Mi"),
        ("request.max", BOUNDED, "2Gi -", "2147483649 -"),
        ("ratio", RATIO, "1Gi 2Gi", "1Gi 3Gi"),
        ("ratio", RATIO, "1Gi 9Ei", "0 1"),  # of nothing, any limit is infinitely many times more
        ("equal", EQUAL, "1Gi 2Gi", "1Gi 3Gi"),
        ("equal", EQUAL, "1Gi -", "2Gi -"),
        ("equal", EQUAL, "- 1Gi", "1Gi 3Gi"),
    ],
)
def test_what_is_further_out_is_worse(suffix: str, bounds: Bounds, better: str, worse: str) -> None:
    one, other = (BY_SUFFIX[suffix].judge(bounds, pair(text)) for text in (better, worse))
    assert one is not None
    assert other is not None
    assert one.excess < other.excess


@pytest.mark.parametrize("suffix", ["limit.required", "request.required"])
def test_missing_is_never_worse_than_missing(suffix: str) -> None:
    answer = BY_SUFFIX[suffix].judge(REQUIRED, pair("- -"))
    assert answer is not None
    assert answer.excess == 1


def test_a_request_above_its_limit_is_out_of_order() -> None:
    assert out_of_order(parse("2Gi"), parse("1Gi")) == Found(
        None, "2Gi request above the 1Gi limit", "a request of at most the limit", Fraction(2**30 * NANO)
    )


def test_a_finding_says_which_side_it_is_about() -> None:
    sides = {check.suffix: check.suffix.partition(".")[0] for check in CHECKS if "." in check.suffix}
    everything = Bounds(
        "memory",
        request_required=True,
        limit_required=True,
        request_forbidden=True,
        limit_forbidden=True,
        min=parse("2Gi"),
        max=parse("1Gi"),
    )
    for suffix, side in sides.items():
        answers = [BY_SUFFIX[suffix].judge(everything, pair(text)) for text in ("- -", "3Gi 3Gi", "1 1")]
        assert {answer.side for answer in answers if answer is not None} == {Side(side)}


AMOUNTS = st.none() | st.sampled_from([parse(text) for text in ("0", "1Mi", "64Mi", "128Mi", "1Gi", "2Gi")])


@given(
    AMOUNTS,
    AMOUNTS,
    st.builds(
        Bounds,
        st.sampled_from(["memory", "nvidia.com/gpu"]),
        *[st.booleans()] * 4,
        st.none(),
        st.none(),
        AMOUNTS,
        AMOUNTS,
        st.none() | st.sampled_from([parse("1"), parse("1.5"), parse("8")]),
        st.booleans(),
    ),
)
def test_where_bounds_are_content_no_check_finds_anything(
    request: Quantity | None, limit: Quantity | None, bounds: Bounds
) -> None:
    both = Pair(request, limit, request_given=request is not None, limit_given=limit is not None)
    findings = [check.suffix for check in checks_for(bounds.judged) if check.judge(bounds, both) is not None]
    assert not (is_content(bounds, request, limit) and findings)
    if not findings and None not in (request, limit):
        assert is_content(bounds, request, limit)


def test_every_suffix_is_known() -> None:
    assert set(BY_SUFFIX) | {"order"} == SUFFIXES
