"""The Snapshot: an immutable picture of policies, exemptions, namespaces and LimitRanges, and what governs a namespace.

Replaced as a whole when something changes; a request looks up one namespace and sees nothing else. What governs a
namespace is worked out at its first request and kept with the snapshot, so that 1,000 policies cost a review what one
costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from plimsoll.policy.limitranger import LimitRange
from plimsoll.policy.model import NAME_LABEL, Exemption, Namespace, Policy

REMEMBERED_NAMESPACES = 20_000
"""Bound of the memory of answers; beyond it namespaces are worked out anew."""


class Governance(Struct, frozen=True):
    """What governs one namespace now."""

    namespace: Namespace
    policy: Policy | None
    """The highest matching policy; None where none matches."""
    exemptions: tuple[Exemption, ...] = ()
    """Those whose namespaces match; expired ones too, since only a request knows the time."""
    limit_ranges: tuple[LimitRange, ...] = ()
    others: tuple[str, ...] = ()
    """Names of further policies of the same priority that match, and lost by their name."""


class Snapshot:
    """Policies and their context. Never changed after it was made, but for its memory of answers."""

    __slots__ = ("_answers", "exemptions", "limit_ranges", "namespaces", "policies")

    def __init__(
        self,
        policies: Iterable[Policy] = (),
        exemptions: Iterable[Exemption] = (),
        namespaces: Iterable[Namespace] = (),
        limit_ranges: Mapping[str, Iterable[LimitRange]] | None = None,
    ) -> None:
        """``limit_ranges`` by namespace. Governing order: higher priority first, then the first name."""
        self.policies = tuple(sorted(policies, key=lambda policy: (-policy.priority, policy.name)))
        self.exemptions = tuple(sorted(exemptions, key=lambda exemption: exemption.name))
        self.namespaces = {namespace.name: namespace for namespace in namespaces}
        self.limit_ranges = {
            name: tuple(sorted(ranges, key=lambda limit_range: limit_range.name))
            for name, ranges in (limit_ranges or {}).items()
        }
        self._answers: dict[str, Governance] = {}

    def governance_for(self, namespace: str) -> Governance:
        """What governs ``namespace``; one that was never described has no label but its name."""
        answer = self._answers.get(namespace)
        if answer is None:
            if len(self._answers) >= REMEMBERED_NAMESPACES:
                self._answers.clear()
            known = self.namespaces.get(namespace) or Namespace(namespace, {NAME_LABEL: namespace})
            answer = self._answers[namespace] = self._governance(known)
        return answer

    def _governance(self, namespace: Namespace) -> Governance:
        name, labels = namespace.name, namespace.labels
        policy: Policy | None = None
        others: list[str] = []
        for candidate in self.policies:
            if policy is not None and candidate.priority < policy.priority:
                break
            if candidate.namespaces.match(name, labels):
                if policy is None:
                    policy = candidate
                else:
                    others.append(candidate.name)
        return Governance(
            namespace=namespace,
            policy=policy,
            exemptions=tuple(e for e in self.exemptions if e.namespaces is None or e.namespaces.match(name)),
            limit_ranges=self.limit_ranges.get(name, ()),
            others=tuple(others),
        )
