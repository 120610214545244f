"""What one connection does with requests that are well made, badly made, too large, too slow, and too many."""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from plimsoll.observations import Fault, Observation, RequestRefused
from plimsoll.serving.exchange import Endpoint, HttpRequest, HttpResponse, refusal
from plimsoll.serving.limits import Limits

from tests.serving.running import Running, is_closed, read_response, running

POST = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SMALL = Limits(
    head_bytes=4096,
    body_bytes=100_000,
    buffered_bytes=250_000,
    request_seconds=1,
    write_seconds=1,
    idle_seconds=2,
    discard_seconds=0.2,
    connections=100,
)


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, request.body or request.query)


def broken(request: HttpRequest) -> HttpResponse:
    raise RecursionError("a defect")


def large(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, b"x" * 20_000_000)


def worse(request: HttpRequest, fault: BaseException) -> HttpResponse:
    raise ValueError("a defect after a defect")


async def slow(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0.2)
    return HttpResponse(200, b"slow " + request.body)


async def slow_and_broken(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    raise ValueError("a defect later")


def after_fault(request: HttpRequest, fault: BaseException) -> HttpResponse:
    return HttpResponse(200, f"after {type(fault).__name__}: {request.body.decode()}".encode())


def routes(limit: int = 100_000) -> dict[bytes, Endpoint]:
    json_only = (b"application/json",)
    return {
        b"/echo": Endpoint(b"POST", echo, after_fault, json_only, limit),
        b"/query": Endpoint(b"GET", echo, after_fault),
        b"/broken": Endpoint(b"POST", broken, after_fault, json_only, limit),
        b"/slow": Endpoint(b"POST", slow, after_fault, json_only, limit),
        b"/slow-and-broken": Endpoint(b"POST", slow_and_broken, after_fault, json_only, limit),
        b"/worse": Endpoint(b"POST", broken, worse, json_only, limit),
        b"/slow-and-worse": Endpoint(b"POST", slow_and_broken, worse, json_only, limit),
        b"/large": Endpoint(b"GET", large, after_fault),
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("serving"), routes(), SMALL) as server:
        yield server


def refused(observed: list[Observation]) -> list[tuple[str, int]]:
    return [(each.path, each.status) for each in observed if isinstance(each, RequestRefused)]


def said(body: bytes) -> str:
    """The message of a Status document, which must be whole."""
    status = json.loads(body)
    assert set(status) == {"kind", "apiVersion", "metadata", "status", "message", "reason", "code"}
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
    message = status["message"]
    assert isinstance(message, str)
    return message


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


# Well made


def test_a_request_is_answered_and_the_connection_stays_open(server: Running) -> None:
    with server.connect() as connection:
        for number in range(3):
            body = f'{{"number":{number}}}'
            connection.sendall(f"{POST}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            status, headers, answer = read_response(connection)
            assert (status, answer.decode()) == (200, body)
            assert set(headers) == {"date", "content-type", "content-length"}


def test_http_2_is_not_offered(server: Running) -> None:
    with server.connect() as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken_without_resumption(server: Running, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=server.ca)
    context.minimum_version = context.maximum_version = version
    with httpx.Client(base_url=server.url, verify=context) as client:
        assert client.get("/query?a").content == b"a"
    with server.connect() as connection:
        connection.sendall(b"GET /query?a HTTP/1.1\r\nHost: x\r\n\r\n")
        read_response(connection)
        assert connection.session is None or not connection.session.has_ticket


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_1_1_is_refused(server: Running) -> None:
    context = ssl.create_default_context(cafile=server.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError), httpx.Client(base_url=server.url, verify=context) as client:
        client.get("/query")


def test_a_body_may_come_in_pieces_and_in_chunks(server: Running) -> None:
    with server.connect() as connection:
        for byte in f"{POST}Transfer-Encoding: chunked\r\n\r\n".encode():
            connection.sendall(bytes([byte]))
        connection.sendall(chunked(b"one ", b"two"))
        connection.sendall(b"0\r\nContent-Type: text/plain\r\n\r\n")
        assert read_response(connection)[2] == b"one two"


def test_requests_sent_at_once_are_answered_in_their_order_also_behind_a_slow_one(server: Running) -> None:
    with server.connect() as connection:
        slowly = POST.replace("/echo", "/slow")
        connection.sendall(
            f"{slowly}Content-Length: 1\r\n\r\na{POST}Content-Length: 1\r\n\r\nb"
            f"{slowly}Content-Length: 1\r\n\r\nc{POST}Content-Length: 1\r\n\r\nd".encode()
        )
        assert [read_response(connection)[2] for _ in range(4)] == [b"slow a", b"b", b"slow c", b"d"]
        connection.sendall(f"{POST}Content-Length: 1\r\n\r\ne".encode())
        assert read_response(connection)[2] == b"e"


def test_head_is_answered_like_get_without_the_body(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"HEAD /query?four HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.sendall(b"GET /query?five HTTP/1.1\r\nHost: x\r\n\r\n")
        first = b""
        while b"\r\n\r\n" not in first:
            first += connection.recv(1)
        assert b"content-length: 4\r\n" in first
        assert read_response(connection)[2] == b"five"


def test_the_absolute_form_of_a_target_is_accepted(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET https://localhost/query?a=b HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_response(connection)[2] == b"a=b"


def test_a_target_without_a_path_is_nowhere(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
        status, _, body = read_response(connection)
        assert status == 404
        assert said(body).startswith("nothing is at *; there is /echo, ")


def test_a_client_that_waits_for_100_continue_gets_it(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(f"{POST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert read_response(connection)[2] == b"{}"


@pytest.mark.parametrize(
    "head", ["GET /query?x HTTP/1.0\r\n\r\n", "GET /query?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]
)
def test_a_client_that_wants_the_connection_closed_has_it_closed(server: Running, head: str) -> None:
    with server.connect() as connection:
        connection.sendall(head.encode())
        status, headers, body = read_response(connection)
        assert (status, headers["connection"], body) == (200, "close", b"x")
        assert is_closed(connection)


def test_an_upgrade_is_ignored_and_the_connection_ends(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /query?x HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert read_response(connection)[0] == 200
        assert is_closed(connection)


def test_an_upgrade_behind_a_slow_request_ends_the_connection_after_both_are_answered(server: Running) -> None:
    slowly = POST.replace("/echo", "/slow")
    upgrade = b"GET /query?x HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(f"{slowly}Content-Length: 1\r\n\r\na".encode() + upgrade)
        assert read_response(connection)[2] == b"slow a"
        assert read_response(connection)[2] == b"x"
        assert is_closed(connection)


def test_the_date_is_now(server: Running) -> None:
    from email.utils import parsedate_to_datetime

    with server.client() as client:
        date = parsedate_to_datetime(client.get("/query").headers["date"]).timestamp()
    assert abs(date - time.time()) < 5


# Defects


@pytest.mark.parametrize(("path", "expected"), [("/broken", "RecursionError"), ("/slow-and-broken", "ValueError")])
def test_after_a_defect_the_endpoint_still_answers_and_the_connection_lives(
    server: Running, path: str, expected: str
) -> None:
    with server.client() as client:
        for _ in range(2):
            answer = client.post(path, content=b"{}", headers={"content-type": "application/json"})
            assert (answer.status_code, answer.text) == (200, f"after {expected}: {{}}")


def test_an_endpoint_that_has_no_answer_at_all_is_a_fault_and_the_connection_ends(tmp_path: Path) -> None:
    with running(tmp_path, routes(), SMALL) as server:
        with server.connect() as connection:
            connection.sendall(f"{POST.replace('/echo', '/worse')}Content-Length: 1\r\n\r\na".encode())
            status, headers, body = read_response(connection)
            assert (status, headers["connection"]) == (500, "close")
            assert "defect" not in said(body)
        faults = [each for each in server.observed if isinstance(each, Fault)]
        assert [each.error for each in faults] == ["ValueError"]
        assert "a defect after a defect" in faults[0].traceback


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_task_that_has_no_answer_at_all_does_not_hold_its_connection_for_ever(tmp_path: Path) -> None:
    with running(tmp_path, routes(), SMALL) as server, server.connect() as connection:
        connection.sendall(f"{POST.replace('/echo', '/slow-and-worse')}Content-Length: 1\r\n\r\na".encode())
        assert is_closed(connection)


# Refused by the head


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "message"),
    [
        ("GET", "/nothing", {}, 404, "nothing is at /nothing; there is /echo, /query, /broken, /slow"),
        ("GET", "/echo/", {}, 404, "nothing is at /echo/"),
        ("GET", "/%65cho", {}, 404, "nothing is at /%65cho"),
        ("GET", "/echo", {}, 405, "/echo was asked by GET; it answers POST"),
        ("HEAD", "/echo", {}, 405, ""),
        ("DELETE", "/query", {}, 405, "/query was asked by DELETE; it answers GET"),
        ("POST", "/echo", {}, 415, "there is no content type; application/json is accepted"),
        ("POST", "/echo", {"content-type": "text/plain"}, 415, "the content type is text/plain; application/json is"),
        ("POST", "/echo", {"content-type": "application/jsonx"}, 415, "the content type is application/jsonx"),
        (
            "POST",
            "/echo",
            {"content-type": "application/json", "content-encoding": "gzip"},
            415,
            "the body is encoded as gzip; only a body without content-encoding is accepted",
        ),
    ],
)
def test_a_request_nobody_answers_is_refused_with_what_would_be_accepted(
    server: Running, method: str, path: str, headers: dict[str, str], status: int, message: str
) -> None:
    with server.client() as client:
        for _ in range(2):  # the same connection serves on
            answer = client.request(method, path, headers=headers, content=b"{}" if method == "POST" else None)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/json"
            if message:
                assert said(answer.content).startswith(message)
            if status == 405:
                assert answer.headers["allow"] in ("GET", "POST")


@pytest.mark.parametrize(
    "header", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=utf-8"]
)
def test_a_content_type_counts_without_its_parameters_and_case(server: Running, header: str) -> None:
    with server.client() as client:
        assert client.post("/echo", content=b"1", headers={"content-type": header}).content == b"1"


def test_the_identity_encoding_is_no_encoding(server: Running) -> None:
    headers = {"content-type": "application/json", "content-encoding": "identity"}
    with server.client() as client:
        assert client.post("/echo", content=b"1", headers=headers).content == b"1"


def test_hostile_bytes_of_a_request_are_quoted_short_and_harmless(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /\xff\x1b" + b"a" * 500 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        status, _, body = read_response(connection)
    assert status in (400, 404)
    assert len(body) < 800
    assert body.isascii()


# Too large


def test_a_body_of_just_the_limit_is_read(server: Running) -> None:
    with server.client() as client:
        body = b"x" * 100_000
        assert client.post("/echo", content=body, headers={"content-type": "application/json"}).content == body


@pytest.mark.parametrize("declared", ["100001", "99999999999999999999999999"])
def test_a_body_that_is_declared_too_long_is_refused_before_it_is_sent(server: Running, declared: str) -> None:
    with server.connect() as connection:
        connection.sendall(f"{POST}Content-Length: {declared}\r\n\r\n".encode())
        status, headers, body = read_response(connection)
    assert (status, headers.get("connection")) in ((413, "close"), (400, "close"))
    assert said(body)


def test_the_refusal_of_a_long_body_reaches_a_client_that_is_still_sending(server: Running) -> None:
    with server.client() as client:
        headers = {"content-type": "application/json"}
        answer = client.post("/echo", content=b"x" * 3_000_000, headers=headers)
        assert answer.status_code == 413
        assert said(answer.content) == "the body has 3000000 bytes; at most 100000 are read"
        answer = client.post("/echo", content=iter([b"x" * 50_000] * 60), headers=headers)
        assert answer.status_code == 413
        assert said(answer.content) == "the body is longer than the 100000 bytes that are read at most"


def test_nothing_behind_a_refused_request_is_answered(server: Running) -> None:
    long = f"GET /{'a' * 5000} HTTP/1.1\r\nHost: x\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(f"{long}{POST}Content-Length: 1\r\n\r\na".encode())
        assert read_response(connection)[0] == 431
        assert is_closed(connection)


def test_a_refused_body_is_not_held_in_memory_afterwards(server: Running) -> None:
    for _ in range(10):  # three times what may be buffered
        with server.connect() as connection:
            connection.sendall(f"{POST}Transfer-Encoding: chunked\r\n\r\n".encode() + chunked(b"x" * 90_000))
    with server.client() as client:
        headers = {"content-type": "application/json"}
        assert client.post("/echo", content=b"x" * 90_000, headers=headers).status_code == 200


def test_bodies_that_arrive_at_once_are_bounded_together(server: Running) -> None:
    connections = [server.connect() for _ in range(4)]
    try:
        for connection in connections:
            connection.sendall(f"{POST}Content-Length: 95000\r\n\r\n".encode() + b"x" * 90_000)
        status, _, body = read_response(connections[3])
        assert status in (503, 408)
        if status == 503:
            assert said(body) == "too many large requests are arriving at once; try again later"
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /query HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 5000 + b"\r\n\r\n",
        b"GET /query HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(600)) + b"\r\n",
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["one long header", "many headers", "a long target"],
)
def test_a_head_that_is_too_long_is_refused(server: Running, head: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(head)
        status, _, body = read_response(connection)
        assert status == 431
        assert said(body) == "the request line and headers are longer than the 4096 bytes that are read at most"


@pytest.mark.parametrize("start", [b"GET /query HTTP/1.1\r\nX-Long: ", b"GET /query?", b"G"])
def test_a_head_that_never_ends_is_refused(server: Running, start: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(start)
        for _ in range(100):
            connection.sendall(b"a" * 1000)
        assert read_response(connection)[0] in (400, 431)


# Too slow


@pytest.mark.parametrize(
    "start",
    [b"POST /echo HTTP/1.1\r\nHost:", POST.encode() + b"Content-Length: 9\r\n\r\n", POST.encode() + b"Content-Len"],
    ids=["in the head", "before the body", "in a header"],
)
def test_a_request_that_is_never_finished_is_ended(server: Running, start: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(start)
        status, headers, body = read_response(connection)
        assert (status, headers["connection"]) == (408, "close")
        assert said(body) == "the request did not arrive in time; send it whole at once"
        assert is_closed(connection)


def test_a_trickle_of_bytes_does_not_extend_the_time(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(f"{POST}Content-Length: 9999\r\n\r\n".encode())
        connection.settimeout(0.1)
        began = time.monotonic()
        while time.monotonic() - began < 9:
            connection.sendall(b"x")
            try:
                status, _, _ = read_response(connection)
            except TimeoutError:
                continue
            assert status == 408
            return
    pytest.fail("the request was waited for without end")


def test_the_api_servers_own_deadline_shortens_the_wait(tmp_path: Path) -> None:
    with running(tmp_path, routes(), Limits(request_seconds=3600)) as server, server.connect() as connection:
        connection.sendall(f"{POST.replace('/echo', '/echo?timeout=1s')}Content-Length: 9\r\n\r\n".encode())
        assert read_response(connection)[0] == 408


def test_a_connection_without_a_request_is_closed_in_the_end(server: Running) -> None:
    with server.connect() as connection:
        assert is_closed(connection)


def test_an_idle_connection_is_closed_in_the_end_and_not_before(server: Running) -> None:
    with server.connect() as connection:
        for _ in range(2):
            connection.sendall(b"GET /query?x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_response(connection)[0] == 200
            time.sleep(1.2)  # longer than a request may take, shorter than a connection may be idle
        connection.sendall(b"GET /query?x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_response(connection)[0] == 200
        assert is_closed(connection)


def test_a_client_that_does_not_read_its_answers_is_cut(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        deadline = time.monotonic() + 9
        while time.monotonic() < deadline:
            try:
                connection.sendall(b"GET /query HTTP/1.1\r\nHost: x\r\n\r\n")
            except (OSError, ssl.SSLError):
                break
            time.sleep(0.1)
        else:
            pytest.fail("the connection stays open")
    with server.client() as client:
        assert client.get("/query?x").content == b"x"


def test_a_client_that_reads_late_gets_everything_and_the_connection_serves_on(tmp_path: Path) -> None:
    with running(tmp_path, routes()) as server, server.connect() as connection:
        for _ in range(3):
            connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.3)
        for _ in range(3):
            assert len(read_response(connection)[2]) == 20_000_000
        connection.sendall(b"GET /query?x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_response(connection)[2] == b"x"


def test_a_large_answer_reaches_a_client_that_reads(server: Running) -> None:
    with server.client() as client:
        assert len(client.get("/large").content) == 20_000_000


# Not HTTP


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        POST.encode() + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET /query HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /query HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["binary", "two lengths", "two other lengths", "negative", "bad chunk", "version", "header name", "h2 preface"],
)
def test_what_is_not_http_1_1_is_refused_and_the_connection_ends(server: Running, sent: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(sent)
        status, headers, body = read_response(connection)
        assert (status, headers["connection"]) == (400, "close")
        assert said(body).startswith("the request cannot be read as HTTP/1.1: ")
        assert is_closed(connection)


def test_what_is_refused_behind_a_slow_request_does_not_overtake_it(server: Running) -> None:
    with server.connect() as connection:
        slowly = POST.replace("/echo", "/slow")
        connection.sendall(f"{slowly}Content-Length: 1\r\n\r\na".encode() + b"\x00\x01 not HTTP\r\n\r\n")
        assert read_response(connection)[2] == b"slow a"
        status, headers, _ = read_response(connection)
        assert (status, headers["connection"]) == (400, "close")
        assert is_closed(connection)


def test_what_is_refused_in_the_same_breath_does_not_overtake_what_came_before_it(server: Running) -> None:
    with server.connect() as connection:
        good = f"{POST}Content-Length: 1\r\n\r\n"
        connection.sendall(f"{good}a{good}bNONSENSE\r\n\r\n".encode())
        answers = [read_response(connection) for _ in range(3)]
        assert [(status, body) for status, _, body in answers[:2]] == [(200, b"a"), (200, b"b")]
        assert answers[2][0] == 400
        assert is_closed(connection)


def test_many_requests_in_one_breath_are_all_answered_in_order(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall("".join(f"{POST}Content-Length: 2\r\n\r\n{n:02}" for n in range(30)).encode())
        assert [int(read_response(connection)[2]) for _ in range(30)] == [*range(30)]


def test_a_client_that_leaves_with_requests_unanswered_does_no_harm(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(f"{POST}Content-Length: 1\r\n\r\na".encode() * 20)
    with server.client() as client:
        assert client.get("/query?a").content == b"a"
    assert not [each for each in server.observed if isinstance(each, Fault)]


def test_bytes_that_are_not_tls_do_no_harm(server: Running) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"GET /query HTTP/1.1\r\n\r\n")
        try:
            while plain.recv(1000):
                pass
        except ConnectionError:
            pass
    with server.client() as client:
        assert client.get("/query?x").content == b"x"


def test_a_client_that_leaves_while_it_is_answered_does_no_harm(server: Running) -> None:
    for _ in range(5):
        connection = server.connect()
        connection.sendall(f"{POST.replace('/echo', '/slow')}Content-Length: 1\r\n\r\na".encode())
        connection.close()
    with server.client() as client:
        assert client.get("/query?x").content == b"x"


# Too many


def test_beyond_the_bound_of_connections_a_request_gets_a_fast_and_clear_answer(tmp_path: Path) -> None:
    with running(tmp_path, routes(), Limits(connections=3)) as server:
        held = [server.connect() for _ in range(3)]
        with server.connect() as fourth:
            fourth.sendall(b"GET /query?x HTTP/1.1\r\nHost: x\r\n\r\n")
            status, headers, body = read_response(fourth)
            assert (status, headers["connection"]) == (503, "close")
            assert "retry-after" not in headers
            assert said(body) == "more than 3 connections are open; try again later"
        for connection in held:
            connection.sendall(b"GET /query?x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_response(connection)[0] == 200
        more = [server.connect() for _ in range(3)]
        with server.connect() as seventh:
            assert is_closed(seventh)
        for connection in held + more:
            connection.close()


def test_every_refusal_is_told_with_one_of_our_own_paths_or_none(tmp_path: Path) -> None:
    with running(tmp_path, routes(), SMALL) as server, server.client() as client:
        client.get("/nothing")
        client.get("/echo")
        client.post("/echo", content=b"x")
        client.post("/echo", content=b"x" * 100_001, headers={"content-type": "application/json"})
        with server.connect() as connection:
            connection.sendall(b"\x00\r\n\r\n")
            read_response(connection)
        assert refused(server.observed) == [("", 404), ("/echo", 405), ("/echo", 415), ("/echo", 413), ("", 400)]


def test_a_status_without_a_known_reason_takes_http_s_own_phrase() -> None:
    assert json.loads(refusal(431, "x").body)["reason"] == "RequestHeaderFieldsTooLarge"


def test_many_clients_at_once_are_all_answered(server: Running) -> None:
    failures: list[str] = []

    def ask() -> None:
        with server.client() as client:
            for number in range(50):
                answer = client.post("/echo", content=b"%d" % number, headers={"content-type": "application/json"})
                if answer.content != b"%d" % number:
                    failures.append(answer.text)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
