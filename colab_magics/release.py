"""Let go of what keeps memory and is nobody's variable: results, the last error, the caches of frameworks.

No variable of the user's is deleted. What frees the memory was tried on Python 3.11 to 3.13 with IPython 7.34 and 9.18
(2026-11): to clear the frames of the last traceback does not, on 3.11; to cut the traceback off and to drop every
reference to it does, at once.

Sources: IPython 7.34 and 9.18, core/displayhook.py, core/interactiveshell.py; the documentation of PyTorch's and CuPy's
caches, and of Arrow's `MemoryPool.release_unused`; malloc_trim(3).
"""

from __future__ import annotations

import gc
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from colab_magics.model.holders import Cache, Keeper, Release
from colab_magics.probes import holders, namespace
from colab_magics.probes.ram import resident_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.model.holders import Holder

MOST_LISTED = 10
"""How many are named of what was let go of."""

COPIES_LAST_SECONDS = 0.3
"""Colab's variable inspector copies the variables five times a second: what it has is gone after this time."""

_LAST_ERROR = ("last_exc", "last_type", "last_value", "last_traceback")


def release(shell: Any) -> Release:
    """Let go of results and the last error in a shell, then of caches; tell what was held before and after.

    Nothing is raised: what cannot be let go of is named.
    """
    failed: list[str] = []

    def guarded(name: str, step: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return step()
        except Exception:  # noqa: BLE001 - whatever a shell or a library does, the rest is let go of
            failed.append(name)
            return otherwise

    before_bytes = resident_bytes(os.getpid())
    hidden: tuple[Holder, ...] = guarded("look", lambda: holders.probe_hidden(shell), ())
    kept_by: str | None = guarded("error", lambda: _kept_by(shell), None)
    results: int = guarded("results", lambda: _drop_results(shell), 0)
    has_dropped_error = kept_by is None and guarded("error", lambda: _drop_error(shell), None) is True
    gc.collect()
    caches = (*guarded("torch", _empty_torch, ()), *guarded("cupy", _empty_cupy, ()))
    guarded("pyarrow", _empty_arrow, None)
    guarded("system", _give_back, None)
    stays = {Keeper.INPUT} if kept_by is None else {Keeper.INPUT, Keeper.ERROR}
    let_go = [one for one in hidden if one.keeper not in stays]
    let_go_bytes = sum(one.ram_bytes for one in let_go)
    return Release(
        let_go=tuple(one for one in let_go if one.ram_bytes >= holders.LEAST_BYTES or one.devices)[:MOST_LISTED],
        let_go_bytes=let_go_bytes,
        results=results,
        has_dropped_error=has_dropped_error,
        error_kept_by=kept_by,
        ram_before_bytes=before_bytes,
        ram_after_bytes=_settled(before_bytes, let_go_bytes),
        caches=caches,
        failed=tuple(dict.fromkeys(failed)),
    )


def _settled(before_bytes: int | None, let_go_bytes: int) -> int | None:
    """Return what this kernel holds now; where much of what was let go of is still there, look again a little later."""
    after_bytes = resident_bytes(os.getpid())
    if before_bytes is None or after_bytes is None or let_go_bytes < holders.LEAST_BYTES:
        return after_bytes
    if before_bytes - after_bytes < let_go_bytes // 2:
        time.sleep(COPIES_LAST_SECONDS)
        gc.collect()
        after_bytes = resident_bytes(os.getpid())
    return after_bytes


def _kept_by(shell: Any) -> str | None:
    """Return the variable that is the last error or its traceback, None where there is none."""
    last = {*map(id, namespace.errors(shell)), *map(id, namespace.tracebacks(shell))}
    return next((name[:128] for name, thing in namespace.variables_of(shell).items() if id(thing) in last), None)


def _drop_results(shell: Any) -> int:
    """Let go of results wherever IPython keeps them, and of what it hides of earlier names; return how many."""
    variables = namespace.variables_of(shell)
    names, hidden, outputs = namespace.places(shell)
    count = sum(type(number) is int for number in outputs)
    for name in [name for name in names if type(name) is str and namespace.is_a_result(name) and name not in variables]:
        _forget(names, name)
    for name in namespace.forgotten(shell):
        _forget(hidden, name)
    dict.clear(outputs)
    hook = getattr(shell, "displayhook", None)
    for name in namespace.UNDERSCORES:
        if hasattr(hook, name):
            setattr(hook, name, "")
    if getattr(shell, "last_execution_result", None) is not None:
        shell.last_execution_result = None
    return count


def _forget(names: dict[str, Any], name: str) -> None:
    """Take a result's name away; IPython wants the last three to be there."""
    if name in namespace.UNDERSCORES:
        names[name] = ""
    else:
        names.pop(name, None)


def _drop_error(shell: Any) -> bool:
    """Let go of the last error, and of all that its functions had; return whether there was one."""
    found = namespace.errors(shell)
    for traceback in namespace.tracebacks(shell):
        traceback.tb_next = None
    for error in found:
        namespace.cut_off(error)
    for name in _LAST_ERROR:
        if name in sys.__dict__:
            delattr(sys, name)
    shown_by: Any = getattr(shell, "InteractiveTB", None)
    if getattr(shown_by, "tb", None) is not None:
        shown_by.tb = None
    return bool(found)


def _empty_torch() -> tuple[Cache, ...]:
    """Let PyTorch give back what it keeps for later, if it has opened a GPU."""
    cuda: Any = sys.modules.get("torch.cuda")
    if cuda is None or not cuda.is_initialized():
        return ()
    devices = range(cuda.device_count())
    before = [int(cuda.memory_reserved(device)) for device in devices]
    cuda.empty_cache()
    return tuple(
        Cache(
            framework="torch",
            device=device,
            reserved_before_bytes=before[device],
            reserved_after_bytes=int(cuda.memory_reserved(device)),
        )
        for device in devices
        if before[device]
    )


def _empty_cupy() -> tuple[Cache, ...]:
    """Let CuPy's pool for the current GPU give back what it keeps for later, if it has anything."""
    cupy: Any = sys.modules.get("cupy")
    if cupy is None:
        return ()
    pool = cupy.get_default_memory_pool()
    before_bytes = int(pool.total_bytes())
    if not before_bytes:
        return ()
    pool.free_all_blocks()
    cupy.get_default_pinned_memory_pool().free_all_blocks()
    return (
        Cache(
            framework="cupy",
            device=int(cupy.cuda.runtime.getDevice()),
            reserved_before_bytes=before_bytes,
            reserved_after_bytes=int(pool.total_bytes()),
        ),
    )


def _empty_arrow() -> None:
    """Let Arrow give back what its pool has free: pandas 3 has its texts there (478 MiB, then 137, tried 2026-11)."""
    pyarrow: Any = sys.modules.get("pyarrow")
    if pyarrow is not None:
        pyarrow.default_memory_pool().release_unused()


def _give_back() -> None:
    """Let the C library give back free pieces between others, which it keeps (416 MiB, then 12, in 60 ms, tried).

    Only glibc's has such a function; where others have taken the place of its `malloc`, it finds nothing to give back.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
