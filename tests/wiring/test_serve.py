"""The whole server as a process: what it serves, what happens when its files change, how it starts and ends."""

import json
import os
import re
import signal
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from plimsoll.certs import x509

from tests.serving.running import is_closed, issue, read_response
from tests.webhook.reviews import body, pod, review
from tests.wiring.served import PROGRAM, Served, policy, until

JSON = {"content-type": "application/json"}
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: web, image: nginx}]}}}
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "guard.yaml").write_text(policy())
    return folder


def write(path: Path, text: str) -> None:
    """As an editor that takes care does: a new file in place of the old one."""
    new = path.with_name(path.name + "~")
    new.write_text(text)
    new.replace(path)


def test_one_port_serves_everything(policies: Path, tmp_path: Path) -> None:
    with Served(tmp_path, "--policies", str(policies)) as served, served.client() as client:
        response = client.post("/validate", content=body(review()), headers=JSON).json()["response"]
        assert response["allowed"] is False
        assert "guard" in response["status"]["message"]
        assert client.post("/mutate", content=body(review()), headers=JSON).json()["response"]["allowed"] is True
        assert client.get("/healthz").text == "ok\n"
        assert client.get("/readyz").text == "ok\n"
        verbose = client.get("/readyz?verbose").text
        assert f"[+]policies: 1 loaded from {policies}, version " in verbose
        assert "[+]certificate: valid until " in verbose
        assert "\nready\n" in verbose
        report = client.post("/v1/audit", content=DEPLOYMENT, headers={"content-type": "application/yaml"})
        assert report.status_code == 200
        assert [row["result"] for row in report.json()["rows"]] == ["fail"]
        assert report.json()["sources"] == [str(policies)]
        assert client.get("/docs").headers["content-type"] == "text/html; charset=utf-8"
        assert client.get("/openapi.json").json()["openapi"].startswith("3.")
        metrics = client.get("/metrics").text
        assert 'plimsoll_reviews_total{mode="Enforce",path="validate",policy="guard",verdict="denied"} 1.0' in metrics
        assert "plimsoll_policies 1.0" in metrics
        missing = client.get("/nothing")
        assert missing.status_code == 404
        assert "/v1/audit" in missing.json()["message"]
        until(lambda: served.events.count("reviewed") == 2, "two decisions are two lines")
        assert [line["level"] for line in served.lines if line["event"] == "reviewed"] == ["info", "info"]
    assert served.process.returncode == 0
    assert served.events[-2:] == ["draining", "stopped"]


def test_an_edit_is_in_force_soon_an_invalid_one_never_and_its_reason_is_said_everywhere(
    policies: Path, tmp_path: Path
) -> None:
    with Served(tmp_path, "--policies", str(policies)) as served, served.client() as client:
        write(policies / "guard.yaml", policy("second"))
        until(lambda: served.events.count("policies_loaded") == 2, "the edit is loaded")
        denied = client.post("/validate", content=body(review()), headers=JSON).json()["response"]
        assert "second" in denied["status"]["message"]

        write(policies / "guard.yaml", policy("third").replace("Enforce", "Enforced"))
        until(lambda: "policies_rejected" in served.events, "the bad edit is rejected")
        denied = client.post("/validate", content=body(review()), headers=JSON).json()["response"]
        assert "second" in denied["status"]["message"]
        [problem] = next(line["problems"] for line in served.lines if line["event"] == "policies_rejected")
        assert re.match(rf"{policies}/guard.yaml:6: /spec/mode: .*Enforced", problem)
        readiness = served.readiness()
        assert "[+]policies: 1 loaded from " in readiness
        assert "; the newest version is invalid and not in force: " in readiness
        assert problem in readiness
        assert "plimsoll_policies_stale 1.0" in client.get("/metrics").text
        assert client.get("/readyz").status_code == 200

        write(policies / "guard.yaml", policy("third"))
        until(lambda: served.events.count("policies_loaded") == 3, "the mended file is loaded")
        assert "invalid" not in served.readiness()
        report = client.post("/v1/audit", content=DEPLOYMENT, headers={"content-type": "application/yaml"}).json()
        assert [each["name"] for each in report["policies"]] == ["third"]


def test_a_restart_on_an_invalid_file_serves_the_last_good_policies_loudly(policies: Path, tmp_path: Path) -> None:
    with Served(tmp_path, "--policies", str(policies)):
        pass
    (policies / "guard.yaml").write_text("nonsense")
    with Served(tmp_path, "--policies", str(policies)) as served, served.client() as client:
        denied = client.post("/validate", content=body(review()), headers=JSON).json()["response"]
        assert "guard" in denied["status"]["message"]
        assert served.events[:2] == ["last_good_restored", "policies_rejected"]
        readiness = served.readiness()
        assert ", kept in the state folder since " in readiness
        assert "not in force: " in readiness


def test_a_first_start_on_invalid_policies_ends_with_all_problems_and_code_2(policies: Path, tmp_path: Path) -> None:
    (policies / "guard.yaml").write_text(policy().replace("Enforce", "Enforced").replace("memory", "memori"))
    (policies / "other.yaml").write_text("a: 1")
    served = Served(tmp_path, "--policies", str(policies))
    assert served.start().wait(30) == 2
    said = served.log.read_text()
    assert f"{policies}/guard.yaml:6: /spec/mode: " in said
    assert f"{policies}/other.yaml:1: " in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--policies or PLIMSOLL_POLICIES: nothing is given"),
        (["--policies", "/nowhere"], "/nowhere: no such file or folder"),
        (["--policies", "{policies}", "--tls-cert-file", "/nowhere"], "given without --tls-private-key-file"),
        (
            ["--policies", "{policies}", "--tls-cert-file", "/nowhere", "--tls-private-key-file", "/nowhere"],
            "/nowhere cannot be read: No such file or directory",
        ),
        (["--policies", "{policies}", "--state-dir", "/dev/null/x"], "--state-dir: /dev/null/x cannot be used: "),
        (["--policies", "{policies}", "--host", "192.0.2.1"], "192.0.2.1 port 0 cannot be listened on: "),
        (["--policies", "{policies}", "--host", "no.such.host.invalid"], "no.such.host.invalid port 0 cannot be"),
        (["--policies", "{empty}"], "there is no *.yaml, *.yml or *.json file in it"),
        (["--policies", "{context}"], "there is no ClusterLimitPolicy in it; at least one is needed"),
    ],
)
def test_a_start_that_cannot_be_ends_with_a_sentence_and_code_2(
    policies: Path, tmp_path: Path, flags: list[str], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "context.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    places = {"policies": policies, "empty": tmp_path / "empty", "context": tmp_path / "context.yaml"}
    served = Served(tmp_path, *(flag.format(**places) for flag in flags))
    assert served.start().wait(30) == 2
    assert said in served.log.read_text()
    assert "Traceback" not in served.log.read_text()


def test_a_port_that_is_taken_is_said(policies: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        served = Served(tmp_path, "--policies", str(policies), "--port", port)
        assert served.start().wait(30) == 2
        assert f"port {port} cannot be listened on: Address already in use" in served.log.read_text()


def test_settings_come_from_the_environment_too(policies: Path, tmp_path: Path) -> None:
    environ = {"PLIMSOLL_POLICIES": str(policies), "PLIMSOLL_FAILURE_MODE": "Deny"}
    with Served(tmp_path, environ=environ) as served:
        assert "[+]policies: 1 loaded" in served.readiness()


def test_our_own_certificate_is_good_for_every_loopback_name_and_for_the_host_that_was_given(
    policies: Path, tmp_path: Path
) -> None:
    with Served(tmp_path, "--policies", str(policies), "--host", "127.0.0.2") as served:
        for name in ("127.0.0.2", "127.0.0.1", "localhost", socket.gethostname()):
            plain = socket.create_connection(("127.0.0.2", served.port), timeout=30)
            with served.trust().wrap_socket(plain, server_hostname=name) as connection:
                assert connection.version() == "TLSv1.3"


# Certificates that change


def given(folder: Path, authority: bytes | None = None) -> tuple[list[str], Path, bytes]:
    pem, ca, authority = issue(folder, "given", authority)
    text = pem.read_bytes()
    certificate = x509.certificates_of(text)
    (folder / "tls.crt").write_bytes(certificate)
    (folder / "tls.key").write_bytes(text.replace(certificate, b""))
    flags = ["--tls-cert-file", str(folder / "tls.crt"), "--tls-private-key-file", str(folder / "tls.key")]
    return flags, ca, authority


def test_a_given_certificate_is_swapped_when_its_files_change_and_open_connections_live_on(
    policies: Path, tmp_path: Path
) -> None:
    flags, ca, authority = given(tmp_path)
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with Served(tmp_path, "--policies", str(policies), *flags) as served, served.connect(ca) as old:
        first = old.getpeercert(binary_form=True)
        old.sendall(ask)
        assert read_response(old)[0] == 200

        (tmp_path / "tls.key").write_bytes(b"half a ke")
        until(lambda: "certificate_rejected" in served.events, "a bad pair is rejected")
        with served.connect(ca) as meanwhile:
            assert meanwhile.getpeercert(binary_form=True) == first
        with served.client(ca) as client:
            assert "the newest one is not served: " in client.get("/readyz?verbose").text
            assert client.get("/readyz").status_code == 200

        given(tmp_path, authority)
        until(lambda: served.events.count("certificate_swapped") == 2, "the new pair is served")
        with served.connect(ca) as new:
            assert new.getpeercert(binary_form=True) != first
        old.sendall(ask)
        assert read_response(old)[0] == 200
        with served.client(ca) as client:
            assert "not served" not in client.get("/readyz?verbose").text
    log = served.log.read_text()
    assert "PRIVATE KEY" not in log
    assert not (served.state / "tls" / "ca.crt").exists()


def test_our_own_certificate_that_is_lost_is_issued_again_while_serving(policies: Path, tmp_path: Path) -> None:
    with Served(tmp_path, "--policies", str(policies)) as served:
        with served.connect() as connection:
            first = connection.getpeercert(binary_form=True)
        (served.state / "tls" / "serving.pem").unlink()
        until(lambda: served.events.count("certificate_issued") == 2, "it is issued again")
        until(lambda: served.events.count("certificate_swapped") == 2, "and served")
        with served.connect() as connection:
            assert connection.getpeercert(binary_form=True) != first


# The end


def test_after_a_signal_readiness_fails_while_requests_are_still_answered(policies: Path, tmp_path: Path) -> None:
    flags = ["--policies", str(policies), "--drain-accept-seconds", "2"]
    with Served(tmp_path, *flags) as served:
        served.process.send_signal(signal.SIGTERM)
        until(lambda: "draining" in served.events, "it is told")
        with served.client() as client:
            answer = client.get("/readyz?verbose")
            assert answer.status_code == 503
            assert "[-]serving: draining\n" in answer.text
            assert "not ready" in answer.text
            answer = client.post("/validate", content=body(review()), headers=JSON)
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
            assert client.get("/healthz").status_code == 200
        assert served.process.wait(30) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_and_its_open_connections(policies: Path, tmp_path: Path, number: int) -> None:
    with Served(tmp_path, "--policies", str(policies)) as served, served.connect() as idle:
        served.process.send_signal(number)
        assert is_closed(idle)
        assert served.process.wait(30) == 0


def test_a_second_signal_ends_it_at_once(policies: Path, tmp_path: Path) -> None:
    flags = ["--policies", str(policies), "--drain-accept-seconds", "600"]
    with Served(tmp_path, *flags) as served:
        served.process.send_signal(signal.SIGTERM)
        until(lambda: "draining" in served.events, "it drains")
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(30) == -signal.SIGTERM


def children(parent: int) -> list[int]:
    """The processes that this one started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc, which Linux has")
def test_nothing_that_was_started_outlives_the_server(policies: Path, tmp_path: Path) -> None:
    with Served(tmp_path, "--policies", str(policies)) as served, served.client() as client:
        client.post("/v1/audit", content=DEPLOYMENT, headers={"content-type": "application/yaml"})
        listed = children(served.process.pid)
        assert len(listed) == 1
        served.process.kill()
        served.process.wait()
        until(lambda: not os.path.exists(f"/proc/{listed[0]}"), "the audit's process ends")


# The audit


def test_the_audit_answers_any_text_and_admission_is_answered_meanwhile(policies: Path, tmp_path: Path) -> None:
    large = "\n---\n".join([DEPLOYMENT] * 5000)
    yaml = {"content-type": "application/yaml"}
    with Served(tmp_path, "--policies", str(policies)) as served, served.client() as client:
        import threading

        reports: list[httpx.Response] = []

        def ask() -> None:
            with served.client() as other:
                reports.append(other.post("/v1/audit", content=large, headers=yaml))

        thread = threading.Thread(target=ask)
        thread.start()
        answered = 0
        while thread.is_alive():
            assert client.post("/validate", content=body(review()), headers=JSON).status_code == 200
            answered += 1
        thread.join()
        assert reports[0].json()["summary"]["fail"] == 5000
        assert answered > 10
        for text in ("", "{", "\x00", "a: &a [*a]", "- " * 50_000, "kind: List\napiVersion: v1\nitems: 7"):
            answer = client.post("/v1/audit", content=text, headers=yaml)
            assert answer.status_code == 200
            assert answer.json()["kind"] == "Report"
        too_long = client.post("/v1/audit", content=b"a" * (8 * 2**20 + 1), headers=yaml)
        assert too_long.status_code == 413
        listed = client.post("/v1/audit", content=json.dumps({"apiVersion": "v1", "kind": "List"}), headers=JSON)
        assert listed.status_code == 200


def test_an_audit_whose_client_leaves_does_not_answer_the_next_one(policies: Path, tmp_path: Path) -> None:
    large = "\n---\n".join([DEPLOYMENT] * 3000).encode()
    with Served(tmp_path, "--policies", str(policies)) as served:
        head = f"POST /v1/audit HTTP/1.1\r\nHost: x\r\nContent-Type: text/yaml\r\nContent-Length: {len(large)}\r\n\r\n"
        for _ in range(2):
            with served.connect() as connection:
                connection.sendall(head.encode() + large)
                time.sleep(0.2)
        with served.client() as client:
            report = client.post("/v1/audit", content=DEPLOYMENT, headers={"content-type": "text/yaml"}).json()
            assert len(report["rows"]) == 1


def test_hostile_reviews_over_tls_are_refused_and_never_with_a_defect(policies: Path, tmp_path: Path) -> None:
    good = body(review())
    many = {"metadata": {"name": "many"}, "spec": {"containers": [{"name": f"c{n}"} for n in range(10_000)]}}
    hostile: list[tuple[bytes, set[int]]] = [
        (b"", {400}),
        (good[:-30], {400}),
        (b"\xff" + good, {400}),
        (good.replace(b"web", b"\xff\xfe\xfd"), {400}),
        (b'{"a":' * 500_000, {400}),
        (good.replace(b'"object": {', b'"object": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b",", 1), {200, 400}),
        (body({**review(), "apiVersion": "v2"}), {400}),
        (body(review(uid=None)), {400}),
        (body(review(many)), {200}),
        (body(review({"spec": {"containers": [{"name": "\u202e<b>\x1b[31m\n", "image": "x"}]}})), {200}),
        (body(review(pod(limits={"memory": "9" * 5000}))), {200}),
        (body(review(pod(limits={"memory": "1e999999999"}))), {200}),
        (good.replace(b'"dryRun": false', b'"dryRun": false, "dryRun": true'), {200}),
        (b"[" + good + b"]", {400}),
        (b"null", {400}),
    ]
    with Served(tmp_path, "--policies", str(policies)) as served, served.client() as client:
        for path in ("/mutate", "/validate"):
            for sent, statuses in hostile:
                answer = client.post(path, content=sent, headers=JSON)
                assert answer.status_code in statuses, (answer.status_code, sent[:80], answer.text[:300])
                assert len(answer.content) < 256 * 1024
                if answer.status_code == 200:
                    message = answer.json()["response"].get("status", {}).get("message", "")
                    assert len(message) <= 64 * 1024
        assert client.get("/healthz").status_code == 200
    assert "fault" not in served.events
    assert "Traceback" not in served.log.read_text()


def test_what_speaks_no_tls_leaves_no_trace_of_a_defect(policies: Path, tmp_path: Path) -> None:
    with Served(tmp_path, "--policies", str(policies)) as served:
        for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\x00" * 500, b""):
            with socket.create_connection(("127.0.0.1", served.port), timeout=30) as plain:
                plain.sendall(sent)
        untrusting = ssl.create_default_context()
        with pytest.raises(ssl.SSLCertVerificationError):
            untrusting.wrap_socket(socket.create_connection(("127.0.0.1", served.port)), server_hostname="localhost")
        with served.client() as client:
            assert client.get("/healthz").status_code == 200
    assert "fault" not in served.events
    assert "Traceback" not in served.log.read_text()


def test_the_program_is_where_it_is_expected() -> None:
    assert PROGRAM.exists()
