"""Every case through `plimsoll check`: all manifests and all policies in one run of the real program."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cases.case import cases
from tests.cases.reports import Rows, assert_reported, rows_of, stands_in_a_file
from tests.cases.scene import Scene, scenes, stream, write_policies

NOT_JUDGED = 3
ALL = scenes(filter(stands_in_a_file, cases()), datetime.now(UTC))


@dataclass(frozen=True)
class Checked:
    """What one run of `check` said, and its exit code."""

    rows: Rows
    code: int
    errors: str


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    policies, manifests = tmp_path_factory.mktemp("policies"), tmp_path_factory.mktemp("manifests")
    write_policies(ALL, policies)
    for staged in ALL:
        objects = [staged.object, *filter(None, (staged.deployment,))]
        (manifests / f"{staged.name}.yaml").write_text(stream(objects))
    program = Path(sys.executable).with_name("plimsoll")
    command = [str(part) for part in (program, "check", "--policies", policies, "--format", "json", manifests)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return Checked(rows_of(json.loads(run.stdout)), run.returncode, run.stderr)


def each(chosen: list[Scene]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("staged", [pytest.param(staged, id=str(staged)) for staged in chosen])


@each(ALL)
def test_a_manifest_is_judged_as_expected(checked: Checked, staged: Scene) -> None:
    assert_reported(staged, checked.rows[staged.name, staged.object["kind"]], staged.object)


@each([staged for staged in ALL if staged.deployment is not None])
def test_its_deployment_gets_the_verdict_of_the_pod(checked: Checked, staged: Scene) -> None:
    assert staged.deployment is not None
    assert_reported(staged, checked.rows[staged.name, "Deployment"], staged.deployment)


def test_what_cannot_be_judged_decides_the_exit_code(checked: Checked) -> None:
    assert checked.code == NOT_JUDGED
    assert checked.errors == ""
