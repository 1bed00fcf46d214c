"""The process that renders live pages: what it is asked, how it fails, and when it ends."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from csms.renderer import NICE, Died, Renderer
from tests.servers import until

pytestmark = pytest.mark.asyncio

PARENT = """
import asyncio, os
from csms.renderer import Renderer

async def main():
    print(await Renderer().run(os.getpid), flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


async def test_it_works_in_a_process_of_its_own_that_comes_after_the_stations() -> None:
    renderer = Renderer()
    pid = await renderer.run(os.getpid)
    assert pid != os.getpid()
    assert await renderer.run(os.getpriority, os.PRIO_PROCESS, 0) == min(os.getpriority(os.PRIO_PROCESS, 0) + NICE, 19)
    assert await renderer.run(os.getpid) == pid


async def test_what_is_raised_and_printed_there_does_no_harm() -> None:
    renderer = Renderer()
    assert await renderer.run(print, "hello") is None
    with pytest.raises(ValueError, match="math domain error"):
        await renderer.run(math.sqrt, -1)
    with pytest.raises(Exception, match="pickle"):
        await renderer.run(os.scandir, ".")
    assert await renderer.run(math.sqrt, 4) == 2


async def test_one_that_has_died_is_started_again() -> None:
    renderer = Renderer()
    pid = await renderer.run(os.getpid)
    with pytest.raises(Died):
        await renderer.run(os._exit, 1)
    assert await renderer.run(os.getpid) != pid


async def test_it_ends_with_its_parent_however_that_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    until(lambda: not alive(child))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
