"""What runs on a machine of a cluster: it looks at that machine, and leaves no process behind.

It is called by the text that was sent (`asking.LOOK`), by the notebook's version of this package: what is asked and
answered is plain values, and the report a pickle that `reading` takes apart with care.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
from typing import TYPE_CHECKING, Any

from colab_magics import report
from colab_magics.imports import trusted_imports
from colab_magics.observer import client
from colab_magics.version import FORM, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_SECONDS = 6.0
"""How long a driver that is starting is waited for, in all: its process is a new one, whatever the machine's age."""

_one_at_a_time = threading.Lock()
"""Workers may be threads of one process, and share its observer."""


@trusted_imports
def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return this machine's report and the versions of this package and of the report's form.

    `request` has the `packages` to look for, and how long the driver is waited for (`driver_deadline_seconds`).
    """
    with _one_at_a_time, _own_devices():
        was_running = client.pid() is not None
        try:
            seen = report.runtime_status(
                shell_class=None, driver_deadline_seconds=float(request["driver_deadline_seconds"])
            )
            seen = report.awaited(seen, wait_seconds=WAIT_SECONDS)
            seen = report.with_packages(seen, tuple(request["packages"]))
        finally:
            if not was_running:
                client.close()
    return {"version": VERSION, "form": FORM, "report": pickle.dumps(seen, protocol=4)}


@contextlib.contextmanager
def _own_devices() -> Iterator[None]:
    """Look at the GPUs as a task would see them that asks for some.

    Ray hides all of them from a task that asks for none, as ours does, by an empty variable: earlier versions always,
    later ones where RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO is 1 (ray 2.60, accelerators/accelerator.py).
    """
    name, is_hiding = "CUDA_VISIBLE_DEVICES", "RAY_JOB_ID" in os.environ
    hidden = os.environ.get(name) if is_hiding else None
    if hidden == "":
        del os.environ[name]
    try:
        yield
    finally:
        if hidden == "":
            os.environ[name] = hidden
