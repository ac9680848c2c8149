"""The child process: reads one JSON request a line, asks the driver, writes one JSON answer a line.

It says when it is up, and when it is about to load NVIDIA's library, by lines with a "stage": a death before that is
not the driver's.
A request with "id" wants an answer of that id. One with "sample_every_seconds" sets how often a sample is taken from
then on, also while nobody asks (null: never), and its answer has "samples", see `samples.Sampler.answer`.
One with "begin_span", "end_span" or "drop_span" is about the span of that number, see `spans`; "at" is when it began
on the monotonic clock, where that is not awaited, and "with_gpus" whether the driver is asked.

Looks that may never end are asked for on two pipes of their own, see `looks`.

Started by path as ``python -I -S child.py KERNEL_PID PYNVML_FILE REQUESTS ANSWERS``, the last two being the descriptors
of these pipes. Nothing but the standard library is on the module path: a `json.py` in the user's working directory
cannot run here. This package and `pynvml` are loaded from their files.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import signal
import sys
import threading
import time

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from colab_magics.observer.devices import Devices
    from colab_magics.observer.looks import Looks
    from colab_magics.observer.samples import Sampler
    from colab_magics.observer.spans import Spans

IDLE_SECONDS = 60.0
"""After this long without work the child ends: an open driver would keep others from reloading or resetting it."""

STUCK_SECONDS = 65
"""A request or a sample that takes longer ends the child. Longer than `client.STARTING_SECONDS`, when the client kills.

It ends by SIGALRM, whose default action works even where the driver's loader holds Python's lock for ever.
"""

LONGEST_REQUEST_BYTES = 1 << 16
"""The longest request: what is longer did not come from `asking` or `looking`."""

_ABOUT_SPANS = ("begin_span", "end_span", "drop_span")
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)
_KEPT_SIGNALS = frozenset({signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ})
"""The first two cannot be changed; Python ignores the others and raises errors instead."""
_UNUSED = "ctypes.util"
_PARENT_CHECK_SECONDS = 1.0
_PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main(kernel_pid: int, pynvml_file: str, pipes_for_looks: tuple[int, ...] = ()) -> None:
    """Answer requests from standard input until the kernel ends, or nobody asks for a while and none samples."""
    _take_signals()
    replies = _take_standard_output()
    _start_thread(threading.Thread(target=_end_with, args=(kernel_pid,), daemon=True).start)
    _load("colab_magics", os.path.join(_PACKAGE_FOLDER, "__init__.py"), package_folder=_PACKAGE_FOLDER)
    from colab_magics.observer.devices import Devices  # noqa: PLC0415 - importable only now
    from colab_magics.observer.nvml import Nvml  # noqa: PLC0415

    def tell(stage: str) -> None:
        _write(replies, {"stage": stage})

    nvml = Nvml(lambda: _load_pynvml(pynvml_file), about_to_load=lambda: tell("loading"))
    tell("up")
    _RequestLoop(kernel_pid, Devices(nvml), replies, _serve_looks(pipes_for_looks)).serve()


def _start_thread(start: Callable[[], None]) -> None:
    """Start a thread, where the system allows one more: without it the child is less watchful, and works."""
    try:
        start()
    except RuntimeError:
        return


def _serve_looks(pipes: tuple[int, ...]) -> Looks | None:
    if not pipes:
        return None
    from colab_magics.observer.looks import Looks  # noqa: PLC0415 - importable only now

    looks = Looks(*pipes)
    _start_thread(looks.start)
    return looks


class _RequestLoop:
    """Serves one request after the other, and between them takes the samples that are due."""

    def __init__(self, kernel_pid: int, devices: Devices, replies: int, looks: Looks | None) -> None:
        self._kernel_pid = kernel_pid
        self._looks = looks
        self._devices = devices
        self._replies = replies
        self._sampler: Sampler | None = None
        self._spans: Spans | None = None

    def serve(self) -> None:
        """Serve until the end of input, until a request cannot be read, or until an idle minute has passed."""
        waiting = select.poll()
        waiting.register(0, select.POLLIN)
        received = b""
        while True:
            to_next = self._seconds_to_next()
            if waiting.poll((IDLE_SECONDS if to_next is None else to_next) * 1000):
                piece = os.read(0, 65536)
                if not piece:
                    return
                *lines, received = (received + piece).split(b"\n")
                for line in lines:
                    try:
                        request = _request(line)
                    except (ValueError, RecursionError):
                        return
                    self._handle(request)
                if len(received) > LONGEST_REQUEST_BYTES:
                    return
            elif to_next is None and not (self._looks is not None and self._looks.hang):
                return  # it would not end while a look hangs: the system waits for that thread
            self._do_what_is_due()

    def _do_what_is_due(self) -> None:
        signal.alarm(STUCK_SECONDS)
        if self._spans is not None:
            self._spans.look_if_due()
        if self._sampler is not None:
            self._sampler.take_if_due()
        signal.alarm(0)

    def _seconds_to_next(self) -> float | None:
        """Return how long it is until something is due, None if nothing will be."""
        due = [work.seconds_to_next() for work in (self._sampler, self._spans) if work is not None]
        return min((seconds for seconds in due if seconds is not None), default=None)

    def _handle(self, request: dict[str, Any]) -> None:
        signal.alarm(STUCK_SECONDS)
        if any(verb in request for verb in _ABOUT_SPANS):
            answer = self._about_a_span(request)
        else:
            # A question opens the driver; a sample does not.
            answer = self._devices.answer() if "id" in request else {}
            if "sample_every_seconds" in request:
                answer["samples"] = self._sample_every(request["sample_every_seconds"])
        signal.alarm(0)
        if "id" in request:
            _write(self._replies, {"id": request["id"], **answer})

    def _about_a_span(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._spans is None:
            from colab_magics.observer.spans import Spans  # noqa: PLC0415 - most children measure nothing

            self._spans = Spans(self._kernel_pid, self._devices)
        if "end_span" in request:
            return {"span": self._spans.end(request["end_span"])}
        if "drop_span" in request:
            self._spans.drop(request["drop_span"])
        else:
            self._spans.begin(request["begin_span"], request.get("at"), with_gpus=request.get("with_gpus", True))
        return {"begun": True}

    def _sample_every(self, seconds: float | None) -> list[dict[str, Any]]:
        if self._sampler is None:
            from colab_magics.observer.samples import Sampler  # noqa: PLC0415 - most children never sample

            self._sampler = Sampler(self._kernel_pid, self._devices)
        self._sampler.set_period(seconds)
        return self._sampler.answer()


def _take_signals() -> None:
    """Let each signal do what it does by default, whatever the kernel ignores or blocks: a process inherits both.

    Ctrl-C is the kernel's alone.
    """
    for number in signal.valid_signals() - _KEPT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _take_standard_output() -> int:
    """Keep standard output for the answers alone: what a driver prints goes nowhere."""
    replies = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return replies


def _end_with(kernel_pid: int) -> None:
    """End this process when the kernel ends; runs in a thread, because the main one may hang in the driver.

    The end of standard input is late when workers forked from the kernel hold the pipe.
    """
    try:
        kernel = os.pidfd_open(kernel_pid)
    except ProcessLookupError:
        os._exit(0)
    except OSError:  # Linux before 5.3, and sandboxes without the call
        while os.getppid() == kernel_pid:
            time.sleep(_PARENT_CHECK_SECONDS)
    else:
        if os.getppid() == kernel_pid:
            poll = select.poll()
            poll.register(kernel, select.POLLIN)
            poll.poll()
    os._exit(0)


def _request(line: bytes) -> dict[str, Any]:
    """Return a request about GPUs; raise ValueError where it is none."""
    request = json.loads(line)
    is_one = (
        isinstance(request, dict)
        and isinstance(request.get("id", 0), int)
        and isinstance(request.get("sample_every_seconds"), int | float | None)
        and all(isinstance(request.get(verb, 0), int) for verb in _ABOUT_SPANS)
        and isinstance(request.get("at", 0.0), int | float)
    )
    if not is_one:
        raise ValueError(line)
    return request  # type: ignore[no-any-return]


def _write(replies: int, answer: dict[str, Any]) -> None:
    line = _ENCODER.encode(answer).encode() + b"\n"
    while line:
        line = line[os.write(replies, line) :]


def _load_pynvml(file: str) -> ModuleType:
    """Import the binding, but not `ctypes.util`, which it imports and never uses.

    Its own imports (subprocess, tempfile, shutil) take a fifth of the time to the first answer: 14 of 76 ms, and 1.8 of
    16 MB (measured 2026-11). What `json` and `string` import, which is `re` for the most part, would be another fifth,
    but nothing less than an encoder of our own does without it.
    """
    stand_in: Any = type(sys)(_UNUSED)

    def remove() -> None:
        if sys.modules.get(_UNUSED) is stand_in:
            del sys.modules[_UNUSED]

    def find_library(name: str) -> str | None:  # for a binding that uses it after all
        remove()
        from ctypes.util import find_library  # noqa: PLC0415 - what this function is there to put off

        return find_library(name)

    stand_in.find_library = find_library
    sys.modules[_UNUSED] = stand_in
    try:
        return _load("pynvml", file)
    finally:
        remove()


def _load(name: str, file: str, *, package_folder: str | None = None) -> ModuleType:
    """Import a module from its file, with nothing added to the module path."""
    folders = [package_folder] if package_folder else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise ImportError(name, path=file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], tuple(map(int, sys.argv[3:])))
