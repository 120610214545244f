"""What a Report must hold of a case, whoever printed it: `plimsoll check` or the audit API.

A file has neither a user nor an object that was there before: cases about them are told by the other ways.
"""

import copy
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tests.cases.case import POD, Case, Object, containers
from tests.cases.manifests import amounts_of, as_it_arrives, expected_amounts, with_api_defaults
from tests.cases.scene import Scene

RESULTS = {"defaulted": "pass", "audit": "warn"}
"""A report's word where it differs from a case's."""
Rows = Mapping[tuple[str, str], list[Object]]
"""By namespace and kind of the object."""


def stands_in_a_file(case: Case) -> bool:
    return case.old is None and not case.user


def rows_of(report: Object) -> Rows:
    rows: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for row in report["rows"]:
        rows[row["object"]["namespace"], row["object"]["kind"]].append(row)
    return rows


def assert_reported(staged: Scene, rows: list[Object], obj: Object) -> None:
    expect, verdict = staged.case.expect, staged.verdict
    expected = expect.check or RESULTS.get(verdict, verdict)
    if expect.exempted and not expect.checks:
        expected = "skip"  # what was filled in beside it does not hide that something is exempted
    results = {row["result"] for row in rows}
    assert results - {"pass"} == {expected} - {"pass"}, rows
    if verdict == "error":
        said = f"{path_of(rows[0]['error']['pointer'])}: {rows[0]['error']['message']}"
        assert [phrase for phrase in expect.message if phrase not in said] == []
        return
    if expect.reason.startswith("no policy"):
        assert expect.reason in rows[0]["reason"].replace("governs namespace", "governs the namespace")
        return
    found = [result for row in rows for result in row["results"]]
    assert checks_of(found, {"fail", "warn"}) == expect.checks
    assert checks_of(found, {"skip"}) == expect.exempted
    paths = [path_of(result["pointer"]) for result in found]
    assert [field for field in expect.fields if not any(field in path for path in paths)] == []
    assert amounts_with(rows, baseline(staged, obj)) == expected_amounts(expect.resources)
    advice = [each["message"] for row in rows for each in row.get("advice", ())]
    assert [says for says in expect.warnings if not any(says in line for line in advice)] == []
    assert bool(advice) is bool(expect.warnings)
    if expect.refused_by.get("Enforce") and not expect.checks:
        predicted = " ".join(each["message"] for row in rows for each in row["predictions"])
        assert [says for says in expect.server_says if says not in predicted] == []


def checks_of(found: list[Object], wanted: set[str]) -> dict[str, set[str]]:
    """Container → ids of the checks with one of these results."""
    checks: dict[str, set[str]] = defaultdict(set)
    for result in found:
        if result["result"] in wanted:
            checks[result["container"] or POD].add(result["check"])
    return dict(checks)


def baseline(staged: Scene, obj: Object) -> dict[str, Any]:
    """Container → what Kubernetes itself makes of its resources before the policy acts."""
    before = as_it_arrives(staged.case, obj) if obj["kind"] == "Pod" else with_api_defaults({"spec": obj})
    if staged.deployment is obj:
        before = as_it_arrives(staged.case, staged.object)
    return {container["name"]: container.get("resources", {}) for _, container in containers(before)}


def amounts_with(rows: list[Object], before: dict[str, Any]) -> dict[str, Any]:
    """The same after the settings that the report promises, and after the API server's own defaulting."""
    after = copy.deepcopy(before)
    for row in rows:
        for setting in row.get("settings", ()):
            side = after[setting["container"]].setdefault(setting["field"] + "s", {})
            if "after" in setting:
                side[setting["resource"]] = setting["after"]
            else:
                del side[setting["resource"]]
    for resources in after.values():
        resources["requests"] = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    found = {name: amounts_of(resources) for name, resources in after.items()}
    return {name: amounts for name, amounts in found.items() if amounts}


def path_of(pointer: str) -> str:
    """A JSON Pointer as people write it: /spec/containers/0 is spec.containers[0]."""
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    return "".join(f"[{token}]" if token.isdigit() else f".{token}" for token in tokens).removeprefix(".")
