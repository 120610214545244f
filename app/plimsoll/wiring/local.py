"""Policies from texts, without a cluster: what ``serve`` starts from, and again whenever its files change.

Must not read files: ``files.policies`` does, and keeps the last good version.
"""

from __future__ import annotations

from collections.abc import Sequence

from plimsoll.errors import InvalidPolicy, Problem
from plimsoll.files.manifests import Manifest
from plimsoll.schemas.compile import Loaded, load


def compile_policies(manifests: Sequence[Manifest]) -> Loaded:
    """All texts compiled, with their Snapshot. Raises InvalidPolicy with every problem.

    A server without any policy would look as if it guarded something, so that is a problem too.
    """
    loaded = load((manifest.origin, manifest.text) for manifest in manifests)
    if not loaded.policies:
        reason = "there is no ClusterLimitPolicy in it; at least one is needed"
        raise InvalidPolicy([Problem(manifests[0].origin if manifests else "", None, "", reason)])
    _ = loaded.snapshot  # built here, where compiling has its time, not in a request
    return loaded
