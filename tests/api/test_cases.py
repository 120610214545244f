"""Every case through `POST /v1/audit` of a running server: all manifests in one body, judged by its policies."""

from datetime import UTC, datetime

import pytest

from tests.cases.case import cases
from tests.cases.reports import Rows, assert_reported, rows_of, stands_in_a_file
from tests.cases.scene import Scene, scenes, stream, write_policies
from tests.cases.serving import PlimsollServer

ALL = scenes(filter(stands_in_a_file, cases()), datetime.now(UTC))


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    policies = tmp_path_factory.mktemp("policies")
    write_policies(ALL, policies)
    manifests = stream(each for staged in ALL for each in (staged.object, staged.deployment) if each is not None)
    with PlimsollServer(policies, tmp_path_factory.mktemp("served")) as server, server.client() as client:
        reply = client.post("/v1/audit", content=manifests, headers={"Content-Type": "application/yaml"})
    assert reply.status_code == 200, reply.text[:500]
    return rows_of(reply.json())


@pytest.mark.parametrize("staged", [pytest.param(each, id=str(each)) for each in ALL])
def test_a_manifest_is_judged_as_expected(audited: Rows, staged: Scene) -> None:
    assert_reported(staged, audited[staged.name, staged.object["kind"]], staged.object)
    if staged.deployment is not None:
        assert_reported(staged, audited[staged.name, "Deployment"], staged.deployment)
