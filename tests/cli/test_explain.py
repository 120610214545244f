"""``plimsoll explain`` as people use it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.material import BROKEN, DEPLOYMENT, POLICY, SERVICE, files, run

APPLYING = POLICY.replace("mode: Enforce", "mode: Enforce\n  defaulting: Apply")


def test_each_value_is_explained_and_a_violation_fails_nothing(tmp_path: Path) -> None:
    folder = files(tmp_path, guard=APPLYING)
    shown = run("explain", "--policies", folder, "-", stdin=DEPLOYMENT)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines()[0] == f"policies: {folder}"
    assert "    limits.memory    128Mi   policy default  required, default 128Mi" in shown.stdout
    assert "QoS class   BestEffort → Burstable" in shown.stdout
    assert run("explain", "-", stdin=DEPLOYMENT).returncode == 0


def test_json_says_the_same(tmp_path: Path) -> None:
    shown = run("explain", "--policies", files(tmp_path, guard=APPLYING), "--format", "json", "-", stdin=DEPLOYMENT)
    document = json.loads(shown.stdout)
    [workload] = document["workloads"]
    assert (document["kind"], workload["policy"]["because"]) == ("Explanation", 'include "*"')
    [value] = [v for v in workload["containers"][0]["values"] if v["field"] == "limit" and v["resource"] == "memory"]
    assert (value["amount"], value["origin"], value["name"]) == ("128Mi", "policy default", "guard")


def test_every_workload_of_the_file_is_explained_and_errors_are_exit_3() -> None:
    shown = run("explain", "-", stdin=f"{DEPLOYMENT}---\n{SERVICE}---\n{BROKEN}---\n{DEPLOYMENT}")
    assert shown.returncode == 3
    assert shown.stdout.count("\nFAIL Deployment shop/web") == 2
    assert "\nERROR Pod default/(unnamed)" in shown.stdout


def test_an_input_without_workloads_says_so() -> None:
    shown = run("explain", "-", stdin=SERVICE)
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (
        0,
        "nothing to explain: 1 document read, none carries a pod template",
    )


def test_wrong_policies_are_exit_2(tmp_path: Path) -> None:
    folder = files(tmp_path, guard=POLICY.replace("Enforce", "Enfroce"))
    shown = run("explain", "--policies", folder, "-", stdin=DEPLOYMENT)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "/spec/mode" in shown.stderr


def test_colour_is_there_when_asked_for() -> None:
    assert "\x1b[" in run("explain", "--color", "always", "-", stdin=DEPLOYMENT).stdout
    assert "\x1b[" not in run("explain", "-", stdin=DEPLOYMENT).stdout
