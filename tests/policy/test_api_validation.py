"""API validation, predicted: the rules about resources that no policy can change, in the server's words."""

import pytest
from plimsoll.policy.api_validation import ApiProblem, api_validation_problems
from plimsoll.policy.draft import NO_RULES, Draft
from plimsoll.policy.pod_level import pod_level_defaults
from plimsoll.policy.quantity import parse
from plimsoll.policy.workload import ObjectRef, Resources, Workload, read_workloads

from tests.policy.shorthand import contents, drafts, drafts_of, parts, pod, rows, workload, written

VECTORS = rows("pod_resources.tsv")


@pytest.mark.parametrize(("name", "given", "stored", "qos", "faults"), VECTORS, ids=[row[0] for row in VECTORS])
def test_a_pod_is_stored_or_refused_as_on_a_server(name: str, given: str, stored: str, qos: str, faults: str) -> None:
    read = workload(pod(given))
    made = drafts_of(read)
    own = pod_level_defaults(made, read.pod_resources)

    assert (contents(made), own) == written(stored)
    found = [str(problem) for problem in api_validation_problems(made, own, pod_level=True)]
    assert sorted(found) == sorted(parts(faults))


def problems(text: str, *, pod_level: bool = True) -> list[str]:
    """What is wrong with a pod in short, whose own resources are taken as they stand."""
    read = workload(pod(text))
    return [str(p) for p in api_validation_problems(drafts_of(read), read.pod_resources, pod_level=pod_level)]


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a req cpu=1",
        "a req cpu=0 lim cpu=0",
        "a req memory=1 lim memory=100Ei",
        "a req cpu=1 lim hugepages-2Mi=0",
        "a lim cpu=1,hugepages-1Gi=2Gi",
        "a req memory=1Mi lim hugepages-64Ki=128Ki",
        "a req foo.kubernetes.io/bar=500m",
        "a lim deviceclass.resource.kubernetes.io/some-device-class-with-a-long-name=1",
        "pod req cpu=2 lim cpu=2,hugepages-2Mi=4Mi; a lim cpu=1,hugepages-2Mi=2Mi; b lim cpu=1,hugepages-2Mi=2Mi",
        "pod lim cpu=1; a lim cpu=1; b lim cpu=1",
        "pod lim cpu=1; init i lim cpu=2",
    ],
)
def test_what_the_server_takes_has_no_problem(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a req cpu=2 lim cpu=1; b req cpu=3 lim cpu=1", "spec.containers[1].resources.requests: "
         'Invalid value: "3": must be less than or equal to cpu limit of 1'),
        ("sidecar s req cpu=2 lim cpu=1", "spec.initContainers[0].resources.requests: "
         'Invalid value: "2": must be less than or equal to cpu limit of 1'),
        ("a req cpu=1,hugepages-2Mi=2Mi", "spec.containers[0].resources.limits: "
         "Required value: Limit must be set for non overcommitable resources"),
        ("a lim cpu=1,hugepages-x=2Mi", "spec.containers[0].resources.limits[hugepages-x]: "
         'Invalid value: "2Mi": 2Mi is not positive integer multiple of hugepages-x'),
        ("a lim cpu=1,hugepages-0=2Mi", "spec.containers[0].resources.limits[hugepages-0]: "
         'Invalid value: "2Mi": 2Mi is not positive integer multiple of hugepages-0'),
        ("a lim cpu=1,hugepages-500m=2Mi", "spec.containers[0].resources.limits[hugepages-500m]: "
         'Invalid value: "2Mi": 2Mi is not positive integer multiple of hugepages-500m'),
        ("a lim pods=500m", 'spec.containers[0].resources.limits[pods]: Invalid value: "500m": must be an integer'),
        ("pod lim cpu=1 req nvidia.com/gpu=1; a", "spec.resources.requests[nvidia.com/gpu]: "
         'Unsupported value: "nvidia.com/gpu": supported values: "cpu", "hugepages-", "memory"'),
        ("pod lim gpu=1; a", "spec.resources.limits[gpu]: "
         'Invalid value: "gpu": must be a standard resource type or fully qualified'),
        ("pod lim hugepages-2Mi=2Mi; a lim cpu=1", "spec.resources: Forbidden: HugePages require cpu or memory"),
        ("pod req cpu=100m; a req cpu=100m; sidecar s req cpu=1; init i req cpu=2", "spec.resources.requests[cpu]: "
         'Invalid value: "100m": must be greater than or equal to aggregate container requests of 3'),
        ("pod lim cpu=1,hugepages-2Mi=2Mi; a lim hugepages-2Mi=2Mi; b lim hugepages-2Mi=2Mi",
         "spec.resources.limits[hugepages-2Mi]: "
         'Invalid value: "2Mi": must be greater than or equal to aggregate container limits of 4Mi'),
        ("pod lim cpu=1; a lim cpu=1; b lim cpu=2", "spec.resources.containers[1][cpu].limits: "
         'Invalid value: "2": must be less than or equal to pod limits of 1'),
    ],
)  # fmt: skip
def test_what_it_refuses_is_said_in_its_words(text: str, said: str) -> None:
    assert said in problems(text)


def test_a_server_that_drops_pod_level_resources_does_not_judge_them() -> None:
    assert problems("pod req cpu=2 lim cpu=1; a lim cpu=3", pod_level=False) == []


def test_a_template_is_judged_without_the_defaulting_of_pods() -> None:
    """A device named among the limits alone is fine there, too."""
    deployment = b"""{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template":
      {"spec": {"resources": {"requests": {"cpu": "1"}}, "containers": [
        {"name": "a", "resources": {"limits": {"nvidia.com/gpu": "1"}}},
        {"name": "b", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}]}}}}"""
    (read,) = read_workloads(deployment)
    made = [Draft(container, NO_RULES, frozenset()) for container in read.containers]
    assert api_validation_problems(made, read.pod_resources, pod_level=True) == (
        ApiProblem(
            "/spec/template/spec/containers/1/resources/requests",
            "spec.template.spec.containers[1].resources.requests",
            'Invalid value: "2": must be less than or equal to cpu limit of 1',
        ),
        ApiProblem(
            "/spec/template/spec/resources/requests/cpu",
            "spec.template.spec.resources.requests[cpu]",
            'Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
        ),
    )


def test_a_problem_points_into_the_object_where_the_servers_path_does_not() -> None:
    read = workload(pod("pod lim nvidia.com/gpu=1; a lim nvidia.com/gpu=2"))
    found = api_validation_problems(drafts_of(read), read.pod_resources, pod_level=True)
    assert "/spec/containers/0/resources/limits/nvidia.com~1gpu" in {problem.pointer for problem in found}


def test_ephemeral_containers_are_not_looked_at() -> None:
    given = pod("a")
    given["spec"]["ephemeralContainers"] = [{"name": "debug", "resources": {"limits": {"gpu": "1"}}}]
    assert api_validation_problems(drafts(given), None, pod_level=True) == ()


def test_a_pod_without_containers_still_has_resources() -> None:
    own = Resources({"cpu": parse("-1")}, {})
    empty = Workload(ObjectRef("v1", "Pod", "team", "pod"), "", {}, {}, (), own, {})
    assert [str(problem) for problem in api_validation_problems(drafts_of(empty), own, pod_level=True)] == [
        'spec.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'
    ]


def test_a_hostile_name_stays_on_one_short_line() -> None:
    given = pod("a")
    given["spec"]["containers"][0]["resources"] = {"limits": {"x/y\n\x1b[31m" + "z" * 1000: "1"}}
    for problem in api_validation_problems(drafts(given), None, pod_level=True):
        assert str(problem).isprintable()
        assert len(problem.field) < 200
