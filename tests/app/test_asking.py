"""Blocks of the page that ask one question at a time."""

import asyncio
from threading import Event
from types import SimpleNamespace

import pytest

pytest.importorskip("nicegui", reason="the extra 'app' is not installed")
from kolabsim.app.asking import Asking
from kolabsim.app.queue import Queue


class Block(Asking):
    """A block that remembers what it was told."""

    def __init__(self, line) -> None:
        super().__init__(SimpleNamespace(line=line, is_closed=False), lambda: 1.0)
        self.state = SimpleNamespace(set_content=lambda text: None)
        self.told: list[tuple[int, int]] = []

    def tell(self, done: int, number: int) -> None:
        self.told.append((done, number))


def test_dropping_a_question_leaves_other_work_of_the_page_alone() -> None:
    line, gate = Queue(1, "asking").line(), Event()
    line.submit(gate.wait)
    other, asked = line.submit(int), object()
    block = Block(line)
    block.drop()  # nothing was asked yet
    mine = line.submit(int, purpose=asked)
    block.purpose = asked
    block.drop()
    gate.set()
    assert other.result(timeout=10) == 0
    assert mine.cancelled()


def test_pieces_are_told_until_another_question_is_asked() -> None:
    block = Block(Queue(1, "asking").line())

    async def ask() -> None:
        first, second = object(), object()
        block.purpose = first
        await block.do([lambda: 2] * 3, 6, first)
        await block.do([lambda: 1] * 2, 2, first, is_quiet=True)
        await block.do([lambda: 1] * 2, 2, second)

    asyncio.run(ask())
    assert sorted(block.told) == [(2, 6), (4, 6), (6, 6)]
