"""``plimsoll check`` as people and pipelines use it: exit codes, streams, policies from everywhere."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.material import (
    BROKEN,
    DEPLOYMENT,
    EXEMPTION,
    POLICY,
    PROGRAM,
    SERVICE,
    SIZED,
    environment,
    files,
    run,
)

WARNING = POLICY.replace("Enforce", "Warn").replace("guard", "warner")
AUDIT = POLICY.replace("Enforce", "Audit").replace("guard", "auditor")


def test_what_passes_is_exit_0_and_what_would_be_refused_exit_1(tmp_path: Path) -> None:
    folder = files(tmp_path, good=SIZED, bad=DEPLOYMENT)
    good, bad = run("check", folder / "good.yaml"), run("check", folder / "bad.yaml")
    assert (good.returncode, good.stderr) == (0, "")
    assert (bad.returncode, bad.stderr) == (1, "")
    assert "FAIL  Deployment shop/web, line 1: its Pods are refused" in bad.stdout
    assert "memory: 256Mi" in bad.stdout


def test_the_yaml_that_is_offered_makes_it_pass(tmp_path: Path) -> None:
    text = run("check", "--format", "json", "-", stdin=DEPLOYMENT).stdout
    offered = json.loads(text)["rows"][0]["yaml"]
    mended = DEPLOYMENT[: DEPLOYMENT.index("spec:")] + offered
    assert run("check", "-", stdin=mended).returncode == 0


def test_the_first_line_says_which_policies_are_used_and_the_last_which_governed(tmp_path: Path) -> None:
    lines = run("check", "-", stdin=DEPLOYMENT).stdout.splitlines()
    assert lines[0] == "policies: memory-guard (preset; --policies names others)"
    assert lines[-1] == "1 fail; policy memory-guard"


def test_policies_are_a_file_a_folder_or_the_name_of_a_preset(tmp_path: Path) -> None:
    folder = files(tmp_path / "policies", guard=POLICY)
    for source in (folder, folder / "guard.yaml"):
        shown = run("check", "--policies", source, "-", stdin=DEPLOYMENT)
        assert (shown.returncode, shown.stdout.splitlines()[0]) == (1, f"policies: {source}")
        assert "memory: 128Mi" in shown.stdout
    preset = run("check", "--policies", "guaranteed", "-", stdin=DEPLOYMENT)
    assert preset.stdout.splitlines()[0] == "policies: guaranteed (preset)"
    assert "cpu.limit.required" in preset.stdout


def test_a_path_wins_over_a_preset_of_the_same_name(tmp_path: Path) -> None:
    files(tmp_path / "guaranteed", guard=POLICY)
    shown = subprocess.run(
        [PROGRAM, "check", "--policies", "guaranteed", "-"],
        input=DEPLOYMENT,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stdout.splitlines()[-1] == "1 fail; policy guard"


def test_policies_and_exemptions_among_the_manifests_are_applied(tmp_path: Path) -> None:
    shown = run("check", files(tmp_path, a=DEPLOYMENT, b=POLICY, c=EXEMPTION))
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[0] == "policies: the input"
    assert "exempted by legacy until 2999-01-01 (team: because)" in shown.stdout


def test_exemptions_among_the_manifests_hold_against_the_preset_too(tmp_path: Path) -> None:
    shown = run("check", files(tmp_path, a=DEPLOYMENT, c=EXEMPTION))
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (
        0,
        "1 skip; 1 object without a pod template; policy memory-guard",
    )


def test_a_policy_folder_inside_the_judged_tree_is_read_once(tmp_path: Path) -> None:
    files(tmp_path / "policies", guard=POLICY)
    files(tmp_path, web=DEPLOYMENT)
    shown = run("check", "--policies", tmp_path / "policies", tmp_path)
    assert (shown.returncode, shown.stderr) == (1, "")
    assert shown.stdout.splitlines()[-1] == "1 fail; 1 object without a pod template; policy guard"


def test_namespaces_and_limit_ranges_among_the_manifests_count(tmp_path: Path) -> None:
    by_label = POLICY.replace('include: ["*"]', "selector: {matchLabels: {tier: shop}}")
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: shop}}\n"
    own = (
        "apiVersion: v1\nkind: LimitRange\nmetadata: {name: own, namespace: shop}\n"
        "spec: {limits: [{type: Container, default: {memory: 32Mi}}]}\n"
    )
    folder = files(tmp_path / "policies", guard=by_label)
    assert "skip  1 workload: no policy governs" in run("check", "--policies", folder, "-", stdin=DEPLOYMENT).stdout
    described = f"{namespace}---\n{DEPLOYMENT}"
    assert run("check", "--policies", folder, "-", stdin=described).returncode == 1
    assert run("check", "--policies", folder, "-", stdin=f"{own}---\n{described}").returncode == 0


def test_the_namespace_option_is_that_of_objects_without_one(tmp_path: Path) -> None:
    folder = files(tmp_path, guard=POLICY.replace('"*"', "shop"))
    bare = DEPLOYMENT.replace("  namespace: shop\n", "")
    assert run("check", "--policies", folder, "-", stdin=bare).returncode == 0
    assert run("check", "--policies", folder, "--namespace", "shop", "-", stdin=bare).returncode == 1


def test_all_problems_of_the_policies_are_exit_2_with_file_and_line(tmp_path: Path) -> None:
    first = POLICY.replace("Enforce", "Enfroce")
    second = POLICY.replace("128Mi", "128MB").replace("guard", "other")
    folder = files(tmp_path, first=first, second=second)
    shown = run("check", "--policies", folder, "-", stdin=DEPLOYMENT)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert f"{folder}/first.yaml:6: /spec/mode: " in shown.stderr
    assert f"{folder}/second.yaml:7: /spec/containers/default/memory: " in shown.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [(POLICY.replace("Enforce", "Enfroce"), "/spec/mode"), (EXEMPTION.replace("owner: team, ", ""), "owner")],
)
def test_a_wrong_policy_or_exemption_among_the_manifests_is_exit_2_too(tmp_path: Path, text: str, said: str) -> None:
    shown = run("check", files(tmp_path, a=DEPLOYMENT, b=text))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert said in shown.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", "one of the presets guaranteed, memory-guard, mesh, no-cpu-limits, quota-ready"),
        ("empty", "there is no *.yaml, *.yml or *.json file in it"),
        ("service", "there is no ClusterLimitPolicy in it"),
    ],
)
def test_policies_that_are_none_are_exit_2_and_say_what_is_needed(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    files(tmp_path / "service", ns="apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    shown = run("check", "--policies", tmp_path / name, "-", stdin=DEPLOYMENT)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert said in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check"], "Missing argument"),
        (["check", "--formt", "json", "-"], "Did you mean '--format'?"),
        (["chekc", "-"], "Did you mean 'check'?"),
        (["check", "--fail-on", "sometimes", "-"], "'deny', 'warn', 'audit', 'empty', 'never'"),
        (["check", "--fail-on", "never", "--fail-on", "warn", "-"], "cannot be joined"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_what_would_do(arguments: list[str], said: str) -> None:
    shown = run(*arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert said in shown.stderr


def test_what_cannot_be_judged_is_exit_3_with_the_rest_of_the_report(tmp_path: Path) -> None:
    folder = files(tmp_path, a=BROKEN, b=DEPLOYMENT, c="kind: [\n")
    shown = run("check", folder, tmp_path / "missing.yaml")
    assert shown.returncode == 3
    assert shown.stdout.splitlines()[-1] == "1 fail, 3 error; policy memory-guard"
    assert "missing.yaml\n  ERROR this document\n    no such file or folder" in shown.stdout


def test_a_wrong_limit_range_among_the_manifests_is_exit_3(tmp_path: Path) -> None:
    bad = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: own}\nspec: {limits: [{type: Pot}]}\n"
    shown = run("check", files(tmp_path, a=bad, b=SIZED))
    assert shown.returncode == 3
    assert "line 4    /spec/limits/0/type: the API server would refuse this LimitRange" in shown.stdout


@pytest.mark.parametrize(
    ("policy", "codes"),
    [
        (POLICY, {"deny": 1, "warn": 1, "audit": 1, "empty": 1, "never": 0}),
        (WARNING, {"deny": 0, "warn": 1, "audit": 1, "empty": 0, "never": 0}),
        (AUDIT, {"deny": 0, "warn": 0, "audit": 1, "empty": 0, "never": 0}),
    ],
)
def test_the_failure_level_decides(tmp_path: Path, policy: str, codes: dict[str, int]) -> None:
    folder = files(tmp_path, policy=policy)
    found = {
        level: run("check", "--policies", folder, "--fail-on", level, "-", stdin=DEPLOYMENT).returncode
        for level in codes
    }
    assert found == codes


def test_an_input_without_workloads_says_so_and_fails_only_when_asked_to() -> None:
    shown = run("check", "-", stdin=SERVICE)
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (
        0,
        "nothing to audit: 1 document read, 1 object without a pod template",
    )
    assert run("check", "--fail-on", "empty", "-", stdin=SERVICE).returncode == 1
    assert run("check", "--fail-on", "empty", "-", stdin="").returncode == 1
    assert run("check", "--fail-on", "empty", "--fail-on", "warn", "-", stdin=SIZED).returncode == 0


def test_json_has_the_rows_of_the_text_in_the_same_order_and_the_same_bytes_twice(tmp_path: Path) -> None:
    folder = files(tmp_path, a=DEPLOYMENT, b=SIZED, c=BROKEN, d=f"{SERVICE}---\n# Source: chart/x.yaml\n{DEPLOYMENT}")
    first, second = (run("check", "--format", "json", folder) for _ in range(2))
    assert first.stdout == second.stdout
    report = json.loads(first.stdout)
    assert [row["result"] for row in report["rows"]] == ["fail", "pass", "error", "fail"]
    assert report["rows"][3]["origin"]["source"] == "chart/x.yaml"
    assert report["summary"] == {"pass": 1, "fail": 2, "warn": 0, "error": 1, "skip": 0}
    assert report["input"] == {"documents": 5, "withoutTemplate": 1}
    assert (first.returncode, first.stderr) == (3, "")


def test_what_helm_prints_is_grouped_by_its_templates() -> None:
    text = f"---\n# Source: web/templates/a.yaml\n{DEPLOYMENT}---\n# Source: web/templates/b.yaml\n{SIZED}"
    shown = run("check", "-", stdin=text).stdout
    assert "web/templates/a.yaml (in standard input)\n  FAIL  Deployment shop/web, line 3" in shown
    assert shown.endswith("1 fail, 1 pass; policy memory-guard\n")


def test_an_unrendered_helm_template_says_what_to_do(tmp_path: Path) -> None:
    shown = run("check", files(tmp_path, a="{{- if .Values.x }}\nkind: Pod\n{{- end }}\n"))
    assert shown.returncode == 3
    assert "render it first: helm template NAME CHART | plimsoll check -" in shown.stdout


def test_quiet_prints_what_is_wrong_and_the_summary() -> None:
    assert run("check", "--quiet", "-", stdin=SIZED).stdout.splitlines()[1:] == ["", "1 pass; policy memory-guard"]


@pytest.mark.parametrize(
    ("color", "variables", "coloured"),
    [
        ("auto", {}, False),
        ("always", {}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "0"}, False),
    ],
)
def test_colour_in_a_pipe_is_only_there_when_asked_for(
    color: str, variables: dict[str, str], *, coloured: bool
) -> None:
    shown = run("check", "--color", color, "-", stdin=DEPLOYMENT, **variables)
    assert ("\x1b[" in shown.stdout) is coloured
    assert shown.stderr == ""


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_a_terminal_gets_colour(tmp_path: Path, variables: dict[str, str], *, coloured: bool) -> None:
    ours, theirs = pty.openpty()
    path = files(tmp_path, a=DEPLOYMENT) / "a.yaml"
    with subprocess.Popen(
        [PROGRAM, "check", path], stdout=theirs, stderr=theirs, env=environment(**variables)
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            pass  # the terminal's other end is closed
        assert process.wait(60) == 1
    os.close(ours)
    assert (b"\x1b[" in shown) is coloured
    assert b"FAIL" in shown


def test_a_reader_that_goes_away_ends_it_without_a_word() -> None:
    with subprocess.Popen(
        [PROGRAM, "check", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(DEPLOYMENT.encode())
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_an_interrupt_while_reading_says_that_nothing_was_judged(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [PROGRAM, "check", pipe], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        writer = os.open(pipe, os.O_WRONLY)  # waits until it is being read
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        os.close(writer)
    assert process.returncode == 130
    assert out.splitlines()[-1] == "incomplete: interrupted while reading; nothing was judged"
    assert err == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_interrupt_while_judging_ends_with_what_is_known(tmp_path: Path, form: str) -> None:
    many = files(tmp_path, a="---\n".join([DEPLOYMENT] * 2000)) / "a.yaml"
    with subprocess.Popen(
        [PROGRAM, "check", "--format", form, many], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdout is not None
        first = process.stdout.read(1)  # its output is larger than a pipe: it waits for us from here on
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    shown = (first + out).decode()
    assert (process.returncode, err) == (130, b"")
    if form == "json":
        report = json.loads(shown)
        assert report["incomplete"].startswith("interrupted")
        assert len(report["rows"]) == report["summary"]["fail"] < 2000
    else:
        assert shown.splitlines()[-1].startswith("incomplete: interrupted")
        assert 0 < shown.count("FAIL") < 2000


def test_names_that_the_terminal_cannot_show_do_not_end_the_report() -> None:
    text = DEPLOYMENT.replace("name: web\n        image", "name: wéb\n        image")
    shown = run("check", "-", stdin=text, PYTHONIOENCODING="ascii")
    assert shown.returncode in (1, 3)
    assert shown.stdout.splitlines()[-1].startswith("1 ")
    assert shown.stderr == ""


def test_it_loads_neither_server_nor_settings_nor_client(tmp_path: Path) -> None:
    path = files(tmp_path, a=DEPLOYMENT) / "a.yaml"
    script = (
        "import sys\nfrom plimsoll.cli import main\n"
        f"try: main(['check', {str(path)!r}])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)\n"
    )
    python = str(Path(PROGRAM).with_name("python"))
    loaded = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stderr.split()
    heavy = {"fastapi", "starlette", "uvicorn", "kubernetes", "pydantic_settings", "rich", "structlog", "cryptography"}
    assert "plimsoll.policy.evaluation" in loaded
    assert heavy.isdisjoint(loaded)


def test_help_fits_a_screen_and_ends_with_examples() -> None:
    for command in ("check", "explain"):
        lines = run(command, "--help").stdout.splitlines()
        assert len(lines) <= 40
        assert max(map(len, lines)) <= 100
        assert any(line.startswith("  Examples:") for line in lines[-6:])
