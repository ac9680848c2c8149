"""The kernel's side of the looks that may never end, against a child played by the test."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from colab_magics.observer import looking, looks
from colab_magics.observer.answers import Gone, Nonsense
from colab_magics.observer.looking import Looking

WHOLE = dict.fromkeys(looks.file_system("/"), 0)
Script = Callable[[dict[str, Any]], list[dict[str, Any]]]


def figures(path: str) -> dict[str, int]:
    """What a file system says of itself, another for each path."""
    return {**WHOLE, "blocks": len(path)}


class Child:
    """Answers each request as its script says."""

    def __init__(self) -> None:
        requests, to_child = os.pipe()
        from_child, self._answers = os.pipe()
        self.looking = Looking(to_child, from_child)
        self.asked: list[dict[str, Any]] = []
        self.script: Script = lambda request: [{"begun": True}, {"figures": figures(request["path"])}]
        self._lines = os.fdopen(requests, "rb")
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self._has_ended = False

    def say(self, number: int, **answer: Any) -> None:
        os.write(self._answers, json.dumps({"id": number, **answer}).encode() + b"\n")

    def end(self) -> None:
        """End as a process does: nobody is at the other ends of the pipes any more."""
        os.close(self._answers)
        self._has_ended = True

    def _serve(self) -> None:
        for line in self._lines:
            request = json.loads(line)
            self.asked.append(request)
            with contextlib.suppress(BrokenPipeError):  # nobody reads any more: the conversation was ended
                for answer in () if self._has_ended else self.script(request):
                    self.say(request["id"], **answer)

    def close(self) -> None:
        self.looking.close()
        self._thread.join()
        self._lines.close()
        if not self._has_ended:
            self.end()


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    monkeypatch.setattr(looking, "DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr(looking, "UP_SECONDS", 0.5)
    played = Child()
    yield played
    played.close()


def test_a_look_is_answered(child: Child) -> None:
    assert child.looking.ask("a", "/x") == {"figures": figures("/x")}
    assert child.asked[0] == {"id": 1, "key": "a", "path": "/x"}
    assert child.looking.hanging == {}


def test_a_silent_one_is_said_to_be_within_the_deadline(child: Child) -> None:
    child.script = lambda _: [{"begun": True}]

    assert child.looking.ask("a", "/x") == {"silent_seconds": 0.2}
    assert child.looking.hanging.keys() == {"a"}


def test_a_late_answer_is_not_that_to_the_next_question(child: Child) -> None:
    child.script = lambda _: [{"begun": True}]
    child.looking.ask("a", "/x")
    child.say(1, figures=figures("/late"))
    child.script = lambda request: [{"begun": True}, {"figures": figures(request["path"])}]

    assert child.looking.ask("b", "/y") == {"figures": figures("/y")}
    assert child.looking.hanging == {}


def test_one_that_hangs_still_is_hanging_since_it_began(child: Child) -> None:
    child.script = lambda _: [{"begun": True}]
    child.looking.ask("a", "/x")
    since = child.looking.hanging["a"]
    child.script = lambda _: [{"begun": True}, {"silent_seconds": 7.5}]

    assert child.looking.ask("a", "/x") == {"silent_seconds": 7.5}
    assert child.looking.hanging == {"a": since}


def test_a_child_that_does_not_come_up_is_not_the_mount_s_fault(child: Child) -> None:
    child.script = lambda _: []

    assert child.looking.ask("a", "/x") == {"error": "the process that asks was not up after 0.5 s"}
    assert child.looking.hanging == {}


def test_a_child_that_has_ended_is_gone(child: Child) -> None:
    child.end()
    with pytest.raises(Gone):
        child.looking.ask("a", "/x")


def test_after_it_was_closed_nothing_is_written_anywhere(child: Child) -> None:
    child.looking.close()
    with pytest.raises(Gone):
        child.looking.ask("a", "/x")


def test_what_began_late_hangs_as_well(child: Child) -> None:
    child.script = lambda _: []
    child.looking.ask("a", "/x")
    child.say(1, begun=True)
    child.script = lambda request: [{"begun": True}, {"figures": figures(request["path"])}]
    started = time.monotonic()

    assert child.looking.ask("b", "/y") == {"figures": figures("/y")}
    assert child.looking.hanging["a"] >= started


@pytest.mark.parametrize(
    ("number", "answers"),
    [
        (0, [{"begun": True}]),
        (2, [{"begun": True}]),
        (1, [{"figures": figures("/x")}]),
        (1, [{"begun": True}, {"begun": True}]),
        (1, [{"begun": 1}]),
        (1, [{"begun": True}, {"figures": {"blocks": 1}}]),
        (1, [{"begun": True}, {"silent_seconds": -1}]),
    ],
    ids=["older", "younger", "not begun", "begun twice", "begun otherwise", "of other fields", "of no time"],
)
def test_what_nobody_can_mean_is_nonsense(number: int, answers: list[dict[str, Any]], child: Child) -> None:
    child.script = lambda _: []
    for answer in answers:
        child.say(number, **answer)

    with pytest.raises(Nonsense):
        child.looking.ask("a", "/x")


def test_an_answer_that_comes_twice_is_nonsense(child: Child) -> None:
    child.looking.ask("a", "/x")
    child.say(1, figures=figures("/x"))

    with pytest.raises(Nonsense):
        child.looking.ask("a", "/x")
