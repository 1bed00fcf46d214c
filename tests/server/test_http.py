"""Plain HTTP, on both servers."""

from csms.server.common import MAX_BODY_BYTES
from tests.server.conftest import Running, settled


def test_a_request_is_answered(shared: Running) -> None:
    assert shared.get("/body", b"x" * 300_000) == (200, {"size": 300_000})


def test_a_failing_view_is_a_500(shared: Running) -> None:
    assert shared.get("/crash")[0] == 500


def test_a_body_larger_than_anything_we_take_is_a_413(shared: Running) -> None:
    with shared.raw(f"POST /body HTTP/1.1\nHost: x\nContent-Length: {MAX_BODY_BYTES + 1}\n\n") as sock:
        assert sock.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_body_of_unknown_length_is_cut_at_the_limit(shared: Running) -> None:
    with shared.raw("POST /body HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n") as sock:
        chunk = b"100000\r\n" + b"x" * 1024 * 1024 + b"\r\n"
        try:
            for _ in range(MAX_BODY_BYTES // 1024 // 1024 + 1):
                sock.sendall(chunk)
            assert sock.recv(4096).startswith(b"HTTP/1.1 413")
        except (ConnectionResetError, BrokenPipeError):
            pass  # cut while we were still sending


def test_several_requests_share_a_connection(shared: Running) -> None:
    with shared.raw("GET /seen HTTP/1.1\nHost: x\n\nGET /seen HTTP/1.1\nHost: x\nConnection: close\n\n") as sock:
        answer = b""
        while data := sock.recv(65536):
            answer += data
    assert answer.count(b"HTTP/1.1 200") == 2


def test_rubbish_is_a_400(shared: Running) -> None:
    with shared.raw("\x16\x03\x01 this is TLS\n\n") as sock:
        assert sock.recv(4096).startswith(b"HTTP/1.1 400")


async def test_a_download_that_nobody_reads_costs_no_memory(start) -> None:
    running = start()
    before = running.seen("rss")
    with running.raw("GET /stream HTTP/1.1\nHost: x\n\n"):
        assert await settled(lambda: running.seen("sent")[0]) < 500
        assert running.seen("rss") - before < 12_000_000


def test_the_server_does_not_say_what_it_is_made_of(shared: Running) -> None:
    with shared.raw("GET /seen HTTP/1.1\nHost: x\nConnection: close\n\n") as sock:
        head = sock.recv(65536).lower()
    assert head.startswith(b"http/1.1 200")
    assert b"\r\nserver:" not in head
    assert head.count(b"\r\ndate:") == 1
