"""Whose word counts: by the account that asks, and by nothing that is written in the object."""

from __future__ import annotations

import pytest

from tests.admission.questions import question


@pytest.mark.parametrize(
    ("username", "is_controller", "is_node"),
    [
        ("system:kube-controller-manager", True, False),
        ("system:serviceaccount:kube-system:replicaset-controller", True, False),
        ("system:serviceaccount:kube-system:job-controller", True, False),
        ("system:serviceaccount:kube-system:default", False, False),
        ("system:serviceaccount:kube-system:", False, False),
        ("system:serviceaccount:shop:replicaset-controller", False, False),
        ("system:serviceaccount:kube-systems:replicaset-controller", False, False),
        ("replicaset-controller", False, False),
        ("system:node:worker-1", False, True),
        ("system:nodeworker", False, False),
        ("node:system:node:worker-1", False, False),
        ("kubernetes-admin", False, False),
        ("", False, False),
    ],
)
def test_an_account_is_believed_by_its_name(username: str, is_controller: bool, is_node: bool) -> None:
    asked = question({"kind": "Pod"}, username=username)
    assert asked.is_from_controller is is_controller
    assert asked.is_from_node is is_node
