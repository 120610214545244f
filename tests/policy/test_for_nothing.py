"""What a container gets that says nothing is worked out when a policy is loaded, and is what the decision would say."""

from datetime import UTC, datetime

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from plimsoll.policy.defaulting import for_nothing
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.matching import Globs
from plimsoll.policy.model import Bounds, Defaulting, Mode, Namespace, NamespaceMatch, Policy, Rules
from plimsoll.policy.outcome import Evaluation
from plimsoll.policy.quantity import parse
from plimsoll.policy.snapshot import Governance
from plimsoll.policy.workload import ContainerClass, read_workloads
from plimsoll.schemas.compile import load

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AMOUNT = st.sampled_from([None, *(parse(text) for text in ("0", "16Mi", "64Mi", "256Mi", "1Gi"))])
BOUNDS = st.builds(
    Bounds,
    st.sampled_from(["memory", "cpu", "nvidia.com/gpu", "hugepages-2Mi"]),
    request_required=st.booleans(),
    limit_required=st.booleans(),
    request_forbidden=st.booleans(),
    limit_forbidden=st.booleans(),
    default_request=AMOUNT,
    default=AMOUNT,
    min=AMOUNT,
    max=AMOUNT,
    ratio=st.sampled_from([None, parse("1"), parse("4")]),
    equal=st.booleans(),
)
RESOURCES: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        {},
        {"limits": {}},
        {"limits": {"memory": "0"}, "requests": {"memory": "0"}},
        {"requests": {"memory": "64Mi"}},
    ]
)


def judged(bounds: Bounds, resources: object) -> Evaluation:
    container = {"name": "a", **({} if resources is None else {"resources": resources})}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    rules = Rules((bounds,))
    policy = Policy(
        "policy",
        NamespaceMatch(include=Globs.of(["*"])),
        mode=Mode.ENFORCE,
        defaulting=Defaulting.APPLY,
        rules=dict.fromkeys(ContainerClass, rules),
    )
    (workload,) = read_workloads(msgspec.json.encode(pod))
    return evaluate(workload, Governance(Namespace("n"), policy), NOW, Stage.MUTATING)


@given(BOUNDS, RESOURCES)
@example(Bounds("memory", default=parse("256Mi"), default_request=parse("128Mi")), {})
@example(Bounds("memory", default=parse("0")), {})
def test_working_it_out_beforehand_changes_nothing(bounds: Bounds, resources: object) -> None:
    compiled = msgspec.structs.replace(bounds, for_nothing=for_nothing(bounds))

    slow, quick = judged(bounds, resources), judged(compiled, resources)

    assert quick.settings == slow.settings
    assert quick.violations == slow.violations
    assert quick.outcomes == slow.outcomes


def test_a_policy_that_is_loaded_knows_it() -> None:
    text = """
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitPolicy
metadata: {name: guard}
spec:
  namespaces: {include: ["*"]}
  containers: {default: {memory: 256Mi}, defaultRequest: {cpu: 50m}, required: {limits: [ephemeral-storage]}}
"""
    (policy,) = load([("guard.yaml", text)]).snapshot.policies

    known = {bounds.resource: bounds.for_nothing for bounds in policy.rules[ContainerClass.REGULAR].bounds}

    assert known == {"cpu": (parse("50m"), None), "ephemeral-storage": None, "memory": (None, parse("256Mi"))}
