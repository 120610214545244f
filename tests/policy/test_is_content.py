"""The short word of the checks about a container is never better than what they say one by one."""

from hypothesis import example, given
from hypothesis import strategies as st
from plimsoll.policy.checks import Pair, checks_for, is_content
from plimsoll.policy.model import Bounds
from plimsoll.policy.quantity import Quantity, parse

AMOUNTS = [parse(text) for text in ("0", "16Mi", "64Mi", "128Mi", "256Mi", "1Gi")]
AMOUNT = st.sampled_from([None, *AMOUNTS])
BOUNDS = st.builds(
    Bounds,
    st.just("memory"),
    request_required=st.booleans(),
    limit_required=st.booleans(),
    request_forbidden=st.booleans(),
    limit_forbidden=st.booleans(),
    min=AMOUNT,
    max=AMOUNT,
    ratio=st.sampled_from([None, parse("1"), parse("1500m"), parse("4")]),
    equal=st.booleans(),
)


def finds_something(bounds: Bounds, request: Quantity | None, limit: Quantity | None) -> bool:
    pair = Pair(request, limit, request_given=request is not None, limit_given=limit is not None)
    return any(check.judge(bounds, pair) is not None for check in checks_for(bounds.judged))


@given(BOUNDS, AMOUNT, AMOUNT)
@example(Bounds("memory", request_required=True, limit_required=True, min=AMOUNTS[1], max=AMOUNTS[5]), *AMOUNTS[2:4])
def test_who_is_called_content_is_found_nothing_wrong_with(
    bounds: Bounds, request: Quantity | None, limit: Quantity | None
) -> None:
    content = is_content(bounds, request, limit)

    assert content is not finds_something(bounds, request, limit) or (bounds.equal and limit is None and not content)
