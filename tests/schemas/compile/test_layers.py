"""``containers`` ← class ← override: field by field, resource by resource; lists replace, ``none`` removes."""

import pytest
from plimsoll.policy.model import Bounds
from plimsoll.policy.quantity import Quantity
from plimsoll.policy.workload import ContainerClass

from tests.schemas.compile.documents import bounds, of_class, policy, policy_text, said

REGULAR, INIT, SIDECAR = ContainerClass.REGULAR, ContainerClass.INIT, ContainerClass.SIDECAR

EVERYTHING = """
containers:
  required: {requests: [cpu, memory], limits: [memory]}
  forbidden: {limits: [cpu]}
  default: {memory: 256Mi}
  defaultRequest: {cpu: 50m, memory: 128Mi}
  min: {memory: 16Mi}
  max: {memory: 4Gi}
  maxLimitRequestRatio: {memory: "4"}
  equal: [ephemeral-storage]
  outOfRange: Clamp
"""


def text(amount: Quantity | None) -> str | None:
    return None if amount is None else amount.text


def summary(found: Bounds) -> dict[str, object]:
    """The fields that say something."""
    fields = {
        "required.requests": found.request_required,
        "required.limits": found.limit_required,
        "forbidden.requests": found.request_forbidden,
        "forbidden.limits": found.limit_forbidden,
        "defaultRequest": text(found.default_request),
        "default": text(found.default),
        "min": text(found.min),
        "max": text(found.max),
        "ratio": text(found.ratio),
        "equal": found.equal,
    }
    return {name: value for name, value in fields.items() if value}


MEMORY = {
    "required.requests": True,
    "required.limits": True,
    "defaultRequest": "128Mi",
    "default": "256Mi",
    "min": "16Mi",
    "max": "4Gi",
    "ratio": "4",
}


@pytest.mark.parametrize("container_class", [REGULAR, INIT, SIDECAR])
def test_every_field_reaches_every_class_that_says_nothing_itself(container_class: ContainerClass) -> None:
    found = policy(EVERYTHING + "initContainers: {}\nsidecarContainers:\n")
    rules = found.rules[container_class]
    assert rules.clamp
    assert [each.resource for each in rules.bounds] == ["cpu", "ephemeral-storage", "memory"]
    assert summary(bounds(rules, "memory")) == MEMORY
    assert summary(bounds(rules, "cpu")) == {
        "required.requests": True,
        "forbidden.limits": True,
        "defaultRequest": "50m",
    }
    assert summary(bounds(rules, "ephemeral-storage")) == {"equal": True}


OVERRIDDEN = [
    # what a class says, which resource, what differs for it from what it inherits
    ("max: {memory: 1Gi}", "memory", {"max": "1Gi"}),
    ("max: {cpu: 2}", "cpu", {"max": "2"}),
    ("default: {memory: 512Mi}", "memory", {"default": "512Mi"}),
    ("default: {memory: none}", "memory", {"default": None}),
    ("defaultRequest: {memory: none, cpu: 20m}", "memory", {"defaultRequest": None}),
    ("defaultRequest: {memory: none, cpu: 20m}", "cpu", {"defaultRequest": "20m"}),
    ("min: {memory: none}", "memory", {"min": None}),
    ("max: {memory: none}", "memory", {"max": None}),
    ("maxLimitRequestRatio: {memory: none}", "memory", {"ratio": None}),
    ("maxLimitRequestRatio: {memory: 8}", "memory", {"ratio": "8"}),
    ("max: {memory: none, cpu: none}", "cpu", {}),
    ("required: {requests: [memory]}", "cpu", {"required.requests": None}),
    ("required: {requests: [memory]}", "memory", {}),
    ("required: {requests: []}", "memory", {"required.requests": None}),
    ("required: {requests: []}", "memory", {"required.requests": None, "required.limits": True}),
    ("required: {limits: []}", "memory", {"required.limits": None}),
    ("required: {limits: ~}", "memory", {}),
    ("required: {}", "memory", {}),
    ("forbidden: {limits: []}", "cpu", {"forbidden.limits": None}),
    ("forbidden: {requests: [ephemeral-storage], limits: [ephemeral-storage]}", "cpu", {"forbidden.limits": None}),
    ("equal: []", "ephemeral-storage", {"equal": None}),
    ("equal: [cpu]\n  forbidden: {limits: []}", "cpu", {"equal": True, "forbidden.limits": None}),
    ("equal: [memory]\n  defaultRequest: {memory: none}", "memory", {"equal": True, "defaultRequest": None}),
]


@pytest.mark.parametrize(("says", "resource", "differs"), OVERRIDDEN)
@pytest.mark.parametrize(("field", "container_class"), [("initContainers", INIT), ("sidecarContainers", SIDECAR)])
def test_a_class_differs_only_where_it_says_so(
    field: str, container_class: ContainerClass, says: str, resource: str, differs: dict[str, object]
) -> None:
    found = policy(f"{EVERYTHING}{field}:\n  {says}\n")
    inherited = summary(of_class(found, REGULAR, resource))
    expected = {name: value for name, value in {**inherited, **differs}.items() if value}
    assert summary(of_class(found, container_class, resource)) == expected
    other = SIDECAR if container_class is INIT else INIT
    assert found.rules[other] == found.rules[REGULAR]


@pytest.mark.parametrize(("says", "resource", "differs"), OVERRIDDEN)
@pytest.mark.parametrize("container_class", [REGULAR, INIT, SIDECAR])
def test_an_override_differs_from_the_class_of_the_container_only_where_it_says_so(
    container_class: ContainerClass, says: str, resource: str, differs: dict[str, object]
) -> None:
    indented = says.replace("\n  ", "\n      ")
    found = policy(f"{EVERYTHING}overrides:\n  - match: {{}}\n    containers:\n      {indented}\n")
    inherited = summary(of_class(found, container_class, resource))
    expected = {name: value for name, value in {**inherited, **differs}.items() if value}
    assert summary(bounds(found.overrides[0].rules[container_class], resource)) == expected


def test_an_override_lies_over_the_class_and_the_class_over_containers() -> None:
    found = policy(
        """
        containers: {max: {memory: 4Gi}, min: {memory: 1Mi}, outOfRange: Clamp}
        initContainers: {max: {memory: 2Gi}, defaultRequest: {cpu: 10m}}
        overrides:
          - match: {containers: [big]}
            containers: {min: {memory: 2Mi}, outOfRange: Deny}
          - match: {}
            containers: {max: {memory: none}}
        """
    )
    first, second = found.overrides
    assert summary(bounds(first.rules[INIT], "memory")) == {"min": "2Mi", "max": "2Gi"}
    assert summary(bounds(first.rules[REGULAR], "memory")) == {"min": "2Mi", "max": "4Gi"}
    assert [first.rules[each].clamp for each in (REGULAR, INIT, SIDECAR)] == [False] * 3
    assert summary(bounds(first.rules[INIT], "cpu")) == {"defaultRequest": "10m"}
    assert summary(bounds(second.rules[INIT], "memory")) == {"min": "1Mi"}
    assert second.rules[SIDECAR].clamp


def test_none_that_removes_nothing_is_no_harm() -> None:
    assert policy("initContainers: {max: {memory: none}}").rules[INIT].bounds == ()


def test_out_of_range_is_deny_unless_told_otherwise() -> None:
    found = policy("containers: {max: {cpu: 1}}\nsidecarContainers: {outOfRange: Clamp}\n")
    assert [found.rules[each].clamp for each in (REGULAR, INIT, SIDECAR)] == [False, False, True]


def test_pod_totals_are_read_like_a_block_of_their_own() -> None:
    found = policy(
        """
        containers: {max: {memory: 1Gi}, outOfRange: Clamp}
        pod:
          required: {limits: [memory]}
          forbidden: {requests: [nvidia.com/gpu], limits: [nvidia.com/gpu]}
          min: {memory: 32Mi}
          max: {memory: 8Gi}
          maxLimitRequestRatio: {memory: 2}
          equal: [cpu]
        """
    )
    assert not found.pod.clamp
    assert [each.resource for each in found.pod.bounds] == ["cpu", "memory", "nvidia.com/gpu"]
    assert summary(bounds(found.pod, "memory")) == {
        "required.limits": True,
        "min": "32Mi",
        "max": "8Gi",
        "ratio": "2",
    }


def test_a_policy_without_rules_has_none() -> None:
    found = policy("mode: Audit")
    assert all(found.rules[each].bounds == () for each in (REGULAR, INIT, SIDECAR))
    assert found.pod.bounds == ()


ANY_RESOURCE = ["cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu", "example.kubernetes.io/thing"]


@pytest.mark.parametrize("resource", ANY_RESOURCE)
def test_any_resource_name_is_a_key(resource: str) -> None:
    found = policy(f"containers: {{required: {{limits: [{resource}]}}, default: {{{resource}: 2Mi}}}}")
    assert summary(of_class(found, REGULAR, resource)) == {"required.limits": True, "default": "2Mi"}


@pytest.mark.parametrize(
    ("written", "milli"), [("1", 1000), ("0.5", 500), ('"1500m"', 1500), ("010", 8000), ("1e3", 1_000_000)]
)
def test_amounts_may_be_numbers_as_kubernetes_reads_them(written: str, milli: int) -> None:
    found = of_class(policy(f"containers: {{max: {{cpu: {written}}}}}"), REGULAR, "cpu").max
    assert found is not None
    assert found.nano == milli * 10**6


AMOUNTS = [
    # field, resource, amount, what is said
    ("max", "cpu", "1K", '"1K" is not a quantity: "K" is no suffix, k (1000) or Ki (1024) is; accepted is a number'),
    ("max", "cpu", '""', '"" is not a quantity: it is empty'),
    ("max", "cpu", "Mi", '"Mi" is not a quantity: it does not begin with a number'),
    ("max", "cpu", "' 1'", "it has space around it"),
    ("max", "cpu", '"1e999999999"', "its exponent is outside -64 to 64"),
    ("max", "cpu", "-1", "-1 is negative; accepted: zero or more"),
    ("max", "cpu", "0.0001", "0.0001 is finer than 1m; Kubernetes stores nothing finer"),
    ("max", "cpu", "true", "found true; accepted: an amount such as 500m or 256Mi"),
    ("max", "cpu", "[1]", "found a list; accepted: an amount such as 500m or 256Mi"),
    ("max", "cpu", "{a: 1}", "found a map; accepted: an amount such as 500m or 256Mi"),
    ("max", "memory", "512m", "512m of memory is less than one byte (did you mean 512Mi?); accepted: whole bytes"),
    ("max", "ephemeral-storage", "1u", "1u is finer than 1m"),
    ("max", "memory", "0.5", "0.5 of memory is less than one byte; accepted: whole bytes"),
    (
        "max",
        "memory",
        "0",
        "a limit of 0 means unlimited for memory; accepted: more than 0 (forbidden allows none",
    ),
    (
        "default",
        "cpu",
        "0",
        "a limit of 0 means unlimited for cpu; accepted: more than 0 (leave it out to set none)",
    ),
    ("default", "nvidia.com/gpu", "1500m", "1500m is not whole; nvidia.com/gpu comes in whole numbers only"),
    ("defaultRequest", "hugepages-2Mi", "3Mi", "3Mi is no multiple of the page size; accepted: 2Mi times 1, 2, 3"),
    ("default", "hugepages-2Mi", "0", "0 is no multiple of the page size"),
    ("maxLimitRequestRatio", "cpu", "0.5", "0.5 would put limits below requests; accepted: 1 or more"),
    ("min", "cpu", "none", '"none" removes an inherited entry, and nothing is inherited here; leave the entry out'),
]


@pytest.mark.parametrize(("field", "resource", "amount", "reason"), AMOUNTS)
def test_an_amount_that_cannot_be_is_said_where_it_stands(field: str, resource: str, amount: str, reason: str) -> None:
    ((pointer, what),) = said(policy_text(f"containers:\n  {field}:\n    {resource}: {amount}\n"))
    assert pointer == f"/spec/containers/{field}/{resource.replace('/', '~1')}"
    assert reason in what


@pytest.mark.parametrize(
    ("field", "resource", "amount"),
    [
        ("max", "nvidia.com/gpu", "0"),
        ("min", "cpu", "0"),
        ("defaultRequest", "cpu", "0"),
        ("max", "memory", "0.1Gi"),
        ("max", "nvidia.com/gpu", "1500m"),
        ("default", "hugepages-2Mi", "4Mi"),
        ("maxLimitRequestRatio", "memory", '"1"'),
        ("maxLimitRequestRatio", "memory", "1.5"),
    ],
)
def test_an_amount_at_the_edge_is_accepted(field: str, resource: str, amount: str) -> None:
    assert policy(f"containers:\n  {field}:\n    {resource}: {amount}\n").rules[REGULAR].bounds


def test_a_pod_block_has_nothing_to_remove() -> None:
    ((pointer, reason),) = said(policy_text("pod: {max: {memory: none}}"))
    assert pointer == "/spec/pod/max/memory"
    assert "nothing is inherited here" in reason


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gpu", "nvidia.com/gpu"),
        ("Memory", "memory"),
        ("mem", "memory"),
        ("storage", "ephemeral-storage"),
        ("memroy", "memory"),
        ("hugepages", "hugepages-2Mi"),
        ("hugepages-big", ""),
        ("hugepages-0", ""),
        ("pods", ""),
        ("requests.nvidia.com/gpu", ""),
        ("a/b/c", ""),
    ],
)
def test_a_resource_that_no_container_can_ask_for_is_refused_with_the_nearest_one(name: str, hint: str) -> None:
    text = policy_text(f'containers: {{max: {{"{name}": 1}}, required: {{limits: ["{name}"]}}}}')
    found = said(text)
    assert {pointer for pointer, _ in found} == {
        f"/spec/containers/max/{name.replace('/', '~1')}",
        "/spec/containers/required/limits/0",
    }
    for _, reason in found:
        assert f'"{name}" is no resource that a container can ask for' in reason
        assert "accepted: cpu, memory, ephemeral-storage, hugepages-2Mi and the like" in reason
        if hint:
            assert f"(did you mean {hint}?)" in reason
