"""Newcomers are let in at a steady rate when many wait, and at once when few do."""

import asyncio
import contextlib
import socket

from csms.server.accepting import AT_ONCE, REST_S, Acceptor


async def arrivals(many: int) -> list[float]:
    """When each of so many that wait already is taken, by the loop's clock."""
    loop = asyncio.get_running_loop()
    taken: list[float] = []
    all_in = asyncio.Event()
    with contextlib.ExitStack() as open_sockets:
        listening = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=many))
        listening.setblocking(False)

        def adopt(connection: socket.socket) -> None:
            open_sockets.enter_context(connection)
            taken.append(loop.time())
            if len(taken) == many:
                all_in.set()

        for _ in range(many):
            open_sockets.enter_context(socket.create_connection(listening.getsockname()))
        acceptor = Acceptor(loop, listening, adopt)
        await asyncio.wait_for(all_in.wait(), 30)
        acceptor.stop()
    return taken


async def test_of_a_crowd_a_few_are_taken_and_then_there_is_a_rest() -> None:
    taken = await arrivals(20)
    for place in range(AT_ONCE, 20):
        assert taken[place] - taken[place - AT_ONCE] >= REST_S / 2  # the loop's timers are a millisecond coarse


async def test_whoever_comes_alone_is_taken_at_once() -> None:
    assert len(await arrivals(1)) == 1
