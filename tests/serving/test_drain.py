"""Stopping loses no answer, and a new certificate breaks no connection: under load, over real TLS."""

import asyncio
import ssl
import threading
import time
from pathlib import Path

import httpx
import pytest
from plimsoll.certs.context import serving_context
from plimsoll.observations import Stopped
from plimsoll.serving.exchange import Endpoint, HttpRequest, HttpResponse
from plimsoll.serving.limits import Limits
from plimsoll.serving.server import DrainTimes

from tests.serving.running import Running, is_closed, issue, read_response, running

ASK = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"


def at_once(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, request.body)


async def slow(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0.5)
    return HttpResponse(200, request.body)


async def endless(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(3600)
    raise AssertionError


def no_fault(request: HttpRequest, fault: BaseException) -> HttpResponse:
    raise fault


ROUTES = {
    b"/": Endpoint(b"POST", at_once, no_fault, (), 1000),
    b"/slow": Endpoint(b"POST", slow, no_fault, (), 1000),
    b"/endless": Endpoint(b"POST", endless, no_fault, (), 1000),
}


class Load:
    """Clients that post without a pause until told to end, or until no new connection can be had."""

    def __init__(self, server: Running, clients: int = 6) -> None:
        self.answered = 0
        self.failures: list[str] = []
        self.refused = 0
        self._server = server
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for(self, answers: int) -> None:
        deadline = time.monotonic() + 20
        while self.answered < answers:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _ask(self) -> None:
        with self._server.client() as client:
            while not self._ended.is_set():
                try:
                    # Every other request opens a connection of its own, so that there are handshakes all the time.
                    headers = {"connection": "close"} if self.answered % 2 else {}
                    answer = client.post("/", content=b"body", headers=headers)
                except httpx.ConnectError:
                    self.refused += 1
                    return
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                    return
                if (answer.status_code, answer.content) != (200, b"body"):
                    self.failures.append(f"{answer.status_code} {answer.text}")
                self.answered += 1


def test_a_stop_under_load_fails_no_request_of_a_client_that_goes_elsewhere_when_asked(tmp_path: Path) -> None:
    with running(tmp_path, ROUTES, drain=DrainTimes(accept=1)) as server:
        load = Load(server)
        load.wait_for(100)
        server.stop()
        assert server.ended.wait(20)
        load.end()
        assert load.failures == []
        assert load.refused == 6
        assert [type(each).__name__ for each in server.observed] == ["Draining", "Stopped"]


def test_while_draining_new_connections_are_answered_and_asked_to_go_elsewhere(tmp_path: Path) -> None:
    with running(tmp_path, ROUTES, drain=DrainTimes(accept=2)) as server:
        with server.connect() as before:
            server.stop()
            while not server.observed:
                time.sleep(0.01)
            before.sendall(ASK)
            status, headers, _ = read_response(before)
            assert (status, headers["connection"]) == (200, "close")
        with server.connect() as after:
            after.sendall(ASK)
            status, headers, _ = read_response(after)
            assert (status, headers["connection"]) == (200, "close")
            assert is_closed(after)


def test_what_is_in_flight_is_answered_after_the_port_is_closed(tmp_path: Path) -> None:
    with running(tmp_path, ROUTES) as server:
        busy, reading, idle = server.connect(), server.connect(), server.connect()
        busy.sendall(ASK)
        reading.sendall(ASK[:-1])
        time.sleep(0.1)
        server.stop()
        assert is_closed(idle)
        with pytest.raises(ConnectionError):
            server.connect()
        reading.sendall(ASK[-1:])
        for connection in (busy, reading):
            status, headers, body = read_response(connection)
            assert (status, headers["connection"], body) == (200, "close", b"a")
        assert server.ended.wait(20)
        assert server.observed[-1] == Stopped(answered=2, aborted=0)
        for connection in (busy, reading, idle):
            connection.close()


def test_what_does_not_end_in_time_is_cut(tmp_path: Path) -> None:
    with running(tmp_path, ROUTES, drain=DrainTimes(finish=0.3)) as server, server.connect() as connection:
        connection.sendall(ASK.replace(b"/slow", b"/endless"))
        time.sleep(0.1)
        server.stop()
        assert is_closed(connection)
        assert server.ended.wait(20)
        assert server.observed[-1] == Stopped(answered=0, aborted=1)


def test_a_port_that_is_taken_is_an_error_of_the_start(tmp_path: Path) -> None:
    from plimsoll.serving.server import HttpsServer

    async def listen_twice() -> None:
        pem, _, _ = issue(tmp_path)
        tls = serving_context(pem, pem)
        first, second = (HttpsServer(ROUTES, Limits(), lambda observation: None) for _ in range(2))
        stop = asyncio.Event()
        port = await first.listen("127.0.0.1", 0, tls)
        with pytest.raises(OSError, match="address already in use"):
            await second.listen("127.0.0.1", port, tls)
        stop.set()
        await first.run(stop, DrainTimes())

    asyncio.run(listen_twice())


# Certificates


def serial(server: Running, ca: Path) -> int:
    with server.connect(ca) as connection:
        certificate = connection.getpeercert()
        assert certificate is not None
        return int(str(certificate["serialNumber"]), 16)


def test_a_swap_shows_in_new_handshakes_and_leaves_open_connections_alone(tmp_path: Path) -> None:
    with running(tmp_path, ROUTES) as server, server.connect() as old:
        old.sendall(ASK)
        assert read_response(old)[0] == 200
        pem, ca, _ = issue(tmp_path, "second")
        before = serial(server, server.ca)
        server.front.swap(serving_context(pem, pem))
        assert serial(server, ca) != before
        with pytest.raises(ssl.SSLCertVerificationError):
            server.connect()
        old.sendall(ASK)
        assert read_response(old)[0] == 200


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "another.example"])
def test_the_newest_certificate_is_shown_whatever_name_the_client_asks_for(tmp_path: Path, name: str) -> None:
    import socket

    with running(tmp_path, ROUTES) as server:
        pem, ca, _ = issue(tmp_path, "second")
        server.front.swap(serving_context(pem, pem))
        context = ssl.create_default_context(cafile=ca)
        context.check_hostname = False
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        with context.wrap_socket(plain, server_hostname=name) as connection:
            connection.sendall(ASK)
            assert read_response(connection)[0] == 200


def test_twenty_swaps_under_load_fail_no_request(tmp_path: Path) -> None:
    with running(tmp_path, ROUTES) as server:
        certificates = [issue(tmp_path, f"leaf-{number}", server.authority)[0] for number in range(20)]
        load = Load(server)
        for number, pem in enumerate(certificates, start=1):
            load.wait_for(20 * number)
            server.front.swap(serving_context(pem, pem))
        load.end()
        assert (load.failures, load.refused) == ([], 0)
        with server.connect() as connection:
            shown = connection.getpeercert(binary_form=True)
        assert shown == ssl.PEM_cert_to_DER_cert(certificates[-1].read_text().split("-----END PRIVATE KEY-----\n")[1])
