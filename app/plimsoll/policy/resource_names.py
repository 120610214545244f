"""What the API server makes of a resource's name: native, extended or hugepages, and whether a container may use it.

Texts are the server's own, since they are predictions of what it will answer. Knows no amounts and no objects.
Follows kubernetes/kubernetes pkg/apis/core/helper/helpers.go and pkg/apis/core/validation/validation.go, and IsLabelKey
of k8s.io/apimachinery pkg/api/validate/content.
"""

from __future__ import annotations

import re
from typing import Final

from plimsoll.policy.quantity import shown

POD_LEVEL: Final = frozenset({"cpu", "memory"})
"""Beside hugepages, all that a pod's own ``spec.resources`` may name."""

_HUGEPAGES: Final = "hugepages-"
_REQUESTS: Final = "requests."
_NATIVE_DOMAIN: Final = "kubernetes.io/"
_OF_CONTAINERS: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_COUNTS: Final = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
    }
)
_STANDARD: Final = (
    _OF_CONTAINERS
    | _COUNTS
    | {"storage", "requests.storage"}
    | {f"{side}.{resource}" for side in ("requests", "limits") for resource in _OF_CONTAINERS}
)

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_SUBDOMAIN: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_NAME_RULE: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    " (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_SUBDOMAIN_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    r" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def is_hugepages(name: str) -> bool:
    """``hugepages-2Mi`` and the like."""
    return name.startswith(_HUGEPAGES)


def page_size_text(name: str) -> str:
    """``2Mi`` of ``hugepages-2Mi``."""
    return name.removeprefix(_HUGEPAGES)


def is_native(name: str) -> bool:
    """Unprefixed, or with ``kubernetes.io/`` anywhere in it: ``foo.kubernetes.io/bar`` is native too."""
    return "/" not in name or _NATIVE_DOMAIN in name


def is_extended(name: str) -> bool:
    """``nvidia.com/gpu``: foreign, and still a legal name once quota has put ``requests.`` before it."""
    return not is_native(name) and not name.startswith(_REQUESTS) and not qualified_name_problems(_REQUESTS + name)


def may_overcommit(name: str) -> bool:
    """True when a request may be lower than its limit."""
    return is_native(name) and not is_hugepages(name)


def is_whole(name: str) -> bool:
    """True when the server takes only whole amounts of it."""
    return name in _COUNTS or is_extended(name)


def container_resource_problems(name: str) -> tuple[str, ...]:
    """Why a container's requests and limits may not name it; empty when they may."""
    problems = resource_problems(name)
    if "/" not in name:
        if name not in _OF_CONTAINERS and not is_hugepages(name):
            return (*problems, invalid(name, "must be a standard resource for containers"))
    elif not is_native(name) and not is_extended(name):
        return (*problems, invalid(name, "doesn't follow extended resource name standard"))
    return problems


def pod_resource_problems(name: str) -> tuple[str, ...]:
    """Why a pod's own ``spec.resources`` may not name it; empty when it may."""
    problems = resource_problems(name)
    if not problems and name not in POD_LEVEL and not is_hugepages(name):
        return (f'Unsupported value: "{plain_name(name)}": supported values: "cpu", "{_HUGEPAGES}", "memory"',)
    return problems


def resource_problems(name: str) -> tuple[str, ...]:
    """Why it is no resource name anywhere in the API; empty when it is one."""
    problems = tuple(invalid(name, problem) for problem in qualified_name_problems(name))
    if not problems and "/" not in name and name not in _STANDARD and not _is_hugepages_of_quota(name):
        return (invalid(name, "must be a standard resource type or fully qualified"),)
    return problems


def qualified_name_problems(name: str) -> tuple[str, ...]:
    """Why it is no name with an optional domain before a slash; empty when it is one."""
    problems: list[str] = []
    prefix, slash, last = name.rpartition("/")
    if "/" in prefix:
        return (
            f"a valid label key {_NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        if len(prefix.encode()) > 253:
            problems.append("prefix part must be no more than 253 bytes")
        if _SUBDOMAIN.fullmatch(prefix) is None:
            problems.append(f"prefix part {_SUBDOMAIN_RULE}")
    if not last:
        problems.append("name part must be non-empty")
    elif len(last.encode()) > 63:
        problems.append("name part must be no more than 63 bytes")
    if _NAME.fullmatch(last) is None:
        problems.append(f"name part {_NAME_RULE}")
    return tuple(problems)


def invalid(value: str, detail: str) -> str:
    """The server's form of a complaint about a text."""
    return f'Invalid value: "{plain_name(value)}": {detail}'


def plain_name(name: str) -> str:
    """The name inside a sentence: a legal one as it is, any other shortened and printable."""
    return shown(name)[1:-1] if qualified_name_problems(name) else name


def _is_hugepages_of_quota(name: str) -> bool:
    return name.startswith((_HUGEPAGES, _REQUESTS + _HUGEPAGES))
