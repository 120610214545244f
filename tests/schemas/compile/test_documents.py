"""Everything of a policy or an exemption but its rules: namespaces, modes, dates, matchers, waivers, quotas."""

from datetime import UTC, datetime

import pytest
from plimsoll.policy.model import Defaulting, Mode
from plimsoll.schemas.compile import load

from tests.schemas.compile.documents import exemption, exemption_text, policy, policy_text, said


def test_a_policy_of_nothing_but_namespaces_audits_and_suggests() -> None:
    found = policy("mode:\n")
    assert (found.priority, found.mode, found.templates, found.defaulting) == (
        0,
        Mode.AUDIT,
        Mode.AUDIT,
        Defaulting.SUGGEST,
    )
    assert (found.enforce_from, found.limit_range_managed, found.resource_quota) == (None, False, {})
    assert (found.name, found.origin) == ("policy", "policy.yaml:1")


def test_settings_are_taken_over() -> None:
    found = policy(
        """
        priority: -5
        mode: Warn
        defaulting: Apply
        limitRange: Managed
        resourceQuota: {hard: {limits.memory: 64Gi, pods: 10}}
        """
    )
    assert (found.priority, found.mode, found.defaulting) == (-5, Mode.WARN, Defaulting.APPLY)
    assert found.limit_range_managed
    assert [(name, amount.text) for name, amount in found.resource_quota.items()] == [
        ("limits.memory", "64Gi"),
        ("pods", "10"),
    ]


@pytest.mark.parametrize(
    ("mode", "templates", "expected"),
    [
        ("Audit", "", Mode.AUDIT),
        ("Warn", "", Mode.WARN),
        ("Enforce", "", Mode.WARN),
        ("Audit", "Enforce", Mode.ENFORCE),
        ("Enforce", "Enforce", Mode.ENFORCE),
        ("Enforce", "Audit", Mode.AUDIT),
        ("Enforce", "Ignore", None),
    ],
)
def test_templates_are_audited_under_audit_and_warned_about_otherwise(
    mode: str, templates: str, expected: Mode | None
) -> None:
    assert policy(f"mode: {mode}\ntemplates: {templates}\n").templates is expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-12-01T00:00:00Z", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01t00:00:00z", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T01:30:00+01:30", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T00:00:00.123456789Z", datetime(2026, 12, 1, 0, 0, 0, 123456, tzinfo=UTC)),
        ("2026-12-01T00:00:00.5Z", datetime(2026, 12, 1, 0, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_enforce_from_is_an_instant_in_utc(written: str, expected: datetime) -> None:
    assert policy(f'enforceFrom: "{written}"').enforce_from == expected


@pytest.mark.parametrize("mode", ["Audit", "Warn", "Enforce"])
def test_enforce_from_is_fine_under_every_mode(mode: str) -> None:
    assert policy(f"mode: {mode}\nenforceFrom: 2026-12-01T00:00:00Z").enforce_from is not None


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("2026-12-01", " (did you mean 2026-12-01T00:00:00Z?)"),
        ("2026-02-30", ""),
        ("2026-12-01T00:00:00", ""),
        ("2026-12-01 00:00:00Z", ""),
        ("2026-12-01T25:00:00Z", ""),
        ("0001-01-01T00:00:00+01:00", ""),
        ("tomorrow", ""),
        ("", ""),
    ],
)
def test_what_is_no_instant_is_refused(written: str, hint: str) -> None:
    ((pointer, reason),) = said(policy_text(f'enforceFrom: "{written}"'))
    assert pointer == "/spec/enforceFrom"
    accepted = "accepted: an instant with a zone, such as 2026-12-01T00:00:00Z"
    assert reason == f'"{written}" is no instant{hint}; {accepted}'


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2027-01-31", datetime(2027, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("9999-12-31", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_an_exemption_ends_with_its_day_or_at_its_instant(written: str, expected: datetime) -> None:
    found = exemption(expires=written)
    assert (found.expires, found.expires_text) == (expected, written)


@pytest.mark.parametrize("written", ["2027-02-30", "31.01.2027", "2027-01-31T12:00:00", "0000-01-01", "never"])
def test_an_exemption_without_a_readable_end_is_refused(written: str) -> None:
    ((pointer, reason),) = said(exemption_text(expires=written))
    assert pointer == "/spec/expires"
    assert "is neither a date nor an instant; accepted: a date such as 2027-01-31 (to its end, UTC)" in reason


@pytest.mark.parametrize(
    ("namespaces", "name", "labels", "matches"),
    [
        ('include: ["team-*"]', "team-a", {}, True),
        ('include: ["team-*"]', "other", {}, False),
        ('include: ["*"], exclude: ["kube-*"]', "kube-system", {}, False),
        ("selector: {matchLabels: {tier: ops}}", "a", {"tier": "ops"}, True),
        ("selector: {matchLabels: {tier: ops}}", "a", {"tier": "dev"}, False),
        ("selector: {matchLabels: {tier: ops}}, include: [a]", "a", {}, True),
        ("selector: {}", "anything", {}, True),
        ("selector: {matchExpressions: [{key: tier, operator: In, values: [a, b]}]}", "x", {"tier": "b"}, True),
        ("selector: {matchExpressions: [{key: tier, operator: NotIn, values: [a]}]}", "x", {}, True),
        ("selector: {matchExpressions: [{key: tier, operator: Exists}]}", "x", {}, False),
        ("selector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}", "x", {}, True),
        ("selector: {matchLabels: {tier: ''}}", "x", {"tier": ""}, True),
    ],
)
def test_namespaces_are_selector_or_include_minus_exclude(
    namespaces: str, name: str, labels: dict[str, str], matches: bool
) -> None:
    assert policy("mode: Audit", namespaces=namespaces).namespaces.match(name, labels) is matches


NAMESPACES = [
    ("exclude: [a]", "", 'names no namespace; accepted: include (["*"] for all) or selector, or both'),
    ("include: []", "", "names no namespace"),
    ("selector: ~", "", "names no namespace"),
    ('include: ["*"], exclude: ["*"]', "/exclude", "exclude takes away every namespace that is named"),
    ('include: ["a"], exclude: ["b", "**"]', "/exclude", "exclude takes away every namespace that is named"),
    ('include: [a, b], exclude: [b, "a*"]', "/exclude", "exclude takes away every namespace that is named"),
    ("include: [Team]", "/include/0", '"Team" matches no namespace; accepted: lower-case letters, digits and -'),
    ("include: [a, b.c]", "/include/1", '"b.c" matches no namespace'),
    ('include: [""]', "/include/0", '"" matches no namespace'),
    ("include: [a], exclude: [my_ns]", "/exclude/0", '"my_ns" matches no namespace'),
    (f"include: [{'a' * 64}]", "/include/0", "at most 63"),
    ("selector: {matchLabels: {'a b': c}}", "/selector/matchLabels/a b", '"a b" cannot be the key of a label'),
    ("selector: {matchLabels: {a: -c}}", "/selector/matchLabels/a", '"-c" cannot be the value of a label'),
    (f"selector: {{matchLabels: {{a: {'v' * 64}}}}}", "/selector/matchLabels/a", "at most 63 letters"),
    (
        "selector: {matchExpressions: [{key: tier, operator: In}]}",
        "/selector/matchExpressions/0/values",
        "In has no values; accepted: at least one",
    ),
    (
        "selector: {matchExpressions: [{key: tier, operator: Exists, values: [a]}]}",
        "/selector/matchExpressions/0/values",
        "Exists takes no values; accepted: leave values out",
    ),
    (
        "selector: {matchExpressions: [{key: a/b/c, operator: Exists}]}",
        "/selector/matchExpressions/0/key",
        "cannot be the key of a label",
    ),
    (
        "selector: {matchExpressions: [{key: a, operator: In, values: ['a b']}]}",
        "/selector/matchExpressions/0/values/0",
        "cannot be the value of a label",
    ),
]


@pytest.mark.parametrize(("namespaces", "pointer", "reason"), NAMESPACES)
def test_namespaces_that_cannot_be_are_refused(namespaces: str, pointer: str, reason: str) -> None:
    ((where, what),) = said(policy_text("mode: Audit", namespaces=namespaces))
    assert where == f"/spec/namespaces{pointer}"
    assert reason in what


def test_an_exclude_that_leaves_some_is_fine() -> None:
    assert policy("mode: Audit", namespaces='include: [a, b], exclude: ["a"]')
    assert policy("mode: Audit", namespaces='include: ["a-*"], exclude: ["a-?*"]')
    assert policy("mode: Audit", namespaces="include: [a], exclude: [a], selector: {}")


QUOTAS = [
    ("{hard: {}}", "", "limits nothing; accepted: entries such as limits.memory: 64Gi"),
    ("{hard: {limits.memroy: 1Gi}}", "/limits.memroy", "(did you mean limits.memory?)"),
    ("{hard: {gpu: 1}}", "/gpu", '"gpu" is nothing a quota can limit'),
    ("{hard: {limits.memory: -1}}", "/limits.memory", "-1 is negative"),
    ("{hard: {limits.memory: 512m}}", "/limits.memory", "(did you mean 512Mi?)"),
    ("{hard: {pods: none}}", "/pods", '"none" is not a quantity'),
]


@pytest.mark.parametrize(("quota", "pointer", "reason"), QUOTAS)
def test_a_quota_that_cannot_be_is_refused(quota: str, pointer: str, reason: str) -> None:
    ((where, what),) = said(policy_text(f"resourceQuota: {quota}"))
    assert where == f"/spec/resourceQuota/hard{pointer}"
    assert reason in what


@pytest.mark.parametrize("name", ["requests.nvidia.com/gpu", "count/jobs.batch", "requests.storage", "cpu", "services"])
def test_a_quota_takes_whatever_a_resource_quota_takes(name: str) -> None:
    assert policy(f"resourceQuota: {{hard: {{{name}: 1}}}}").resource_quota


MATCHERS = [
    ("containers: [Proxy]", "/containers/0", '"Proxy" matches no container'),
    ("images: ['a b']", "/images/0", '"a b" matches no image; accepted: printable characters without spaces'),
    ("images: ['']", "/images/0", '"" matches no image'),
    ("workloads: [{kind: cronjob}]", "/workloads/0/kind", '"cronjob" is no kind (did you mean CronJob?)'),
    ("workloads: [{kind: deployments}]", "/workloads/0/kind", "(did you mean Deployment?)"),
    ("workloads: [{kind: 'Deploy ment'}]", "/workloads/0/kind", "accepted: a kind such as Deployment"),
    ("workloads: [{kind: ''}]", "/workloads/0/kind", '"" is no kind; accepted'),
    ("workloads: [{names: [Web]}]", "/workloads/0/names/0", '"Web" matches no workload'),
    ("podLabels: {'a b': c}", "/podLabels/a b", "cannot be the key of a label"),
    ("podLabels: {app: 'a b'}", "/podLabels/app", '"a b" matches no label value'),
    ("uses: [gpu]", "/uses/0", "(did you mean nvidia.com/gpu?)"),
]


@pytest.mark.parametrize(("match", "pointer", "reason"), MATCHERS)
def test_a_matcher_that_can_match_nothing_is_refused(match: str, pointer: str, reason: str) -> None:
    ((where, what),) = said(policy_text(f"overrides:\n  - match: {{{match}}}\n    containers: {{}}\n"))
    assert where == f"/spec/overrides/0/match{pointer}"
    assert reason in what
    ((where, what),) = said(exemption_text(match=f"{{{match}}}", waive='["*"]'))
    assert where == f"/spec/match{pointer}"
    assert reason in what


def test_a_matcher_is_compiled_field_by_field() -> None:
    match = (
        '{namespaces: ["batch-*"], containers: [loader], images: ["*/loader*"], uses: [nvidia.com/gpu],'
        ' workloads: [{kind: CronJob, names: ["nightly-*"]}, {kind: Job}], podLabels: {app: "load*"}}'
    )
    found = exemption(match=match)
    assert found.namespaces is not None
    assert found.namespaces.match("batch-a")
    assert found.match.containers is not None
    assert found.match.containers.match("loader")
    assert found.match.images is not None
    assert found.match.images.match("registry.example/loader:1")
    assert [(each.kind, each.names is None) for each in found.match.workloads] == [("CronJob", False), ("Job", True)]
    assert [(key, glob.match("loader")) for key, glob in found.match.pod_labels] == [("app", True)]
    assert found.match.uses == ("nvidia.com/gpu",)


@pytest.mark.parametrize(
    "match", ["{}", "{namespaces: [], containers: [], images: [], workloads: [], podLabels: {}, uses: []}"]
)
def test_an_empty_matcher_matches_everything(match: str) -> None:
    found = exemption(match=match)
    assert found.namespaces is None
    assert found.match.is_whole_pod
    assert (found.match.workloads, found.match.pod_labels) == ((), ())


@pytest.mark.parametrize(
    "check",
    [
        "*",
        "memory.limit.required",
        "cpu.request.max",
        "ephemeral-storage.limit.min",
        "nvidia.com/gpu.limit.forbidden",
        "hugepages-2Mi.equal",
        "memory.ratio",
        "memory.order",
        "pod.memory.limit.max",
        "pod.nvidia.com/gpu.request.required",
    ],
)
def test_check_ids_of_any_resource_can_be_waived(check: str) -> None:
    found = exemption(waive=f'["{check}"]')
    assert found.waives(check)
    assert found.waives("cpu.limit.required") is (check == "*")


@pytest.mark.parametrize(
    ("check", "hint"),
    [
        ("memory.limits.required", "memory.limit.required"),
        ("memory.limit", "memory.limit.min"),
        ("Memory.limit.required", "memory.limit.required"),
        ("pod.memory.limits.max", "pod.memory.limit.max"),
        ("nvidia.com/gpu.limits.max", "nvidia.com/gpu.limit.max"),
        ("gpu.limit.max", "cpu.limit.max"),
        ("", ""),
        ("everything-is-fine", ""),
        ("x" * 100_000, ""),
    ],
)
def test_an_unknown_check_is_refused_with_the_nearest_one(check: str, hint: str) -> None:
    ((pointer, reason),) = said(exemption_text(waive=f'["{check}"]'))
    assert pointer == "/spec/waive/0"
    assert "is no check" in reason
    assert (f"(did you mean {hint}?)" if hint else "no check;") in reason
    assert "with a suffix of equal, limit.forbidden, limit.max" in reason
    assert len(reason) < 500


@pytest.mark.parametrize(
    ("match", "named"), [("containers: [a]", "containers"), ("images: [a], uses: [cpu]", "images and uses")]
)
def test_pod_totals_need_an_exemption_that_singles_out_no_container(match: str, named: str) -> None:
    ((pointer, reason),) = said(exemption_text(match=f"{{{match}}}", waive='["*", "pod.memory.limit.max"]'))
    assert pointer == "/spec/waive/1"
    assert f"match names {named}, which single out containers" in reason


def test_an_exemption_says_who_and_why_and_what() -> None:
    found = exemption(ticket="OPS-123")
    assert (found.owner, found.reason, found.ticket) == ("team-data", "it sizes itself", "OPS-123")
    assert (found.name, found.origin) == ("exemption", "exemption.yaml:1")
    assert said(exemption_text(owner='""', reason="' '", waive="[]")) == [
        ("/spec/owner", '"" says nothing; accepted: a text'),
        ("/spec/reason", '" " says nothing; accepted: a text'),
        ("/spec/waive", 'it waives nothing; accepted: check ids, or ["*"] for all'),
    ]


@pytest.mark.parametrize("name", ["Policy", "a_b", "-a", "a..b", "a" * 254])
def test_a_name_that_no_object_can_have_is_refused(name: str) -> None:
    assert said(policy_text("mode: Audit", name=name))[0][0] == "/metadata/name"
    assert said(exemption_text(name))[0][0] == "/metadata/name"


def test_what_kubernetes_adds_is_tolerated() -> None:
    added = (
        "metadata: {name: policy, uid: x, generation: 3, creationTimestamp: ~, managedFields: [{a: 1}],"
        " labels: {a: b}, annotations: {c: d}, ownerReferences: []}\nstatus: {conditions: []}"
    )
    text = policy_text("mode: Audit").replace("metadata: {name: policy}", added)
    assert set(load([("policy.yaml", text)]).policies) == {"policy"}
