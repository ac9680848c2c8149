"""What is read of the child's pipe, by itself: a test writes into the other end."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from colab_magics.observer.answers import Answers, Gone, Nonsense

LONGEST = 1 << 20


class Pipe:
    """A pipe that is read by `Answers`."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        os.set_blocking(reading, False)
        self._reading = reading
        self.answers = Answers(reading, longest_bytes=LONGEST)
        self._threads: list[threading.Thread] = []

    def write(self, data: bytes) -> None:
        os.write(self._writing, data)

    def write_all(self, data: bytes, *, piece: int = 1 << 16) -> None:
        """Write more than a pipe holds, in pieces, until nobody reads any more."""

        def write() -> None:
            try:
                for start in range(0, len(data), piece):
                    os.write(self._writing, data[start : start + piece])
            except BrokenPipeError:
                return

        self._threads.append(threading.Thread(target=write))
        self._threads[-1].start()

    def end(self) -> None:
        os.close(self._writing)
        self._writing = -1

    def close(self) -> None:
        os.close(self._reading)
        for thread in self._threads:
            thread.join()
        if self._writing >= 0:
            self.end()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    opened = Pipe()
    yield opened
    opened.close()


def soon() -> float:
    return time.monotonic() + 5


def test_lines_come_one_after_the_other_however_they_were_written(pipe: Pipe) -> None:
    pipe.write(b'{"a": 1}\n{"b"')
    assert pipe.answers.next(soon()) == {"a": 1}
    assert pipe.answers.next(0, waits=False) is None
    pipe.write(b": 2}\n")

    assert pipe.answers.next(soon()) == {"b": 2}


def test_what_is_not_there_in_time_is_taken_later(pipe: Pipe) -> None:
    pipe.write(b'{"a":')
    started = time.monotonic()
    assert pipe.answers.next(started + 0.2) is None
    assert 0.2 <= time.monotonic() - started < 1
    pipe.write(b" 1}\n")

    assert pipe.answers.next(soon()) == {"a": 1}


def test_without_waiting_only_what_is_there_is_taken(pipe: Pipe) -> None:
    started = time.monotonic()

    assert pipe.answers.next(soon(), waits=False) is None
    assert time.monotonic() - started < 1


def test_a_deadline_holds_while_a_line_comes_drop_by_drop(pipe: Pipe) -> None:
    pipe.write_all(b"x" * LONGEST, piece=1)
    started = time.monotonic()

    assert pipe.answers.next(started + 0.2) is None
    assert pipe.answers.next(started + 0.4, waits=False) is None
    assert time.monotonic() - started < 1


def test_what_has_come_when_the_time_is_over_is_taken_all_the_same(pipe: Pipe) -> None:
    pipe.write(b'{"a": 1}\n')

    assert pipe.answers.next(0) == {"a": 1}


def test_the_longest_line_is_read_and_one_longer_is_not(pipe: Pipe) -> None:
    line = b'{"a": "%s"}' % (b"x" * (LONGEST - 9))
    assert len(line) == LONGEST
    pipe.write_all(line + b"\n")
    assert pipe.answers.next(soon()) == json.loads(line)

    pipe.write_all(b"x" * (2 * LONGEST))
    with pytest.raises(Nonsense):
        pipe.answers.next(soon())
    assert pipe.answers.held_bytes <= LONGEST + (1 << 16)


def test_a_child_that_has_ended_is_gone_once_its_last_line_is_read(pipe: Pipe) -> None:
    pipe.write(b'{"a": 1}\n{"b":')
    pipe.end()

    assert pipe.answers.next(soon()) == {"a": 1}
    with pytest.raises(Gone):
        pipe.answers.next(soon())


NOT_ANSWERS = {
    "nothing": b"",
    "no JSON": b"Segmentation fault",
    "half": b'{"id": 1',
    "two": b"{} {}",
    "NaN": b'{"id": NaN}',
    "Infinity": b'{"id": -Infinity}',
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "bytes": bytes(range(11, 256)),
    "UTF-8 cut short": b'{"name": "\xe5"}',
    "UTF-8, which our child never writes": '{"name": "é"}'.encode(),
    "UTF-16": '{"id": 1}'.encode("utf-16"),
    "many digits": b'{"id": ' + b"9" * 5000 + b"}",
    "nested lists": b"[" * 100_000,
    "nested lists that end": b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested objects": b'{"a":' * 100_000,
    "nested between texts": b'["[]", [{"]": ' * 50_000,
}


@pytest.mark.parametrize("line", NOT_ANSWERS.values(), ids=NOT_ANSWERS)
def test_what_is_no_object_is_nonsense(line: bytes, pipe: Pipe) -> None:
    pipe.write_all(line + b"\n")

    with pytest.raises(Nonsense):
        pipe.answers.next(soon())


@pytest.fixture
def unlimited() -> Iterator[None]:
    """A notebook that has lifted Python's limits, as those do that recurse deeply or print large numbers."""
    digits, depth = sys.get_int_max_str_digits(), sys.getrecursionlimit()
    sys.set_int_max_str_digits(0)
    sys.setrecursionlimit(10**6)
    yield
    sys.set_int_max_str_digits(digits)
    sys.setrecursionlimit(depth)


@pytest.mark.parametrize(
    "line",
    [b'{"id": ' + b"9" * (LONGEST - 8) + b"}", *(line for name, line in NOT_ANSWERS.items() if "nested" in name)],
    ids=["many digits", *(name for name in NOT_ANSWERS if "nested" in name)],
)
def test_it_neither_crashes_nor_takes_for_ever_where_python_s_limits_were_lifted(
    line: bytes, pipe: Pipe, unlimited: None
) -> None:
    started = time.monotonic()
    pipe.write_all(line + b"\n")

    with pytest.raises(Nonsense):
        pipe.answers.next(soon())
    assert time.monotonic() - started < 2


def test_brackets_and_digits_in_names_are_no_nonsense(pipe: Pipe) -> None:
    answer = {"gpus": [{"name": "[" * 96, "uuid": "7" * 255, "kinds": [["}"]]}] * 8}
    pipe.write_all(json.dumps(answer).encode() + b"\n")

    assert pipe.answers.next(soon()) == answer
