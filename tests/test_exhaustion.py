from __future__ import annotations

import errno
import mmap
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from builders import GIB, MIB
from colab_magics.exhaustion import recognised
from colab_magics.model.cells import Memory, OutOfMemory
from stand_ins import TORCH_ON_GPU

RAM, GPU, TPU = Memory.RAM, Memory.GPU, Memory.TPU
CPP_TRACE = "\nOriginal Traceback (most recent call last):\n" + '  File "worker.py", line 5, in run\n' * 40


def an_error(name: str, *arguments: Any, base: type[BaseException] = RuntimeError) -> BaseException:
    """An error of a class of that name."""
    module, _, qualname = name.rpartition(".")
    return type(qualname, (base,), {"__module__": module})(*arguments)


def raised(code: str, **names: object) -> BaseException:
    try:
        exec(code, names)
    except BaseException as error:  # noqa: BLE001 - whatever it raises is wanted
        return error
    raise AssertionError("nothing was raised")


def jax_with(*backends: str) -> dict[str, object]:
    bridge = ModuleType("jax._src.xla_bridge")
    vars(bridge)["_backends"] = dict.fromkeys(backends, object())
    return {bridge.__name__: bridge}


def tensorflow_with(gpus: int) -> dict[str, object]:
    module = ModuleType("tensorflow.python.eager.context")
    vars(module)["_context"] = SimpleNamespace(_initialized=True, _num_gpus=gpus)
    return {module.__name__: module}


def of_tensorflow(words: str) -> BaseException:
    error = an_error("tensorflow.python.framework.errors_impl.ResourceExhaustedError", base=Exception)
    vars(error)["_message"] = words
    return error


def told(error: BaseException, modules: dict[str, object] | None = None) -> tuple[Memory, str | None, int | None]:
    """Return which memory it was, whose, and how much was asked for."""
    found = recognised(error, modules or {})
    assert found is not None
    return found.memory, found.framework, found.asked_bytes


def test_pytorch_s_error_tells_what_was_asked_for_and_what_was_left() -> None:
    assert recognised(an_error("torch.OutOfMemoryError", TORCH_ON_GPU), {}) == OutOfMemory(
        memory=GPU,
        error="torch.OutOfMemoryError",
        framework="torch",
        device=0,
        asked_bytes=4 * GIB,
        array=None,
        free_bytes=round(3.06 * GIB),
        total_bytes=round(14.74 * GIB),
        frameworks=(),
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            RuntimeError(
                "CUDA out of memory. Tried to allocate 12.50 MiB (GPU 1; 10.92 GiB total capacity; 8.57 MiB already "
                "allocated; 9.28 GiB free; 4.68 MiB cached)"
            ),
            (1, round(12.5 * MIB), round(9.28 * GIB), round(10.92 * GIB)),
            id="1.0",
        ),
        pytest.param(
            an_error(
                "torch.cuda.OutOfMemoryError",
                "CUDA out of memory. Tried to allocate 10.73 GiB (GPU 0; 8.00 GiB total capacity; 17.20 GiB already "
                "allocated; 0 bytes free; 19.15 GiB reserved in total by PyTorch) If reserved memory is >> allocated",
            ),
            (0, round(10.73 * GIB), 0, 8 * GIB),
            id="2.0",
        ),
        pytest.param(
            an_error(
                "torch.cuda.OutOfMemoryError",
                "CUDA out of memory. Tried to allocate 496.00 MiB. GPU 0 has a total capacty of 14.75 GiB of which "
                "235.06 MiB is free. Process 20398 has 14.52 GiB memory in use.",
            ),
            (0, 496 * MIB, round(235.06 * MIB), round(14.75 * GIB)),
            id="2.1, with its slip of the pen",
        ),
        pytest.param(
            an_error("torch.OutOfMemoryError", f"Caught OutOfMemoryError in replica 3.{CPP_TRACE}{TORCH_ON_GPU}"),
            (0, 4 * GIB, round(3.06 * GIB), round(14.74 * GIB)),
            id="passed on by a worker",
        ),
        pytest.param(RuntimeError("CUDA error: out of memory\nCUDA kernel errors might"), (None,) * 4, id="by CUDA"),
        pytest.param(
            an_error("torch.AcceleratorError", "CUDA error: out of memory\nSearch for"), (None,) * 4, id="2.8"
        ),
        pytest.param(
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            (None,) * 4,
            id="by cuBLAS",
        ),
        pytest.param(an_error("torch.OutOfMemoryError"), (None,) * 4, id="without words"),
    ],
)
def test_every_form_of_pytorch_s_error_is_read(error: BaseException, expected: tuple[int | None, ...]) -> None:
    found = recognised(error, {})

    assert found is not None
    assert (found.memory, found.framework) == (GPU, "torch")
    assert (found.device, found.asked_bytes, found.free_bytes, found.total_bytes) == expected


@pytest.mark.parametrize(
    "words",
    [
        (
            "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
            "allocate 4000000000000000 bytes. Error code 12 (Cannot allocate memory)"
        ),
        (
            "[enforce fail at ..\\c10\\core\\impl\\alloc_cpu.cpp:81] data. DefaultCPUAllocator: not enough memory: you "
            "tried to allocate 4000000000000000 bytes."
        ),
    ],
)
def test_pytorch_s_error_for_ram_is_one_of_ram(words: str) -> None:
    assert told(RuntimeError(words)) == (RAM, "torch", 4_000_000_000_000_000)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("Out of memory allocating 25,600,000 bytes (allocated so far: 3,635,267,072 bytes).", 25_600_000),
        ("Out of memory allocating 512 bytes (allocated so far: 0 bytes, limit set to: 1,024 bytes).", 512),
        ("out of memory to allocate 1073741824 bytes (total 12373894656 bytes)", GIB),
    ],
)
def test_cupy_s_error_is_one_of_the_gpu(words: str, asked: int) -> None:
    error = an_error("cupy.cuda.memory.OutOfMemoryError", words, base=MemoryError)

    assert told(error) == (GPU, "cupy", asked)


@pytest.mark.parametrize(
    ("name", "words", "asked"),
    [
        ("jax.errors.JaxRuntimeError", "RESOURCE_EXHAUSTED: Out of memory allocating 4000000000000 bytes.", 4 * 10**12),
        (
            "jaxlib.xla_extension.XlaRuntimeError",
            "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 4770354232 bytes.\nBufferAssignment OOM",
            4770354232,
        ),
        (
            "jaxlib._jax.XlaRuntimeError",
            "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 2.50GiB.",
            2684354560,
        ),
        ("builtins.RuntimeError", "Resource exhausted: Out of memory while trying to allocate 24 bytes.", 24),
        ("jaxlib.xla_extension.XlaRuntimeError", "RESOURCE_EXHAUSTED: Failed to allocate request for 2.0MiB", None),
    ],
)
def test_jax_s_error_is_one_of_what_it_computes_on(name: str, words: str, asked: int | None) -> None:
    error = an_error(name, words)

    assert told(error, jax_with("cpu", "cuda")) == (GPU, "jax", asked)
    assert told(error, jax_with("cpu", "tpu")) == (TPU, "jax", asked)
    assert told(error, jax_with("cpu")) == (RAM, "jax", asked)


def test_jax_s_other_errors_are_none() -> None:
    assert recognised(an_error("jax.errors.JaxRuntimeError", "INTERNAL: an illegal memory access"), {}) is None
    assert recognised(an_error("jax.errors.JaxRuntimeError", "RESOURCE_EXHAUSTED: too many requests"), {}) is None


@pytest.mark.libraries
def test_jax_itself_says_so() -> None:
    jax = pytest.importorskip("jax", reason="jax is installed by nox -s tests_libraries alone")
    error = raised("jax.numpy.ones(10**15)", jax=jax)

    assert told(error, dict(sys.modules)) == (RAM, "jax", 4 * 10**15)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            (
                "OOM when allocating tensor with shape[64,2016,9,9] and type float on "
                "/job:localhost/replica:0/task:0/device:GPU:1 by allocator GPU_1_bfc"
            ),
            (GPU, 1, 64 * 2016 * 81 * 4, "float 64 x 2016 x 9 x 9"),
        ),
        (
            (
                "OOM when allocating tensor with shape[100] and type double on "
                "/job:localhost/replica:0/task:0/device:CPU:0 by allocator cpu [Op:Fill]"
            ),
            (RAM, None, 800, "double 100"),
        ),
        ("OOM when allocating tensor with shape[100,4096,32]", (GPU, None, None, "100 x 4096 x 32")),
        ("failed to allocate memory [Op:AddV2]", (GPU, None, None, None)),
        ("Out of memory while trying to allocate 123456 bytes.", (GPU, None, 123456, None)),
    ],
)
def test_tensorflow_s_error_tells_the_tensor(words: str, expected: tuple[object, ...]) -> None:
    found = recognised(of_tensorflow(words), tensorflow_with(gpus=2))

    assert found is not None
    assert found.framework == "tensorflow"
    assert (found.memory, found.device, found.asked_bytes, found.array) == expected


def test_a_tensorflow_without_gpus_has_run_out_of_ram() -> None:
    assert told(of_tensorflow("failed to allocate memory [Op:AddV2]"), tensorflow_with(gpus=0)) == (
        RAM,
        "tensorflow",
        None,
    )


def test_python_s_own_errors_are_of_ram() -> None:
    assert told(raised("bytearray(10**17)")) == (RAM, None, None)
    assert told(raised("mmap.mmap(-1, 10**15)", mmap=mmap)) == (RAM, None, None)
    assert told(OSError(errno.ENOMEM, "Cannot allocate memory")) == (RAM, None, None)
    assert recognised(OSError(errno.ENOSPC, "No space left on device"), {}) is None
    assert recognised(ValueError("MemoryError"), {}) is None


@pytest.mark.libraries
def test_numpy_tells_the_array() -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is installed by nox -s tests_libraries alone")
    found = recognised(raised("numpy.ones((10**6, 10**9), dtype='float32')", numpy=numpy), {})

    assert found is not None
    assert (found.memory, found.asked_bytes, found.array) == (RAM, 4 * 10**15, "float32 1000000 x 1000000000")


def test_other_allocators_are_known_by_their_words() -> None:
    arrow = an_error("pyarrow.lib.ArrowMemoryError", "malloc of size 1073741824 failed", base=MemoryError)
    rmm = MemoryError("std::bad_alloc: out_of_memory: CUDA error at: cuda_memory_resource.hpp:62: cudaErrorMemory")

    assert told(arrow) == (RAM, None, GIB)
    assert told(rmm) == (GPU, None, None)


def test_an_error_that_another_led_to_is_read_too() -> None:
    for code in (
        "try:\n    bytearray(10**17)\nexcept MemoryError as error:\n    raise ValueError('batch 3') from error",
        "try:\n    bytearray(10**17)\nexcept MemoryError:\n    raise ValueError('batch 3')",
        "raise ExceptionGroup('workers', [ValueError(), ExceptionGroup('more', [MemoryError()])])",
    ):
        assert told(raised(code)) == (RAM, None, None), code


def test_what_was_hidden_or_is_an_interruption_is_not() -> None:
    hidden = "try:\n    bytearray(10**17)\nexcept MemoryError:\n    raise ValueError('no') from None"
    interrupted = "try:\n    bytearray(10**17)\nexcept MemoryError:\n    raise KeyboardInterrupt"

    assert recognised(raised(hidden), {}) is None
    assert recognised(raised(interrupted), {}) is None


def test_errors_that_lead_to_each_other_in_a_circle_end() -> None:
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first

    assert recognised(first, {}) is None


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(an_error("__main__.OutOfMemoryError", base=Exception), id="PyTorch's and CuPy's name"),
        pytest.param(an_error("__main__.ResourceExhaustedError", "quota", base=Exception), id="TensorFlow's"),
        pytest.param(an_error("google.api_core.exceptions.ResourceExhausted", "429", base=Exception), id="Google's"),
        pytest.param(an_error("torch_tools.OutOfMemoryError", "no", base=Exception), id="a package called alike"),
        pytest.param(an_error("__main__.XlaRuntimeError", "RESOURCE_EXHAUSTED: quota"), id="JAX's"),
        pytest.param(Exception("CUDA out of memory"), id="the words alone"),
    ],
)
def test_a_class_of_the_user_s_that_is_called_alike_says_nothing(error: BaseException) -> None:
    assert recognised(error, {}) is None


def test_nothing_of_a_class_of_the_user_s_is_run() -> None:
    def refuse(*_arguments: object) -> Any:
        raise AssertionError("the user's code was run")

    hostile_names = ("__str__", "__repr__", "__getattr__", "__eq__", "__hash__", "__bool__", "__iter__", "__len__")

    class Meta(type):
        __instancecheck__ = __subclasscheck__ = __eq__ = refuse
        __hash__ = type.__hash__
        mro_asked = property(refuse)

    namespace: dict[str, Any] = dict.fromkeys(hostile_names, refuse)
    namespace |= {name: property(refuse) for name in ("args", "__cause__", "__context__", "__traceback__", "errno")}
    for base in (Exception, RuntimeError, OSError, MemoryError):
        error = base.__new__(Meta("Hostile", (base,), {**namespace, "__init__": lambda *_: None}), "words")

        found = recognised(error, {})

        assert (found is None) is (base is not MemoryError)


def test_words_of_a_class_of_their_own_are_not_read() -> None:
    class Words(str):
        __slots__ = ()

        def __getitem__(self, _key: object) -> str:
            raise AssertionError("the user's code was run")

    assert recognised(RuntimeError(Words("CUDA out of memory")), {}) is None


@pytest.mark.parametrize("size", ["9" * 400 + " GiB", "1.2.3 GiB", ",,, bytes", "GiB"])
def test_a_size_that_cannot_be_is_not_known(size: str) -> None:
    found = recognised(an_error("torch.OutOfMemoryError", f"CUDA out of memory. Tried to allocate {size}."), {})

    assert found is not None
    assert found.asked_bytes is None


def test_nothing_is_imported_to_recognise_an_error() -> None:
    code = (
        "import sys; from colab_magics.exhaustion import recognised; before = {*sys.modules};"
        "recognised(RuntimeError('CUDA out of memory')); recognised(MemoryError());"
        "print({*sys.modules} - before)"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert seen.stdout.strip() == "set()"
