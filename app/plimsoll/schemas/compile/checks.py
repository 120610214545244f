"""Check ids as exemptions write them: ``memory.limit.required``, ``pod.nvidia.com/gpu.request.max``.

Any resource is legal, so an id is taken apart from its end. Knows the ids, not what they check.
"""

from __future__ import annotations

import difflib
from typing import Final

from plimsoll.policy.checks import SUFFIXES
from plimsoll.policy.model import ALL_CHECKS
from plimsoll.policy.quantity import shown
from plimsoll.policy.resource_names import container_resource_problems
from plimsoll.schemas.compile.words import RESOURCES, Complaint, Complaints

POD: Final = "pod."


def check_id(complaints: Complaints, pointer: str, written: str) -> None:
    """Is it the id of a check?"""
    if written == ALL_CHECKS or _is_known(written):
        return
    complaints.append(
        Complaint(
            pointer,
            f"{shown(written)} is no check{_nearest(written)}; accepted: RESOURCE.SUFFIX or {POD}RESOURCE.SUFFIX with a"
            f" suffix of {', '.join(sorted(SUFFIXES))}, or {shown(ALL_CHECKS)} for all",
        )
    )


def _is_known(written: str) -> bool:
    resource = _resource(written)
    return resource is not None and not container_resource_problems(resource)


def _resource(written: str) -> str | None:
    """The resource of an id; None where it does not end like one."""
    for suffix in SUFFIXES:
        if written.endswith(f".{suffix}"):
            return written[: -len(suffix) - 1].removeprefix(POD)
    return None


def _nearest(written: str) -> str:
    domain, slash, rest = written[:128].removeprefix(POD).rpartition("/")
    resource = _resource(written) or f"{domain}{slash}{rest.partition('.')[0]}"
    resources = (resource, *RESOURCES) if not container_resource_problems(resource) else RESOURCES
    known = [f"{before}{name}.{suffix}" for before in ("", POD) for name in resources for suffix in sorted(SUFFIXES)]
    close = difflib.get_close_matches(written[:128], known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""
