"""Pods that look the same get the answer that was given before: most Pods are made of a template many times over.

What is compared is all that a judgement reads, so nothing of it can be seen but the time it saves. Never kept: a
refusal, which names its Pod, and any answer where a policy or an exemption looks at the names of workloads. The memory
is the Snapshot's and ends with it, so a new policy never meets an old answer.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from plimsoll.admission.response import AdmissionResponse
from plimsoll.objects.structs import ObjectMeta, PodTemplate
from plimsoll.policy.model import Mode
from plimsoll.policy.snapshot import Governance, Snapshot

MOST_REMEMBERED = 512
"""Answers; then the oldest is forgotten."""
MOST_BYTES = 4096
"""Of what is compared: hostile Pods shall not fill the memory."""
MOST_CONTAINERS = 20

Likeness = tuple[object, ...]

_ENCODER = msgspec.json.Encoder()


def likeness(
    phase: str, governance: Governance, mode: Mode, meta: ObjectMeta, pod: PodTemplate, now: datetime
) -> Likeness | None:
    """All that the answer to the creation of ``pod`` depends on; None for a Pod that is not remembered."""
    policy, spec = governance.policy, pod.spec
    if policy is None or spec is None or len(spec.containers or ()) + len(spec.initContainers or ()) > MOST_CONTAINERS:
        return None
    matchers = [override.match for override in policy.overrides]
    matchers += [exemption.match for exemption in governance.exemptions]
    if any(matcher.workloads for matcher in matchers):
        return None
    seen = _ENCODER.encode((meta.labels, meta.annotations, spec))
    if len(seen) > MOST_BYTES:
        return None
    in_force = tuple([now <= exemption.expires for exemption in governance.exemptions])
    return phase, governance.namespace.name, mode, in_force, seen


def recalled(snapshot: Snapshot, of: Likeness | None) -> AdmissionResponse | None:
    """The answer that was given to a Pod like this one."""
    return None if of is None else snapshot.remembered.get(of)


def remembered(snapshot: Snapshot, of: Likeness | None, response: AdmissionResponse) -> AdmissionResponse:
    """``response``, kept for the next Pod like this one."""
    if of is not None and response.allowed:
        if len(snapshot.remembered) >= MOST_REMEMBERED:
            snapshot.remembered.pop(next(iter(snapshot.remembered)))
        snapshot.remembered[of] = response
    return response
