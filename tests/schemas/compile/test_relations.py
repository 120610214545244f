"""Each relation that cannot be: what is said, and at which of its fields."""

import pytest

from tests.schemas.compile.documents import policy, policy_text, problems, said

IN_ONE_BLOCK = [
    # fields, pointer below the block, what is said
    (
        "min: {memory: 2Gi}, max: {memory: 1Gi}",
        "min/memory",
        "min 2Gi is above max 1Gi; accepted: a min of at most 1Gi",
    ),
    (
        "default: {memory: 1Mi}, min: {memory: 16Mi}",
        "default/memory",
        "default 1Mi is below min 16Mi; accepted: at least 16Mi",
    ),
    (
        "default: {memory: 2Gi}, max: {memory: 1Gi}",
        "default/memory",
        "default 2Gi is above max 1Gi; accepted: at most 1Gi",
    ),
    (
        "defaultRequest: {memory: 1Mi}, min: {memory: 16Mi}, max: {memory: 1Gi}",
        "defaultRequest/memory",
        "defaultRequest 1Mi is below min 16Mi; accepted: 16Mi to 1Gi",
    ),
    (
        "defaultRequest: {memory: 2Gi}, min: {memory: 16Mi}, max: {memory: 1Gi}",
        "defaultRequest/memory",
        "defaultRequest 2Gi is above max 1Gi; accepted: 16Mi to 1Gi",
    ),
    (
        'default: {memory: 1Gi}, defaultRequest: {memory: 128Mi}, maxLimitRequestRatio: {memory: "4"}',
        "default/memory",
        "default 1Gi is more than 4 times defaultRequest 128Mi, which maxLimitRequestRatio does not allow;"
        " accepted: a default of at most 512Mi",
    ),
    (
        "default: {cpu: 1}, defaultRequest: {cpu: 0}, maxLimitRequestRatio: {cpu: 2}",
        "default/cpu",
        "accepted: a default of at most 0",
    ),
    (
        "required: {limits: [memory]}, forbidden: {limits: [cpu, memory]}",
        "forbidden/limits/1",
        "memory limits are required and forbidden at once; accepted: one of the two",
    ),
    (
        "required: {requests: [cpu]}, forbidden: {requests: [cpu]}",
        "forbidden/requests/0",
        "cpu requests are required and forbidden at once; accepted: one of the two",
    ),
    (
        "default: {cpu: 1}, forbidden: {limits: [cpu]}",
        "default/cpu",
        "cpu limits are forbidden but have a default; accepted: one of the two",
    ),
    (
        "defaultRequest: {cpu: 1}, forbidden: {requests: [cpu], limits: [cpu]}",
        "defaultRequest/cpu",
        "cpu requests are forbidden but have a defaultRequest; accepted: one of the two",
    ),
    (
        "required: {limits: [cpu]}, forbidden: {requests: [cpu]}",
        "forbidden/requests/0",
        "cpu requests are forbidden but limits are required: the API server gives a container that has a limit a"
        " request of the same amount; accepted: one of the two",
    ),
    (
        "default: {cpu: 1}, forbidden: {requests: [cpu]}",
        "forbidden/requests/0",
        "cpu requests are forbidden but limits are defaulted",
    ),
    (
        "equal: [cpu], forbidden: {limits: [cpu]}",
        "equal/0",
        "cpu must be equal but its limits are forbidden; accepted: one of the two",
    ),
    (
        "equal: [cpu], forbidden: {requests: [cpu]}",
        "equal/0",
        "cpu must be equal but its requests are forbidden",
    ),
]

POSSIBLE = [
    "defaultRequest: {memory: 1Gi}, default: {memory: 512Mi}",
    "min: {memory: 1Gi}, max: {memory: 1Gi}, default: {memory: 1Gi}, defaultRequest: {memory: 1Gi}",
    "min: {cpu: 1}, max: {cpu: 1000m}",
    'default: {memory: 512Mi}, defaultRequest: {memory: 128Mi}, maxLimitRequestRatio: {memory: "4"}',
    'defaultRequest: {memory: 512Mi}, default: {memory: 128Mi}, maxLimitRequestRatio: {memory: "1"}',
    'default: {memory: 512Mi}, maxLimitRequestRatio: {memory: "1"}',
    "forbidden: {requests: [nvidia.com/gpu], limits: [nvidia.com/gpu]}, equal: [nvidia.com/gpu]",
    "forbidden: {limits: [cpu]}, required: {requests: [cpu]}, max: {cpu: 4}, maxLimitRequestRatio: {cpu: 2}",
    'equal: [memory], default: {memory: 1Gi}, defaultRequest: {memory: 512Mi}, maxLimitRequestRatio: {memory: "1"}',
    "default: {hugepages-2Mi: 4Mi}, defaultRequest: {hugepages-2Mi: 2Mi}",
    "default: {nvidia.com/gpu: 2}, defaultRequest: {nvidia.com/gpu: 1}",
    "default: {nvidia.com/gpu: 1}, defaultRequest: {nvidia.com/gpu: 1}",
    "default: {example.kubernetes.io/thing: 2}, defaultRequest: {example.kubernetes.io/thing: 1}",
]


@pytest.mark.parametrize(("fields", "pointer", "reason"), IN_ONE_BLOCK)
def test_what_cannot_be_in_one_block_is_said_once(fields: str, pointer: str, reason: str) -> None:
    ((where, what),) = said(policy_text(f"containers: {{{fields}}}"))
    assert where == f"/spec/containers/{pointer}"
    assert reason in what
    assert "inherited" not in what


@pytest.mark.parametrize("fields", POSSIBLE)
def test_what_can_be_is_accepted(fields: str) -> None:
    assert policy(f"containers: {{{fields}}}")


@pytest.mark.parametrize(
    "fields",
    [fields for fields, _, _ in IN_ONE_BLOCK if "efault" not in fields],
)
def test_the_same_holds_for_pod_totals(fields: str) -> None:
    ((where, _),) = said(policy_text(f"pod: {{{fields}}}"))
    assert where.startswith("/spec/pod/")


INHERITED = [
    # containers, initContainers, the field to blame, what is said
    (
        "max: {memory: 1Gi}",
        "min: {memory: 2Gi}",
        "min/memory",
        "min 2Gi is above max 1Gi; accepted: a min of at most 1Gi; max is inherited from /spec/containers/max/memory",
    ),
    (
        "min: {memory: 2Gi}",
        "max: {memory: 1Gi}",
        "max/memory",
        "min 2Gi is above max 1Gi; accepted: a min of at most 1Gi; min is inherited from /spec/containers/min/memory",
    ),
    (
        "default: {memory: 1Gi}",
        "max: {memory: 512Mi}",
        "max/memory",
        "default 1Gi is above max 512Mi; accepted: at most 512Mi"
        "; default is inherited from /spec/containers/default/memory",
    ),
    (
        "default: {memory: 1Gi}, defaultRequest: {memory: 512Mi}",
        "maxLimitRequestRatio: {memory: 1}",
        "maxLimitRequestRatio/memory",
        "; default is inherited from /spec/containers/default/memory"
        "; defaultRequest is inherited from /spec/containers/defaultRequest/memory",
    ),
    (
        "required: {limits: [memory]}",
        "forbidden: {limits: [memory]}",
        "forbidden/limits/0",
        "; required.limits is inherited from /spec/containers/required/limits/0",
    ),
    (
        "forbidden: {limits: [cpu]}",
        "default: {cpu: 1}",
        "default/cpu",
        "; forbidden.limits is inherited from /spec/containers/forbidden/limits/0",
    ),
]


@pytest.mark.parametrize(("outer", "inner", "pointer", "reason"), INHERITED)
@pytest.mark.parametrize("field", ["initContainers", "sidecarContainers"])
def test_a_class_is_held_against_what_it_inherits(
    field: str, outer: str, inner: str, pointer: str, reason: str
) -> None:
    ((where, what),) = said(policy_text(f"containers: {{{outer}}}\n{field}: {{{inner}}}\n"))
    assert where == f"/spec/{field}/{pointer}"
    assert reason in what


@pytest.mark.parametrize(("outer", "inner", "pointer", "reason"), INHERITED)
def test_an_override_is_held_against_what_it_inherits(outer: str, inner: str, pointer: str, reason: str) -> None:
    text = policy_text(f"containers: {{{outer}}}\noverrides:\n  - match: {{}}\n    containers: {{{inner}}}\n")
    ((where, what),) = said(text)
    assert where == f"/spec/overrides/0/containers/{pointer}"
    assert reason in what


def test_an_override_is_held_against_every_class() -> None:
    text = policy_text(
        """
        initContainers: {max: {memory: 128Mi}}
        overrides:
          - match: {containers: [proxy]}
            containers: {default: {memory: 1Gi}}
        """
    )
    ((where, what),) = said(text)
    assert where == "/spec/overrides/0/containers/default/memory"
    assert what.endswith("; max is inherited from /spec/initContainers/max/memory")


def test_what_a_class_removes_is_no_longer_in_the_way() -> None:
    assert policy("containers: {min: {memory: 2Gi}}\ninitContainers: {min: {memory: none}, max: {memory: 1Gi}}\n")
    assert policy(
        "containers: {forbidden: {limits: [cpu]}}\ninitContainers: {forbidden: {limits: []}, default: {cpu: 1}}\n"
    )


def test_what_could_not_be_read_is_not_held_against_the_rest() -> None:
    ((where, _),) = said(policy_text("containers: {min: {memory: 2Gi}, max: {memory: 1K}}"))
    assert where == "/spec/containers/max/memory"


def test_a_problem_of_containers_is_not_repeated_for_every_class_and_override() -> None:
    text = policy_text(
        """
        containers: {min: {memory: 2Gi}, max: {memory: 1Gi}}
        initContainers: {max: {cpu: 1}}
        overrides:
          - match: {}
            containers: {max: {cpu: 2}}
        """
    )
    assert len(problems(text)) == 1


def test_a_problem_names_file_line_and_pointer() -> None:
    text = policy_text("containers:\n  min:\n    memory: 2Gi\n  max:\n    memory: 1Gi\n")
    (problem,) = problems(text)
    assert str(problem) == (
        "1.yaml:8: /spec/containers/min/memory: min 2Gi is above max 1Gi; accepted: a min of at most 1Gi"
    )
