"""A real Kubernetes control plane for tests: etcd and kube-apiserver on loopback, alone, for as long as a `with` lasts.

No controller manager, no scheduler, no kubelet: nothing makes Pods of a Deployment, nothing runs, and a deleted
namespace never goes away, so tests take fresh names. Nothing here knows Plimsoll.
"""

import itertools
import shutil
import ssl
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.control_plane import certificates
from tests.control_plane.api import Api, Kinds, Object
from tests.control_plane.build import Binaries, binaries_for
from tests.control_plane.processes import Server, free_ports

ADMIN = "admin"
DEVELOPER = "developer"
CONTROLLER_MANAGER = "system:kube-controller-manager"
CONTROLLERS = tuple(
    f"system:serviceaccount:kube-system:{name}"
    for name in (
        "cronjob-controller",
        "daemon-set-controller",
        "deployment-controller",
        "job-controller",
        "replicaset-controller",
        "replication-controller",
        "statefulset-controller",
    )
)
READY_SECONDS = 120.0
ATTEMPTS = 3

# What the developer may do: everything about workloads, nothing about the cluster.
_DEVELOPER_ROLE: Object = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "test-developer"},
    "rules": [{"apiGroups": ["", "apps", "batch"], "resources": ["*"], "verbs": ["*"]}],
}
_DEVELOPER_BINDING: Object = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "test-developer"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "test-developer"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": DEVELOPER}],
}


class DidNotStart(Exception):
    """etcd or kube-apiserver did not come up; the text ends with their last words."""


class ControlPlane:
    """`with ControlPlane("1.37.2") as cluster: cluster.admin.create(…)`.

    `folder` keeps the logs afterwards where it is given; otherwise all is temporary. `url` is the API server's,
    `ca` the PEM file to trust, `token(user)` a bearer token, so that any other client can be pointed at it.
    """

    def __init__(self, version: str, *, binaries: Binaries | None = None, folder: Path | None = None) -> None:
        self.version = version
        self.url = ""
        self._binaries = binaries or binaries_for(version)
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix=f"control-plane-{version}-"))
        self._servers: list[Server] = []
        self._clients: dict[str, httpx.Client] = {}
        self._kinds: Kinds | None = None
        self._serial = itertools.count(1)

    @property
    def minor(self) -> tuple[int, int]:
        """(1, 37): what a case's `since` is compared with."""
        major, minor, _ = self.version.split(".", 2)
        return int(major), int(minor)

    @property
    def ca(self) -> Path:
        return self.folder / "pki" / "ca.crt"

    @property
    def admin(self) -> Api:
        """Who may do anything (group system:masters)."""
        return self.as_user(ADMIN)

    def as_user(self, user: str) -> Api:
        """Calls as `developer`, one of CONTROLLERS, or CONTROLLER_MANAGER."""
        client = self._client(user)
        if self._kinds is None:
            self._kinds = Kinds(self._client(ADMIN))
        return Api(client, self._kinds)

    def token(self, user: str) -> str:
        """A bearer token for one of the users above."""
        return "token-of-" + user.replace(":", "-")

    def namespace(self, prefix: str = "test", *, labels: dict[str, str] | None = None) -> str:
        """Create a namespace that nothing has used before, and answer its name."""
        name = f"{prefix}-{next(self._serial)}"
        metadata = {"name": name, "labels": labels or {}}
        self.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}).expect_ok()
        return name

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    self._start()
                    break
                except DidNotStart as problem:
                    self._stop()
                    # A port that was free a moment ago may be gone: the one failure that a second attempt cures.
                    if attempt == ATTEMPTS or "address already in use" not in str(problem):
                        raise
            for obj in (_DEVELOPER_ROLE, _DEVELOPER_BINDING):
                self.admin.create(obj).expect_ok()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()
        shutil.rmtree(self.folder if self._temporary else self.folder / "etcd", ignore_errors=True)

    @property
    def log_files(self) -> list[Path]:
        """Where the servers' own words are, etcd first."""
        return [server.log for server in self._servers]

    def _start(self) -> None:
        client_port, peer_port, secure_port = free_ports(3)
        pki = certificates.issue(self.folder / "pki")
        tokens = self.folder / "pki" / "tokens.csv"
        tokens.write_text("".join(f'{self.token(user)},{user},{user},"{groups}"\n' for user, groups in _users()))
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)
        etcd_url, peer_url = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
        self._run(
            self._binaries.etcd,
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={etcd_url}",
            f"--advertise-client-urls={etcd_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--unsafe-no-fsync",
            "--log-level=error",
        )
        self._run(
            self._binaries.apiserver,
            f"--etcd-servers={etcd_url}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={secure_port}",
            f"--cert-dir={self.folder / 'pki'}",
            f"--tls-cert-file={pki.cert}",
            f"--tls-private-key-file={pki.key}",
            f"--token-auth-file={tokens}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki.key}",
            f"--service-account-signing-key-file={pki.key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            "--endpoint-reconciler-type=none",
            # Nobody makes the service accounts that this plug-in would ask for.
            "--disable-admission-plugins=ServiceAccount",
        )
        self.url = f"https://127.0.0.1:{secure_port}"
        self._wait_until_ready()

    def _run(self, program: Path, *flags: str) -> None:
        self._servers.append(Server([program, *flags], self.folder / f"{program.name}.log"))

    def _wait_until_ready(self) -> None:
        client = self._client(ADMIN)
        deadline = time.monotonic() + READY_SECONDS
        answer = "no answer"
        while time.monotonic() < deadline:
            for server in self._servers:
                if not server.alive:
                    raise DidNotStart(f"{server.name} {self.version} ended by itself. It said:\n{server.last_words()}")
            try:
                response = client.get("/readyz")
                if response.status_code == 200:
                    return
                answer = response.text
            except httpx.TransportError as problem:
                answer = str(problem)
            time.sleep(0.1)
        words = "\n".join(f"--- {server.name}:\n{server.last_words()}" for server in self._servers)
        raise DidNotStart(f"not ready after {READY_SECONDS:.0f} s ({answer})\n{words}")

    def _client(self, user: str) -> httpx.Client:
        if user not in self._clients:
            self._clients[user] = httpx.Client(
                base_url=self.url,
                verify=ssl.create_default_context(cafile=self.ca),
                headers={"Authorization": f"Bearer {self.token(user)}"},
                timeout=60.0,
                trust_env=False,
            )
        return self._clients[user]

    def _stop(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._kinds = None
        for server in reversed(self._servers):
            server.stop()
        self._servers.clear()


def _users() -> Iterable[tuple[str, str]]:
    """Each user with its groups, as the token file wants them."""
    yield ADMIN, "system:masters"
    yield DEVELOPER, "developers"
    yield CONTROLLER_MANAGER, ""
    for user in CONTROLLERS:
        yield user, "system:serviceaccounts,system:serviceaccounts:kube-system"
