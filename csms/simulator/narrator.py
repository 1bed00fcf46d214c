"""Tells people what happens: a line for each noteworthy thing, and for what goes on and on, one."""

from collections.abc import Callable, Hashable


class Narrator:
    def __init__(self, write: Callable[[str], None]) -> None:
        self.tell = write
        self._said: set[Hashable] = set()

    def once(self, key: Hashable, line: str) -> None:
        """Say it now and not again before it is `over`."""
        if key not in self._said:
            self._said.add(key)
            self.tell(line)

    def over(self, *keys: Hashable) -> None:
        self._said.difference_update(keys)
