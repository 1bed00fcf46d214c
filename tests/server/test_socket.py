"""How a socket lives and ends, on both servers."""

import asyncio
import contextlib
import os
import socket
import struct
import zlib

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from tests.server.conftest import Running, ended_by_peer, settled, until

CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4001, 4999]


@pytest.mark.parametrize("code", CODES)
async def test_a_close_code_and_its_reason_reach_the_peer(shared: Running, code: int) -> None:
    async with shared.connect(f"/close?code={code}&reason=because+of+é") as peer:
        assert await ended_by_peer(peer) == (code, "because of é")


async def test_a_reason_that_is_too_long_is_cut_between_characters(shared: Running) -> None:
    async with shared.connect(f"/close?code=1008&reason={'é' * 100}") as peer:
        assert await ended_by_peer(peer) == (1008, "é" * 61)


@pytest.mark.parametrize("code", [1000, 1001, 1012, 3333])
async def test_a_peer_that_closes_is_answered_and_the_application_told(shared: Running, code: int) -> None:
    before = shared.seen("disconnects").count(code)
    async with shared.connect("/echo") as peer:
        await peer.close(code, "going")
        assert peer.close_code == code
    until(lambda: shared.seen("disconnects").count(code) == before + 1)


async def test_sending_to_a_socket_that_ended_raises(start) -> None:
    running = start()
    async with running.connect("/close?code=1000") as peer:
        await peer.wait_closed()
    until(lambda: running.seen("disconnects") == [1000, "send raised OSError"])


def test_a_lost_connection_is_reported_at_once(start) -> None:
    running = start()
    sock = running.upgraded("/echo")
    until(lambda: running.seen("open") == 1)
    # Linger of zero: the kernel sends a reset, as a crashing station's modem does.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    until(lambda: running.seen("disconnects") in ([1005], [1006]))


def test_the_connection_ends_though_the_peer_never_answers_the_close(start) -> None:
    running = start(CLOSE_S="0.3")
    with running.upgraded("/close?code=1012&reason=x") as sock:
        assert sock.recv(2) == b"\x88\x03"
        data = b"\0"
        while data:
            try:
                data = sock.recv(100)
            except ConnectionResetError:
                break


async def test_an_application_that_fails_closes_its_socket_with_1011(shared: Running) -> None:
    async with shared.connect("/crash?accepted=yes") as peer:
        code, _ = await ended_by_peer(peer)
        assert code == 1011


async def test_an_application_that_gives_up_on_a_dead_peer_logs_nothing(shared: Running) -> None:
    with pytest.raises(Exception, match="500"):
        await shared.connect("/gone")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (Frame(Opcode.TEXT, b"\xff\xfe"), 1007),
        (Frame(Opcode.CONT, b"of nothing"), 1002),
        (Frame(Opcode.TEXT, b"x", rsv2=True), 1002),
        (Frame(Opcode.TEXT, b"x" * (1024 * 1024 + 1)), 1009),
    ],
)
async def test_what_breaks_the_protocol_is_closed_with_its_code_and_the_application_told(
    shared: Running, frame: Frame, code: int
) -> None:
    before = shared.seen("disconnects").count(code)
    async with shared.connect("/echo") as peer:
        await broken(peer, frame)
        assert (await ended_by_peer(peer))[0] == code
    until(lambda: shared.seen("disconnects").count(code) == before + 1)


async def broken(peer: ClientConnection, frame: Frame) -> None:
    """Sends what the client library would not."""
    head = bytes([0x80 | frame.rsv2 << 5 | frame.opcode])
    length = len(frame.data)
    head += bytes([0x80 | length]) if length < 126 else b"\xff" + struct.pack("!Q", length)
    peer.transport.write(head + b"\0\0\0\0" + bytes(frame.data))


def test_a_peer_in_the_middle_of_a_frame_that_is_too_long_still_hears_why(shared: Running) -> None:
    length = 8 * 1024 * 1024
    with shared.upgraded("/echo") as sock:
        sock.sendall(b"\x81\xff" + struct.pack("!Q", length) + b"\0\0\0\0")
        # All of it, before reading: a server that closes at once would reset the connection.
        sock.sendall(b"x" * length)
        assert sock.recv(4)[2:] == struct.pack("!H", 1009)


async def test_a_message_of_exactly_one_megabyte_arrives(shared: Running) -> None:
    async with shared.connect("/echo", max_size=None) as peer:
        message = "x" * 1024 * 1024
        await peer.send(message)
        assert await peer.recv() == message


async def test_a_small_frame_that_inflates_beyond_the_limit_is_refused(shared: Running) -> None:
    async with shared.connect("/echo", compression="deflate") as peer:
        await peer.send("x" * 3_000_000)
        assert (await ended_by_peer(peer))[0] == 1009


async def test_a_fragmented_message_arrives_whole_and_pings_between_are_answered(shared: Running) -> None:
    async with shared.connect("/echo") as peer:

        async def parts():
            yield "one "
            await (await peer.ping())
            yield "two"

        await peer.send(parts())
        assert await peer.recv() == "one two"


def test_a_silent_peer_is_pinged_and_kept_though_it_never_answers(start) -> None:
    running = start(PING_S="0.05")
    with running.upgraded("/echo") as sock:
        pings = b""
        while len(pings) < 8:
            pings += sock.recv(100)
        assert pings[0] == 0x89
        sock.sendall(b"\x81\x82\0\0\0\0hi")
        data = b""
        while b"\x81\x02hi" not in data:
            data += sock.recv(100)


async def test_a_pong_is_a_sign_of_life_in_the_scope(start) -> None:
    running = start(PING_S="0.05")
    async with running.connect("/echo"):
        await asyncio.to_thread(until, lambda: running.seen("pongs") == 1)


async def test_a_peer_that_sends_more_than_is_read_is_held_up_and_costs_no_memory(start) -> None:
    running = start()
    async with running.connect("/deaf", ping_interval=None) as peer:
        before = running.seen("rss")
        sent = 0

        async def pump() -> None:
            nonlocal sent
            for _ in range(3000):
                await peer.send(b"x" * 50_000)
                sent += 1

        pumping = asyncio.create_task(pump())
        assert await settled(lambda: sent) < 500
        assert running.seen("rss") - before < 12_000_000
        running.get("/release")
        await pumping
        await (await peer.ping())
        await peer.close(1000)
    until(lambda: running.seen("received") == [3000])
    until(lambda: running.seen("disconnects") == [1000])


async def test_frames_that_inflate_a_thousandfold_cost_no_memory_while_nobody_reads_them(start) -> None:
    running = start()
    before = running.seen("rss")
    deflate = zlib.compressobj(wbits=-12)
    payload = (deflate.compress(b"\0" * 1_000_000) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    frame = b"\xc1\xfe" + struct.pack("!H", len(payload)) + b"\0\0\0\0" + payload
    extension = "permessage-deflate; client_max_window_bits; client_no_context_takeover"
    with running.upgraded("/deaf", extension=extension) as sock:
        sock.sendall(frame * 200)
        assert await settled(lambda: running.seen("rss") - before) < 40_000_000
        running.get("/release")
        await asyncio.to_thread(until, lambda: running.seen("received") == [200])


def test_many_small_frames_at_once_all_arrive_in_order(shared: Running) -> None:
    count = 5000
    with shared.upgraded("/echo") as sock:
        expected = b"".join(b"\x81\x06%06d" % number for number in range(count))
        sock.sendall(b"".join(b"\x81\x86\0\0\0\0%06d" % number for number in range(count)))
        received = b""
        while len(received) < len(expected):
            received += sock.recv(65536)
    assert received == expected


async def test_a_peer_that_reads_slowly_holds_up_its_application_and_costs_no_memory(start) -> None:
    running = start(CLOSE_S="0.3")
    before = running.seen("rss")
    with running.upgraded("/flood", receive_buffer=8192):
        # Frames of 50 kB: neither the process nor the kernel takes megabytes of them.
        assert await settled(lambda: running.seen("sent")[0]) < 8
        assert running.seen("rss") - before < 12_000_000
        # Closing does not wait for the reader, and neither does the end of the connection.
        running.get("/release")
        until(lambda: running.seen("disconnects") == [1013])
        until(lambda: connections(running) == 0)


def connections(running: Running) -> int:
    """Of the server's files, how many are sockets but its listening one."""
    folder = f"/proc/{running.process.pid}/fd"
    links = []
    for number in os.listdir(folder):
        try:
            links.append(os.readlink(f"{folder}/{number}"))
        except FileNotFoundError:
            continue
    with open(f"/proc/{running.process.pid}/net/tcp") as table:
        established = {line.split()[9] for line in table.readlines()[1:] if line.split()[3] == "01"}
    return sum(link.removeprefix("socket:[").removesuffix("]") in established for link in links)


@pytest.mark.parametrize("path", ["/echo", "/close?code=1012", "/deny?status=401", "/refuse", "/crash"])
async def test_a_socket_that_has_ended_leaves_nothing_for_the_garbage_collector(start, path: str) -> None:
    """Hundreds of thousands that come and go in a day would each leave their buffers until the next full collection."""
    running, rounds = start(), 20

    async def come_and_go(abruptly: bool) -> None:
        with contextlib.suppress(InvalidStatus, ConnectionClosed):
            async with running.connect(path) as peer:
                await peer.send("anything")
                await peer.recv()
                if abruptly:
                    peer.transport.abort()

    def circles() -> int:
        _, found = running.get("/circles")
        assert isinstance(found, int)
        return found

    await come_and_go(abruptly=False)  # what is made once, at the first socket
    circles()
    for number in range(rounds):
        await come_and_go(abruptly=number % 2 == 1)
    until(lambda: running.seen("open") == 0)
    assert circles() < rounds
