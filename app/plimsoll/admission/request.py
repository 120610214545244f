"""The API server's question, reduced to what the answer depends on.

A value; who may be believed about what is said here, since it follows from the account alone.
"""

from __future__ import annotations

from msgspec import Raw, Struct

CONTROLLER_MANAGER = "system:kube-controller-manager"
SERVICE_ACCOUNTS = "system:serviceaccount:kube-system:"
NODE_PREFIX = "system:node:"


class AdmissionRequest(Struct, frozen=True, gc=False):
    """admission.k8s.io/v1 AdmissionRequest. The objects stay bytes until somebody needs to read them."""

    uid: str
    """New for each call: never an identity."""
    api_version: str
    """Of the object, as it was converted to: ``apps/v1``."""
    kind: str
    sub_resource: str
    operation: str
    """CREATE, UPDATE, DELETE or CONNECT."""
    name: str
    """Empty in the mutating phase where the API server has yet to generate it."""
    namespace: str
    username: str
    dry_run: bool
    object: Raw | None
    old_object: Raw | None

    @property
    def is_from_controller(self) -> bool:
        """True for accounts that Kubernetes' own controllers write with; only they are believed about owners."""
        return self.username == CONTROLLER_MANAGER or (
            self.username.startswith(SERVICE_ACCOUNTS) and self.username.endswith("-controller")
        )

    @property
    def is_from_node(self) -> bool:
        """True for a kubelet."""
        return self.username.startswith(NODE_PREFIX)
