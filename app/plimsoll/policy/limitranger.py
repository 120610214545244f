"""What the API server's LimitRanger will do, or did, to a pod.

Follows kubernetes/kubernetes plugin/pkg/admission/limitranger/admission.go and the LimitRange defaulting of
pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from plimsoll.policy.quantity import Quantity


class LimitRangeItem(Struct, frozen=True):
    """One entry of ``spec.limits``; for type Container, ``default`` and ``default_request`` hold derived values too."""

    type: str
    default: Mapping[str, Quantity] = {}
    default_request: Mapping[str, Quantity] = {}
    min: Mapping[str, Quantity] = {}
    max: Mapping[str, Quantity] = {}
    ratio: Mapping[str, Quantity] = {}


class LimitRange(Struct, frozen=True):
    """A LimitRange of one namespace; ``managed`` is one that Plimsoll itself keeps there."""

    name: str
    items: tuple[LimitRangeItem, ...] = ()
    managed: bool = False
