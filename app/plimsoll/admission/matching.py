"""Who is judged and who is skipped, as one table.

The static matchConditions of the webhook configurations say the same to the API server; this is for whoever calls us
without them. Nothing that the author of a pod can write makes it skipped.
"""

from __future__ import annotations

from collections.abc import Callable

from plimsoll.admission.request import AdmissionRequest
from plimsoll.objects.structs import ObjectMeta

MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
JUDGED_OPERATIONS = ("CREATE", "UPDATE")

Test = Callable[[AdmissionRequest, ObjectMeta], bool]

SKIPPED: tuple[tuple[str, Test], ...] = (
    (
        "only CREATE and UPDATE are judged",
        lambda request, meta: request.operation not in JUDGED_OPERATIONS,
    ),
    (
        "of subresources only pods/resize is judged",
        lambda request, meta: bool(request.sub_resource) and not is_resize(request),
    ),
    (
        # Denying it would leave pods stuck in Terminating: resources cannot change here.
        "a Pod's resources cannot change by UPDATE",
        lambda request, meta: request.kind == "Pod" and request.operation == "UPDATE" and not is_resize(request),
    ),
    (
        # Only what is stored can be in deletion: in a CREATE the timestamp is the author's word.
        "it is being deleted",
        lambda request, meta: request.operation == "UPDATE" and meta.deletionTimestamp is not None,
    ),
    (
        # The kubelet runs static Pods from disk; their image in the API must stay as it is. Its word is its account.
        "a mirror Pod of a kubelet",
        lambda request, meta: request.is_from_node and MIRROR_ANNOTATION in (meta.annotations or {}),
    ),
    (
        "its owner is judged instead",
        lambda request, meta: (
            request.kind in ("ReplicaSet", "Job")
            and request.is_from_controller
            and any(owner.controller for owner in meta.ownerReferences or ())
        ),
    ),
)


def is_resize(request: AdmissionRequest) -> bool:
    """True for ``pods/resize``."""
    return request.kind == "Pod" and request.sub_resource == "resize" and request.operation == "UPDATE"


def skip_reason(request: AdmissionRequest, meta: ObjectMeta) -> str:
    """Why this request is not judged; empty when it is."""
    for reason, test in SKIPPED:
        if test(request, meta):
            return reason
    return ""
