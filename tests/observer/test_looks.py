"""The child's side of the looks that may never end, by itself: pipes, requests, answers."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from colab_magics.observer import looks
from colab_magics.observer.looks import Looks, file_system

LOOKED_AT: list[str] = []
"""The paths that were looked at while `hanging` stood in, in order."""


class Asker:
    """Speaks to `Looks` over its pipes."""

    def __init__(self) -> None:
        self._requests, self._to_looks = os.pipe()
        from_looks, self._answers = os.pipe()
        self.looks = Looks(self._requests, self._answers)
        self._lines = os.fdopen(from_looks, "rb")

    def send(self, **request: Any) -> None:
        os.write(self._to_looks, json.dumps(request).encode() + b"\n")

    def read(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def close(self) -> None:
        os.close(self._to_looks)
        until = time.monotonic() + 5
        while threading.active_count() > 1 and time.monotonic() < until:
            time.sleep(0.01)
        self._lines.close()
        os.close(self._requests)
        os.close(self._answers)


@pytest.fixture
def asker() -> Iterator[Asker]:
    started = Asker()
    started.looks.start()
    yield started
    started.close()


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let a look at /hangs last until the event is set."""
    over = threading.Event()

    def wait(path: str) -> dict[str, int]:
        LOOKED_AT.append(path)
        if path == "/hangs":
            assert over.wait(10)
        return {"blocks": len(path)}

    LOOKED_AT.clear()
    monkeypatch.setattr(looks, "file_system", wait)
    yield over
    over.set()


def test_a_file_system_tells_its_sizes() -> None:
    told = file_system("/")

    assert told["device"] == os.stat("/").st_dev
    assert told["blocks"] * told["block_bytes"] == os.statvfs("/").f_blocks * os.statvfs("/").f_frsize


def test_a_look_is_begun_and_answered(asker: Asker) -> None:
    asker.send(id=7, key="a", path="/")

    assert asker.read() == {"id": 7, "begun": True}
    answer = asker.read()
    assert answer["id"] == 7
    assert answer["figures"].keys() == file_system("/").keys()
    assert not asker.looks.hang


def test_a_look_that_fails_says_why(asker: Asker) -> None:
    asker.send(id=1, key="a", path="/nowhere")

    asker.read()
    assert asker.read() == {"id": 1, "error": "No such file or directory"}


def test_a_look_that_hangs_holds_up_no_other(asker: Asker, hanging: threading.Event) -> None:
    asker.send(id=1, key="silent", path="/hangs")
    assert asker.read() == {"id": 1, "begun": True}
    asker.send(id=2, key="other", path="/")

    assert asker.read() == {"id": 2, "begun": True}
    assert asker.read() == {"id": 2, "figures": {"blocks": 1}}
    assert asker.looks.hang


def test_no_second_look_is_sent_after_one_that_hangs(asker: Asker, hanging: threading.Event) -> None:
    asker.send(id=1, key="silent", path="/hangs")
    asker.read()
    asker.send(id=2, key="silent", path="/hangs")

    assert asker.read() == {"id": 2, "begun": True}
    answer = asker.read()
    assert answer.keys() == {"id", "silent_seconds"}
    assert answer["silent_seconds"] >= 0
    hanging.set()
    assert asker.read() == {"id": 1, "figures": {"blocks": 6}}
    asker.send(id=3, key="silent", path="/hangs")
    assert asker.read() == {"id": 3, "begun": True}
    assert asker.read() == {"id": 3, "figures": {"blocks": 6}}
    assert LOOKED_AT == ["/hangs", "/hangs"]


def test_where_no_thread_can_be_had_it_says_so(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    asker.send(id=1, key="a", path="/")

    asker.read()
    assert asker.read() == {"id": 1, "error": "no thread"}
    assert not asker.looks.hang
