"""Doors open once, ahead of need, and what fails there fails for whoever needs it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from nightjar.opening import ahead, once


def test_threads_that_ask_together_get_one_thing_made_once() -> None:
    made: list[object] = []
    together = threading.Barrier(4)
    door = once(lambda: made.append(object()) or made[-1])

    def ask(_number: int) -> object:
        together.wait(5)
        return door()

    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(ask, range(4)))
    assert len(made) == 1
    assert all(each is made[0] for each in got)


def test_a_failure_is_not_kept() -> None:
    answers = iter([OSError("not yet"), "here"])

    def make() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    door = once(make)
    with pytest.raises(OSError, match="not yet"):
        door()
    assert door() == "here"


def test_doors_open_in_another_thread_while_the_block_runs() -> None:
    by: list[threading.Thread] = []
    opened = threading.Event()
    door = once(lambda: by.append(threading.current_thread()) or opened.set())
    with ahead(door):
        assert opened.wait(5)
    door()
    assert by != [threading.current_thread()]
    assert len(by) == 1


def test_the_thread_ends_with_the_block_however_that_ends() -> None:
    inside = threading.Event()
    ended: list[str] = []

    def slow() -> None:
        inside.wait(5)
        ended.append("door")

    def night() -> None:
        inside.set()
        raise ValueError("the night")

    with pytest.raises(ValueError, match="the night"), ahead(slow):
        night()
    assert ended == ["door"]


def test_a_door_that_fails_holds_up_none_and_fails_again_for_whoever_needs_it() -> None:
    opened = []

    def broken() -> None:
        raise OSError("not installed")

    first = once(broken)
    with ahead(first, lambda: opened.append("second")):
        pass
    assert opened == ["second"]
    with pytest.raises(OSError, match="not installed"):
        first()
