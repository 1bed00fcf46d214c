"""The memory that web processes share."""

import pytest

from csms.metrics.board import HEAD, SLOT, Board, create


def said(board: Board) -> dict[int, bytes]:
    return {one.number: one.text for one in board.read()}


def test_each_process_writes_its_slot_and_sees_the_others() -> None:
    file, first = create(3)
    with file:
        Board(first.memory, 2).write(b"two")
        first.write(b"zero")
        assert said(first) == {0: b"zero", 2: b"two"}
        first.write(b"0")
        assert said(first)[0] == b"0"


def test_what_an_ended_process_said_is_gone() -> None:
    file, board = create(2)
    with file:
        board.write(b"zero")
        board.clear(0)
        assert said(board) == {}


def test_a_slot_that_was_half_written_is_not_shown() -> None:
    file, board = create(1)
    with file:
        board.write(b"whole")
        board.memory[HEAD.size : HEAD.size + 1] = b"x"
        assert said(board) == {}


def test_too_much_is_refused_and_harms_nobody() -> None:
    file, board = create(2)
    with file:
        Board(board.memory, 1).write(b"one")
        with pytest.raises(ValueError, match="do not fit"):
            board.write(b"x" * SLOT)
        assert said(board) == {1: b"one"}
