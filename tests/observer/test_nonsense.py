"""A child that answers nonsense, in both conversations: it ends, it is not the driver's fault, the next one is sound.

The child is a real process that runs a script in place of ours: what it does instead of answering stands in each test.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import JUPYTER, a_report
from colab_magics.model import Subject, Unavailable
from colab_magics.observer import answers, asking, client, looking, looks, shapes, starting
from colab_magics.observer.answers import Gone, Nonsense
from colab_magics.observer.asking import Asking
from colab_magics.observer.looking import Looking
from colab_magics.probes import disk
from colab_magics.probes.gpu import probe_gpus
from colab_magics.views import html, text
from colab_magics.views import json as json_view
from colab_magics.views.render_options import RenderOptions
from fake_nvml import FakeDriver

Plug = Callable[..., FakeDriver]
Answer = dict[str, Any]
Ask = Callable[[], object]

DEADLINE = 1.0
LATE = 0.5
"""How much longer than its deadline a question may take."""

SCRIPT = """
import json, os, sys, time

def write(data):
    while data:
        data = data[os.write(replies, data):]

def say(**answer):
    write(json.dumps(answer).encode() + b"\\n")

is_about_gpus = {is_about_gpus}
requests, replies = (0, 1) if is_about_gpus else map(int, sys.argv[3:])
if is_about_gpus:
    say(stage="up")
    say(stage="loading")
good = {good}
for line in os.fdopen(requests, "rb"):
    number = json.loads(line)["id"]
    if not is_about_gpus:
        say(id=number, begun=True)
    {behaviour}
    time.sleep(60)
"""

NOTHING = {"driver": None, "gpus": [], "library": "absent"}
FIGURES = {"figures": looks.file_system("/")}

NOT_ANSWERS = {
    "invalid JSON": 'write(b"Segmentation fault\\n")',
    "bytes": "write(bytes(range(256)))",
    "NaN": """write(b'{"id": %d, "driver": NaN}\\n' % number)""",
    "a list": 'write(b"[]\\n")',
    "an empty line": 'write(b"\\n")',
    "nested": """write(b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\\n")""",
    "many digits": """write(b'{"id": ' + b"9" * 5000 + b"}\\n")""",
    "no id": "say(**good)",
    "an id that is true": "say(**good, id=True)",
    "an id that is a list": "say(**good, id=[number])",
    "another id": "say(**good, id=number + 1)",
    "an old id": "say(**good, id=number - 1)",
    "nothing but an id": "say(id=number)",
    "a field too many": "say(**good, id=number, another=1)",
    "an error of the other conversation": "say(id=number, **({'error': 'x'} if is_about_gpus else {'refused': {}}))",
    "a stage": 'say(stage="down")',
    "a stage again": 'say(stage="up")',
    "a line without end": 'write(b"x" * (65 << 20))',
    "a flood without an end of line": 'while True: write(b"x" * 65536)',
    "a flood of empty lines": 'while True: write(b"\\n" * 65536)',
    "a flood of answers to old questions": "while True: say(**good, id=0)",
    "a flood of stages": 'while True: say(stage="loading")',
}
"""What comes in place of an answer, and is seen to be nonsense at once."""


def ask_about_gpus(deadline_seconds: float = DEADLINE) -> object:
    return client.ask(deadline_seconds=deadline_seconds)


def look_at_root() -> object:
    return client.look("root", "/")


@pytest.fixture(params=["gpus", "looks"])
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask in one conversation or in the other."""
    monkeypatch.setattr(looking, "DEADLINE_SECONDS", DEADLINE)
    return ask_about_gpus if request.param == "gpus" else look_at_root


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[[Ask, str], None]]:
    """Let a script be the child from now on, or again the real one where its behaviour is empty."""
    ours = starting._CHILD_FILE

    def begin(ask: Ask, behaviour: str) -> None:
        file = tmp_path / "script.py"
        good = NOTHING if ask is ask_about_gpus else FIGURES
        script = SCRIPT.format(is_about_gpus=ask is ask_about_gpus, good=good, behaviour=behaviour)
        file.write_text(script, encoding="utf-8")
        starting._CHILD_FILE = str(file) if behaviour else ours

    yield begin
    starting._CHILD_FILE = ours


@pytest.fixture
def most_held(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much was held of what a child wrote, at its most."""
    most = [0]
    read = answers.Answers._read

    def watched(self: answers.Answers) -> None:
        try:
            read(self)
        finally:
            most[0] = max(most[0], self.held_bytes)

    monkeypatch.setattr(answers.Answers, "_read", watched)
    return most


def is_sound(answer: object) -> bool:
    return isinstance(answer, dict) and ("gpus" in answer or "blocks" in answer)


@pytest.mark.parametrize("behaviour", NOT_ANSWERS.values(), ids=NOT_ANSWERS)
def test_nonsense_ends_the_child_and_the_next_question_has_another(
    behaviour: str, ask: Ask, play: Callable[[Ask, str], None], plug_in: Plug, most_held: list[int]
) -> None:
    plug_in("t4")
    play(ask, behaviour)
    started = time.monotonic()
    answer = ask()

    assert isinstance(answer, Unavailable), answer
    assert answer.code == "child_nonsense"
    assert time.monotonic() - started < DEADLINE + LATE
    assert most_held[0] <= asking.LONGEST_ANSWER_BYTES + (1 << 16)
    assert client.pid() is None
    assert psutil.Process().children() == []
    play(ask, "")
    assert is_sound(ask())


NOT_BEGUN = {
    "a span": "say(id=number, span=None)",
    "an answer of GPUs": "say(**good, id=number)",
    "that it has not": "say(id=number, begun=False)",
    "another id": "say(id=number + 1, begun=True)",
    "too much": "say(id=number, begun=True, span=None)",
}
NOT_ENDED = {
    "a beginning": "say(id=number + 1, begun=True)",
    "an answer of GPUs": "say(**good, id=number + 1)",
    "half a span": "say(id=number + 1, span={'seconds': 1})",
    "no span": "say(id=number + 1, span=[])",
}


@pytest.mark.parametrize("behaviour", NOT_BEGUN.values(), ids=NOT_BEGUN)
def test_nonsense_about_the_beginning_of_a_span_ends_the_child(
    behaviour: str, play: Callable[[Ask, str], None], plug_in: Plug
) -> None:
    plug_in("t4")
    play(ask_about_gpus, behaviour)
    number = client.begin_span(deadline_seconds=DEADLINE)

    assert isinstance(number, Unavailable)
    assert number.code == "child_nonsense"
    assert client.pid() is None


@pytest.mark.parametrize("behaviour", NOT_ENDED.values(), ids=NOT_ENDED)
def test_nonsense_about_its_end_does_too_and_the_next_span_has_another(
    behaviour: str, play: Callable[[Ask, str], None], plug_in: Plug
) -> None:
    plug_in("t4")
    play(ask_about_gpus, f"say(id=number, begun=True)\n    {behaviour}")
    first = client.begin_span(deadline_seconds=DEADLINE)
    assert isinstance(first, int)
    span = client.end_span(first, deadline_seconds=DEADLINE)

    assert isinstance(span, Unavailable)
    assert span.code == "child_nonsense"
    play(ask_about_gpus, "")
    number = client.begin_span(deadline_seconds=5 * DEADLINE)
    assert isinstance(number, int)
    assert isinstance(client.end_span(number), dict)


def test_a_deadline_holds_while_drops_of_a_line_come(ask: Ask, play: Callable[[Ask, str], None]) -> None:
    play(ask, 'while True: write(b"x")')
    for _ in range(2):
        started = time.monotonic()
        answer = ask()
        assert isinstance(answer, Unavailable)
        assert time.monotonic() - started < DEADLINE + LATE


def test_half_a_line_and_then_nothing_is_silence(ask: Ask, play: Callable[[Ask, str], None]) -> None:
    play(ask, """write(b'{"id": 1')""")
    answer = ask()

    assert isinstance(answer, Unavailable)
    assert answer.code == ("driver_starting" if ask is ask_about_gpus else "mount_silent")
    client.close()
    assert psutil.Process().children() == []


@pytest.mark.parametrize(
    "flood",
    ["while True: write(b'x' * 65536)", "while True: say(**good, id=number)", "while True: write(b'[]\\n' * 999)"],
    ids=["without end", "of the same answer", "of lists"],
)
def test_an_answer_is_taken_and_the_flood_after_it_is_the_next_question_s_nonsense(
    flood: str, ask: Ask, play: Callable[[Ask, str], None], most_held: list[int]
) -> None:
    play(ask, f"say(**good, id=number)\n    {flood}")
    assert is_sound(ask())
    # A driver that has answered has a third of its deadline: enough on a busy machine for the longest line.
    answer = ask_about_gpus(15) if ask is ask_about_gpus else ask()

    assert isinstance(answer, Unavailable)
    assert answer.code == "child_nonsense"
    assert most_held[0] <= asking.LONGEST_ANSWER_BYTES + (1 << 16)
    play(ask, "")
    assert is_sound(ask())


def test_nonsense_again_and_again_never_makes_the_driver_rest(play: Callable[[Ask, str], None], plug_in: Plug) -> None:
    plug_in("t4")
    play(ask_about_gpus, 'write(b"[]\\n")')
    codes = {answer.code for _ in range(4) if isinstance(answer := ask_about_gpus(), Unavailable)}

    assert codes == {"child_nonsense"}
    play(ask_about_gpus, "")
    assert is_sound(ask_about_gpus())


def test_what_kind_of_nonsense_it_was_is_told_and_nothing_of_what_it_said(play: Callable[[Ask, str], None]) -> None:
    play(ask_about_gpus, """write(b'{"token": "secret"}\\n')""")

    assert ask_about_gpus() == Unavailable(code="child_nonsense", values=(("error", "nobody asked"),))


def test_a_report_says_that_it_was_our_own_process(play: Callable[[Ask, str], None], tmp_path: Path) -> None:
    play(ask_about_gpus, 'write(b"[]\\n")')
    seen = probe_gpus(root=str(tmp_path))
    assert seen.gpus == Unavailable(code="child_nonsense", values=(("error", "not an object"),))
    shown = text.render(a_report(Subject.GPU, gpus=seen.gpus, driver=None, platform=JUPYTER))

    assert "colab_magics' own answered nonsense (not an object)" in shown
    assert "restart the kernel" in shown
    assert "driver" not in shown.lower()


def test_where_nothing_speaks_of_a_gpu_there_is_none_all_the_same(
    play: Callable[[Ask, str], None], tmp_path: Path
) -> None:
    (tmp_path / "sys/bus/pci/devices").mkdir(parents=True)
    play(ask_about_gpus, 'write(b"[]\\n")')

    assert probe_gpus(root=str(tmp_path)).gpus == ()


def test_a_disk_whose_look_is_nonsense_is_not_known(
    play: Callable[[Ask, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "mount_of", lambda *_: None)
    play(look_at_root, 'write(b"[]\\n")')
    disks = disk.probe_disks()

    assert isinstance(disks, tuple)
    assert {one.unavailable.code for one in disks if one.unavailable is not None} == {"child_nonsense"}
    report = a_report(Subject.RUNTIME, disks=disks)
    assert "answered nonsense" in text.render(report, RenderOptions(everything=True))
    html.render(report)
    json_view.render(report)


# Anything at all ----------------------------------------------------------------------------------------------------


def told_by(data: bytes, *, is_about_gpus: bool, ends: bool = False, seconds: float = 5) -> object:
    """Return what comes of it where these bytes, of which a pipe holds as many, follow the first request."""
    reading, writing = os.pipe()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    conversation: Any

    def send(_request: object) -> None:
        os.write(writing, data)
        if ends:
            os.close(writing)

    started = time.monotonic()
    try:
        if is_about_gpus:
            pipes: Any = SimpleNamespace(stdin=os.fdopen(nowhere, "wb"), stdout=os.fdopen(reading, "rb"))
            conversation = Asking(pipes)
            conversation._send = send
            return conversation.exchange(None, until=started + seconds)
        conversation = Looking(nowhere, reading)
        send(None)
        return conversation.ask("root", "/")
    except (Gone, Nonsense) as error:
        return error
    finally:
        assert time.monotonic() - started < seconds + LATE
        conversation.close()
        if not ends:
            os.close(writing)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        [-1, 2**63, 2**64, 2**200, "driver_resting", "mount_silent", "unexpected", "not_supported", "\ud800"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "DEADLINE_SECONDS", 0.01)
    monkeypatch.setattr(looking, "UP_SECONDS", 0.01)


LINES = st.lists(
    st.binary(max_size=40)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {"id": st.integers(0, 2)},
        optional={
            "begun": JSON,
            "figures": JSON | st.just(FIGURES["figures"]),
            "error": JSON,
            "silent_seconds": JSON,
            "gpus": JSON,
            "driver": JSON,
            "library": JSON,
            "refused": JSON,
            "samples": JSON,
        },
    ).map(lambda value: json.dumps(value).encode()),
    max_size=5,
).map(b"\n".join)


def test_whatever_comes_is_an_answer_or_none_or_nonsense(hurried: None) -> None:
    @given(LINES, st.booleans(), st.booleans())
    @settings(derandomize=True, max_examples=200, deadline=None, database=None)
    def check(data: bytes, ends: bool, is_whole: bool) -> None:
        data += b"\n" * is_whole
        about_gpus = told_by(data, is_about_gpus=True, ends=ends, seconds=0.01)
        look = told_by(data, is_about_gpus=False, ends=ends, seconds=0.02)
        assert about_gpus is None or isinstance(about_gpus, Gone | Nonsense) or shapes.is_answer(about_gpus)  # type: ignore[arg-type]
        assert isinstance(look, Gone | Nonsense) or shapes.is_look(look)  # type: ignore[arg-type]

    check()


def shown(answer: Answer) -> None:
    """Show an answer in every view."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "ask", lambda **_: answer)
        seen = probe_gpus(root="/nowhere", sample_every_seconds=1.0)
    for subject in (Subject.GPU, Subject.RUNTIME):
        sections = {name: getattr(seen, name) for name in seen._fields}
        report = a_report(subject, **sections, platform=JUPYTER)
        for everything in (False, True):
            options = RenderOptions(everything=everything, processes=True)
            text.render(report, options).encode()
            html.render(report, options).encode()
        json_view.render(report).encode()


def places(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the way to everything that is in an answer."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn, whole: Answer) -> Answer:
    """Return an answer with a few things in it dropped, replaced or added."""
    answer = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([*places(answer)] or [()]))
        if not path:
            break
        holder: Any = answer
        for key in path[:-1]:
            holder = holder[key]
        how = draw(st.sampled_from(["drop", "replace", "near", "add"]))
        if how == "drop":
            del holder[path[-1]]
        elif how == "replace":
            holder[path[-1]] = draw(JSON)
        elif how == "near":
            holder[path[-1]] = draw(_near(holder[path[-1]]))
        elif isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = draw(JSON)
        else:
            holder.append(copy.deepcopy(draw(st.sampled_from(holder) | JSON)))
    return answer


def _near(value: Any) -> st.SearchStrategy[Any]:
    """Return values of the same kind, which may be right."""
    if isinstance(value, bool) or value is None:
        return st.sampled_from([None, True, False])
    if isinstance(value, int):
        return st.integers(0, 2**64) | st.integers(value - 2, value + 2)
    if isinstance(value, float):
        return st.floats()
    return st.text(max_size=90) | st.none() if isinstance(value, str) else st.sampled_from([None, [], {}])


@pytest.mark.parametrize("machine", ["t4", "mig-in-container", "refusing", "none"])
def test_an_answer_that_was_spoilt_is_nonsense_or_can_be_shown(machine: str, plug_in: Plug) -> None:
    if machine != "none":
        plug_in(
            "t4" if machine == "refusing" else machine, *(["fail nvmlInitWithFlags = 18"] * (machine == "refusing"))
        )
    answer = client.ask(deadline_seconds=10, sample_every_seconds=1.0)
    assert isinstance(answer, dict)
    shown(answer)
    believed = [0]

    @given(spoilt(answer))
    @settings(derandomize=True, max_examples=300, deadline=None, database=None)
    def check(answer: Answer) -> None:
        came = told_by(json.dumps({"id": 1, **answer}).encode() + b"\n", is_about_gpus=True)
        assert isinstance(came, dict | Nonsense)
        if isinstance(came, dict):
            believed[0] += 1
            shown(came)

    check()
    assert believed[0] > 10
