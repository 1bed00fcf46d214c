"""How a server ends, on both servers, and how several processes are kept."""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from tests.server.conftest import ROOT, Running, ended_by_peer, until


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
async def test_stations_are_drained_pages_closed_and_requests_finished(start, number: int) -> None:
    running = start()
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(running.get("/wait")))
    async with running.connect("/echo") as station, running.connect("/page") as page:
        waiting.start()
        await asyncio.to_thread(until, lambda: running.seen("received") == [1])
        keep_alive = running.raw("GET /seen HTTP/1.1\nHost: x\n\n")
        assert keep_alive.recv(65536)
        running.signal(number)
        assert await ended_by_peer(station) == (1012, "drained")
        # No new connection, while the request in flight holds the end up.
        await asyncio.to_thread(until, lambda: refused(running))
        assert page.close_code is None
        keep_alive.sendall(b"GET /release HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await ended_by_peer(page))[0] == 1012
    assert await asyncio.to_thread(running.ended) == 0
    waiting.join()
    assert answers == [(200, {"waited": True})]
    assert running.errors.read_text() == ""


def refused(running: Running) -> bool:
    try:
        socket.create_connection(("127.0.0.1", running.port)).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.long
async def test_a_drain_that_hangs_is_cut(start) -> None:
    running = start("--drain-timeout", "0.2", NEVER_DRAINED="1")
    async with running.connect("/echo") as station:
        running.signal()
        assert (await ended_by_peer(station))[0] == 1012
    assert await asyncio.to_thread(running.ended) == 0
    assert "draining the stations took longer" in running.errors.read_text()


@pytest.mark.long
async def test_a_second_signal_ends_it_at_once(start) -> None:
    running = start(NEVER_DRAINED="1")
    async with running.connect("/echo") as station:
        running.signal()
        await asyncio.to_thread(until, lambda: refused(running))
        running.signal()
        assert await asyncio.to_thread(running.ended) == 1
        assert (await ended_by_peer(station))[0] == 1006


@pytest.mark.long
def test_the_peer_that_never_answers_holds_nothing_up(start) -> None:
    running = start()
    with running.upgraded("/page"):
        running.signal()
        assert running.ended() == 0


@pytest.mark.long
def test_a_port_in_use_is_said_in_a_sentence(shared: Running) -> None:
    command = [sys.executable, "-m", "tests.server.serve", "--server", shared.name, "--port", str(shared.port)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {shared.port}" in second.stderr
    assert "Traceback" not in second.stderr


# Several processes


def pids(running: Running) -> set[int]:
    return {running.seen("pid") for _ in range(40)}


@pytest.mark.long
async def test_several_processes_share_a_port_and_end_together(start) -> None:
    running = start("--processes", "2")
    until(lambda: len(pids(running)) == 2)
    stations = [await running.connect("/echo") for _ in range(10)]
    running.signal()
    for station in stations:
        assert await ended_by_peer(station) == (1012, "drained")
    assert await asyncio.to_thread(running.ended) == 0


def test_a_process_that_dies_is_replaced(start) -> None:
    running = start("--processes", "2")
    before = until(lambda: len(found := pids(running)) == 2 and found)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        running.get("/die")
    until(lambda: len(pids(running) - before) == 1)
    running.signal()
    assert running.ended() == 0
    assert "ended with code 7; another starts in" in running.errors.read_text()


def test_processes_end_when_their_parent_is_killed(start) -> None:
    running = start("--processes", "2")
    children = until(lambda: len(found := pids(running)) == 2 and found)
    running.signal(signal.SIGKILL)
    running.ended()
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children))


@pytest.mark.long
def test_processes_that_cannot_start_end_the_parent_with_their_code(name: str) -> None:
    command = [sys.executable, "-m", "tests.server.serve", "--server", name, "--port", "0", "--processes", "2"]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, "FAILS_TO_LOAD": "1"}, capture_output=True, text=True)
    assert result.returncode == 1
    assert "a setting is missing" in result.stderr
