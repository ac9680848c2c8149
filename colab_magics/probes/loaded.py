"""Frameworks that are loaded: what their modules keep, and whether they have opened the GPU in this process.

Nothing is imported and no GPU is opened by asking: what a module keeps is read past whatever code it would run, and the
one function that is called, PyTorch's `is_initialized`, looks at a flag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def kept(thing: object, name: str, *, default: object = None) -> object:
    """Return what a thing keeps under a name without running code of its own: that may import, or open a GPU."""
    try:
        return object.__getattribute__(thing, "__dict__").get(name, default)
    except Exception:  # noqa: BLE001 - it may be anything that somebody put among the modules
        return default


def torch_is_initialized(modules: Mapping[str, object]) -> bool | None:
    """Tell whether PyTorch has opened CUDA; None where it is not loaded or will not say."""
    asks = kept(modules.get("torch.cuda"), "is_initialized")
    if not callable(asks):
        return None
    try:
        answer = asks()
    except Exception:  # noqa: BLE001 - whatever somebody put in its place raises
        return None
    return answer if isinstance(answer, bool) else None


def jax_is_initialized(modules: Mapping[str, object]) -> bool | None:
    """Tell whether JAX has opened CUDA; None where it is not loaded or will not say."""
    backends = jax_backends(modules)
    return None if backends is None else "cuda" in backends


def jax_backends(modules: Mapping[str, object]) -> dict[object, object] | None:
    """Return JAX's backends by their names, None where it is not loaded or keeps them elsewhere.

    The GPU's is called "cuda"; the processor's is there in every JAX that has computed something.
    """
    backends = kept(modules.get("jax._src.xla_bridge"), "_backends")
    return backends if isinstance(backends, dict) else None


def tensorflow_is_initialized(modules: Mapping[str, object]) -> bool | None:
    """Tell whether TensorFlow has opened GPUs; None where it is not loaded or will not say."""
    context = tensorflow_context(modules)
    started = False if context is None else kept(context, "_initialized")  # it is created at its first use
    if started is not True:
        return False if started is False else None
    gpus = kept(context, "_num_gpus")
    return gpus > 0 if isinstance(gpus, int) else None


def tensorflow_context(modules: Mapping[str, object]) -> object:
    """Return what holds TensorFlow's devices, None before its first use; an Ellipsis where it is not loaded."""
    return kept(modules.get("tensorflow.python.eager.context"), "_context", default=...)
