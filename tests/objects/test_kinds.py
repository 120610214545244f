"""Where each kind keeps its pod templates: the built-in kinds, the common custom ones, and nothing else."""

import pytest
from plimsoll.objects.kinds import POD_TEMPLATES, group_of, template_pointers


@pytest.mark.parametrize(
    ("api_version", "group"),
    [("v1", ""), ("apps/v1", "apps"), ("batch.volcano.sh/v1alpha1", "batch.volcano.sh"), ("", ""), ("/v1", "")],
)
def test_the_group_stands_before_the_version(api_version: str, group: str) -> None:
    assert group_of(api_version) == group


@pytest.mark.parametrize(
    ("api_version", "kind", "pointers"),
    [
        ("v1", "Pod", ("",)),
        ("v1", "PodTemplate", ("/template",)),
        ("v1", "ReplicationController", ("/spec/template",)),
        ("apps/v1", "Deployment", ("/spec/template",)),
        ("apps/v1beta2", "Deployment", ("/spec/template",)),
        ("apps/v1", "ReplicaSet", ("/spec/template",)),
        ("apps/v1", "StatefulSet", ("/spec/template",)),
        ("apps/v1", "DaemonSet", ("/spec/template",)),
        ("batch/v1", "Job", ("/spec/template",)),
        ("batch/v1", "CronJob", ("/spec/jobTemplate/spec/template",)),
        ("argoproj.io/v1alpha1", "Rollout", ("/spec/template",)),
        ("batch.volcano.sh/v1alpha1", "Job", ("/spec/tasks/*/template",)),
    ],
)
def test_a_kind_that_carries_templates_says_where(api_version: str, kind: str, pointers: tuple[str, ...]) -> None:
    assert template_pointers(api_version, kind) == pointers


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Service"),
        ("autoscaling/v1", "Scale"),
        ("apps/v1", "Pod"),  # no such kind: a Pod is of the core group
        ("example.com/v1", "Deployment"),  # somebody else's
        ("v1", "Deployment"),
        ("apps/v1", "deployment"),
        ("", ""),
        ("sparkoperator.k8s.io/v1beta2", "SparkApplication"),  # its memory is a JVM's, not a quantity
    ],
)
def test_no_other_kind_is_searched_for_containers(api_version: str, kind: str) -> None:
    assert template_pointers(api_version, kind) == ()


@pytest.mark.parametrize("pointer", sorted({pointer for pointers in POD_TEMPLATES.values() for pointer in pointers}))
def test_a_pointer_is_a_json_pointer_without_escapes(pointer: str) -> None:
    assert pointer == "" or pointer.startswith("/")
    assert "~" not in pointer
