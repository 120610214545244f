"""Fixtures of the tests that need a real API server: one control plane per version and session.

Every test that takes `control_plane` is marked `apiserver` and runs once per version, its id ending in the version.
Without binaries it is skipped with the command that makes them; with CI set it fails instead.
"""

import os
from collections.abc import Generator, Iterator

import pytest

from tests.control_plane.build import CannotBuild, binaries_for, versions
from tests.control_plane.control_plane import ControlPlane

LOG_LINES = 25


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "control_plane" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.apiserver)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "control_plane" in metafunc.fixturenames:
        try:
            wanted = versions()
        except CannotBuild as problem:
            raise pytest.UsageError(str(problem)) from problem
        metafunc.parametrize("control_plane", wanted, indirect=True, scope="session")


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running API server of one version. Its logs stay in pytest's temporary folder."""
    version: str = request.param
    binaries = binaries_for(version)
    if not binaries.complete:
        missing = (
            f"needs etcd and kube-apiserver {version}, which are not in {binaries.folder}; "
            "`./scripts/test` builds them, or alone: `.venv/bin/python -m tests.control_plane.build`"
        )
        if os.environ.get("CI"):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp(f"control-plane-{version}")
    with ControlPlane(version, binaries=binaries, folder=folder) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the API server said last."""
    report = yield
    running = getattr(item, "funcargs", {}).get("control_plane")
    if report.failed and isinstance(running, ControlPlane):
        for log in running.log_files:
            report.sections.append((str(log), "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])))
    return report
