from __future__ import annotations

from types import ModuleType

import pytest

from colab_magics.probes import loaded


def test_what_a_module_keeps_is_read_past_its_own_code() -> None:
    class Lazy(ModuleType):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"asked for {name}")

    lazy = Lazy("torch")
    ModuleType.__getattribute__(lazy, "__dict__")["version"] = "2.11.0"

    assert loaded.kept(lazy, "version") == "2.11.0"
    assert loaded.kept(lazy, "cuda") is None
    assert loaded.kept(None, "cuda", default=...) is ...


@pytest.mark.parametrize(
    ("backends", "expected"),
    [
        pytest.param({"cpu": object(), "cuda": object()}, True, id="opened"),
        pytest.param({"cpu": object()}, False, id="the processor's alone"),
        pytest.param({}, False, id="none yet"),
        pytest.param(None, None, id="kept elsewhere"),
    ],
)
def test_jax_has_opened_cuda_where_it_has_that_backend(backends: object, expected: bool | None) -> None:
    bridge = ModuleType("jax._src.xla_bridge")
    vars(bridge)["_backends"] = backends

    assert loaded.jax_is_initialized({bridge.__name__: bridge}) is expected


def test_what_is_not_loaded_has_opened_nothing_that_is_known() -> None:
    assert loaded.torch_is_initialized({}) is None
    assert loaded.jax_is_initialized({}) is None
    assert loaded.tensorflow_is_initialized({}) is None
