"""A process beside each web process that renders its live pages, behind the stations in the line for a processor.

Rendered in a thread beside the batch thread, a large wall takes the interpreter from it at each of a round's reads and writes, and
every station waits. `Renderer.run` calls a function there, one after the other, with what can be pickled. The process is started
with the first call; it ends with its parent, and one that has died is started again with the next call.
"""

import asyncio
import os
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

#: Of the processors' time it gets what the others leave, and a tenth where they leave none.
NICE = 10
#: How many bytes say how long a message is.
HEAD = 8


class Died(Exception):
    """The process ended before it answered."""


class Renderer:
    def __init__(self) -> None:
        self.process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def run(self, func: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What it returns or raises there. Raises `Died` if the process ends meanwhile."""
        # Whoever asked may give up; the answer is read all the same, since the next one comes after it.
        ok, result = await asyncio.shield(asyncio.create_task(self._ask((func, args, kwargs)), name="rendering"))
        if not ok:
            raise result
        return result  # type: ignore[no-any-return]

    async def _ask(self, question: Any) -> tuple[bool, Any]:
        async with self._turn:
            if self.process is None or self.process.returncode is not None:
                self.process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "csms.renderer"),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    cwd=Path(__file__).parent.parent,
                )
            process = self.process
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(_framed(question))
                await process.stdin.drain()
                size = int.from_bytes(await process.stdout.readexactly(HEAD))
                answer: tuple[bool, Any] = pickle.loads(await process.stdout.readexactly(size))  # noqa: S301  (our own child)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.process = None
                raise Died("The process that renders pages has ended.") from error
            return answer


def _framed(message: Any) -> bytes:
    data = pickle.dumps(message)
    return len(data).to_bytes(HEAD) + data


def main() -> None:
    """The process: answers what stands on its input until that ends, which it does with the parent."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICE)
    questions = sys.stdin.buffer
    # What anybody prints is no answer.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        import django

        django.setup()
        while head := questions.read(HEAD):
            func, args, kwargs = pickle.loads(questions.read(int.from_bytes(head)))  # noqa: S301  (our parent)
            try:
                answer = _framed((True, func(*args, **kwargs)))
            except Exception as error:
                answer = _framed((False, error))
            answers.write(answer)
            answers.flush()


if __name__ == "__main__":
    main()
