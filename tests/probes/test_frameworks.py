from __future__ import annotations

import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import LazyLoader, module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from colab_magics.model import Framework
from colab_magics.probes import architectures, frameworks
from colab_magics.probes.frameworks import probe_frameworks

# As the wheels bring them: torch 2.13.0, tensorflow 2.20.0, tensorflow-cpu 2.20.0.
TORCH_NOTE = """\
from typing import Optional

__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'rocm', 'xpu']
__version__ = '2.11.0'
debug = False
cuda: Optional[str] = {cuda}
git_version = 'cf30153c4c131c8164ee7798e5022d810682e2cb'
hip: Optional[str] = {hip}
"""
TENSORFLOW_NOTE = """\
import collections

build_info = collections.OrderedDict({pairs})
"""
TENSORFLOW_FOR_CUDA = [
    ("cpu_compiler", "clang 18"),
    ("cuda_compute_capabilities", ["sm_60", "sm_70"]),
    ("cuda_version", "12.5.1"),
    ("cudnn_version", "9"),
    ("is_cuda_build", True),
    ("is_rocm_build", False),
]
TENSORFLOW_WITHOUT_CUDA = [("is_cuda_build", False), ("is_rocm_build", False), ("is_tensorrt_build", False)]


def install(folder: Path, *distributions: str, packages: tuple[str, ...] = ("torch",)) -> list[str]:
    """Install these (name-version), and the packages' empty folders; return the search path."""
    for package in packages:
        (folder / package).mkdir(parents=True, exist_ok=True)
    for distribution in distributions:
        name, _, version = distribution.rpartition("-")
        metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n\nVersion: of the text\n")
    return [str(folder)]


def note(folder: Path, file: str, text: str) -> None:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)


def a_module(name: str, **kept: object) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(kept)
    return module


def only(search_path: list[str], *modules: ModuleType) -> Framework:
    """Return the only framework seen with these modules loaded."""
    (framework,) = probe_frameworks(modules={module.__name__: module for module in modules}, search_path=search_path)
    return framework


def build(framework: Framework) -> tuple[str | None, bool | None]:
    return framework.cuda_version, framework.cpu_only


def test_what_is_not_installed_is_not_told(tmp_path: Path) -> None:
    assert probe_frameworks(modules={}, search_path=[str(tmp_path)]) == ()


def test_frameworks_come_in_one_order(tmp_path: Path) -> None:
    path = install(tmp_path, "cupy-cuda12x-13.6.0", "tensorflow-2.20.0", "jax-0.7.2", "torch-2.11.0+cpu")

    assert [seen.name for seen in probe_frameworks(modules={}, search_path=path)] == [
        "torch",
        "jax",
        "tensorflow",
        "cupy",
    ]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param("2.11.0+cu128", ("12.8", False), id="Colab, GPU"),
        pytest.param("2.11.0+cu130", ("13.0", False), id="Colab, later"),
        pytest.param("2.9.0+cu1291", ("12.9", False), id="to the patch"),
        pytest.param("1.13.1+cu117.with.pypi.cudnn", ("11.7", False), id="with more behind it"),
        pytest.param("2.11.0+cpu", (None, True), id="Colab, CPU"),
        pytest.param("2.11.0+cpu.cxx11.abi", (None, True), id="CPU with more behind it"),
        pytest.param("2.11.0+rocm6.4", (None, True), id="AMD"),
        pytest.param("2.11.0+xpu", (None, True), id="Intel"),
        pytest.param("2.11.0", (None, None), id="PyPI says nothing"),
        pytest.param("2.12.0a0+gitcf30153", (None, None), id="somebody's own build"),
        pytest.param("2.12.0a0+cuda", (None, None), id="no figures"),
    ],
)
def test_torch_s_version_says_what_the_build_is_for(
    version: str, expected: tuple[str | None, bool | None], tmp_path: Path
) -> None:
    seen = only(install(tmp_path, f"torch-{version}"))

    assert (seen.name, seen.version, seen.loaded, seen.initialized) == ("torch", version, False, None)
    assert build(seen) == expected


@pytest.mark.parametrize(
    ("cuda", "hip", "expected"),
    [
        pytest.param("'13.0'", "None", ("13.0", False), id="CUDA"),
        pytest.param("None", "None", (None, True), id="CPU"),
        pytest.param("None", "'6.4.43482'", (None, True), id="AMD"),
        pytest.param("something_else()", "None", (None, None), id="not what PyTorch writes"),
    ],
)
def test_torch_from_pypi_is_known_by_its_own_note(
    cuda: str, hip: str, expected: tuple[str | None, bool | None], tmp_path: Path
) -> None:
    path = install(tmp_path, "torch-2.11.0")
    note(tmp_path, "torch/version.py", TORCH_NOTE.format(cuda=cuda, hip=hip))

    assert build(only(path)) == expected


def test_an_older_torch_writes_its_note_without_types(tmp_path: Path) -> None:
    path = install(tmp_path, "torch-1.13.1")
    note(tmp_path, "torch/version.py", "__version__ = '1.13.1'\ncuda = \"11.7\"\n")

    assert build(only(path)) == ("11.7", False)


def test_a_loaded_torch_knows_better_than_the_disk(tmp_path: Path) -> None:
    path = install(tmp_path, "torch-2.12.0+cpu")
    note(tmp_path, "torch/version.py", TORCH_NOTE.format(cuda="None", hip="None"))
    torch = a_module("torch", __version__="2.11.0+cu128", version=a_module("torch.version", cuda="12.8"))

    seen = only(path, torch)

    assert (seen.version, seen.loaded) == ("2.11.0+cu128", True)
    assert build(seen) == ("12.8", False)


def test_a_loaded_torch_for_the_processor_says_so(tmp_path: Path) -> None:
    torch = a_module("torch", __version__="2.11.0", version=SimpleNamespace(cuda=None))

    assert build(only(install(tmp_path, "torch-2.11.0"), torch)) == (None, True)


def test_a_loaded_torch_is_seen_wherever_it_came_from() -> None:
    torch = a_module("torch", __version__="2.11.0+cu128")

    seen = only([], torch)

    assert (seen.name, seen.version, seen.loaded) == ("torch", "2.11.0+cu128", True)
    assert (build(seen), seen.initialized) == (("12.8", False), None)


def test_torch_s_version_is_an_ordinary_string() -> None:
    class TorchVersion(str):
        __slots__ = ()

    assert type(only([], a_module("torch", __version__=TorchVersion("2.11.0"))).version) is str


def refuses() -> bool:
    raise RuntimeError("CUDA driver initialization failed")


@pytest.mark.parametrize(
    ("cuda", "expected"),
    [
        pytest.param({"is_initialized": lambda: True}, True, id="opened"),
        pytest.param({"is_initialized": lambda: False}, False, id="not yet"),
        pytest.param({"is_initialized": refuses}, None, id="raises"),
        pytest.param({"is_initialized": lambda: 1}, None, id="not an answer"),
        pytest.param({"is_initialized": None}, None, id="not a function"),
        pytest.param({}, None, id="has no such function"),
    ],
)
def test_torch_is_asked_whether_it_has_opened_the_gpu(cuda: dict[str, object], expected: bool | None) -> None:
    torch = a_module("torch", __version__="2.11.0+cu128")

    assert only([], torch, a_module("torch.cuda", **cuda)).initialized is expected


def test_torch_is_not_asked_for_a_part_that_is_not_loaded() -> None:
    torch = a_module("torch", __version__="2.11.0+cu128", cuda=SimpleNamespace(is_initialized=refuses))

    assert only([], torch).initialized is None


def test_torch_is_asked_nothing_that_touches_the_gpu() -> None:
    asked: list[str] = []

    class Cuda(ModuleType):
        def __getattribute__(self, name: str) -> object:
            asked.append(name)
            return super().__getattribute__(name)

    cuda = Cuda("torch.cuda")
    vars(cuda).update(dict.fromkeys(("is_available", "device_count", "current_device", "init"), refuses))
    vars(cuda)["is_initialized"] = lambda: not asked.append("is_initialized")  # type: ignore[func-returns-value]
    asked.clear()

    modules = {"torch": a_module("torch", __version__="2.11.0"), "torch.cuda": cuda}
    (seen,) = probe_frameworks(modules=modules, search_path=[])

    assert seen.initialized is True
    assert asked == ["is_initialized"]


@pytest.mark.parametrize(
    ("distributions", "expected"),
    [
        pytest.param(["jaxlib-0.7.2", "jax-cuda12-plugin-0.7.2", "jax-cuda12-pjrt-0.7.2"], ("12", False), id="CUDA 12"),
        pytest.param(["jaxlib-0.7.2", "jax-cuda13-plugin-0.7.2"], ("13", False), id="CUDA 13"),
        pytest.param(["jaxlib-0.7.2", "jax-cuda12-pjrt-0.7.2"], ("12", False), id="half of the plugin"),
        pytest.param(
            ["jaxlib-0.7.2", "jax-cuda12-plugin-0.7.2", "jax-cuda13-plugin-0.7.2"], (None, False), id="two plugins"
        ),
        pytest.param(["jaxlib-0.7.2", "jax-cuda-plugin-0.7.2"], (None, False), id="a plugin without a figure"),
        pytest.param(["jaxlib-0.7.2"], (None, True), id="no plugin"),
        pytest.param(["jaxlib-0.7.2", "jax-rocm60-plugin-0.7.2"], (None, True), id="AMD's plugin"),
        pytest.param(["jaxlib-0.4.20+cuda12.cudnn89"], ("12", False), id="before there were plugins"),
        pytest.param(["jaxlib-0.4.13+cuda11.cudnn86"], ("11", False), id="before there were plugins, CUDA 11"),
        pytest.param(["jaxlib-0.5.1.dev20250101+ge58560fd"], (None, None), id="somebody's own build"),
        pytest.param([], (None, None), id="no jaxlib"),
    ],
)
def test_jax_can_use_the_gpu_with_cuda_s_plugin(
    distributions: list[str], expected: tuple[str | None, bool | None], tmp_path: Path
) -> None:
    seen = only(install(tmp_path, "jax-0.7.2", *distributions, packages=("jax",)))

    assert (seen.name, seen.version, seen.loaded, seen.initialized) == ("jax", "0.7.2", False, None)
    assert build(seen) == expected


def test_jax_s_plugin_may_lie_in_another_folder(tmp_path: Path) -> None:
    path = install(tmp_path / "system", "jax-0.7.2", "jaxlib-0.7.2", packages=("jax", "jaxlib"))
    path += install(tmp_path / "user", "jax-cuda12-plugin-0.7.2", packages=("jax_plugins",))

    assert build(only(path)) == ("12", False)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        pytest.param({"_backends": {"cpu": 1, "cuda": 2}}, True, id="opened"),
        pytest.param({"_backends": {"cpu": 1}}, False, id="fell back to the processor"),
        pytest.param({"_backends": {"cpu": 1, "tpu": 2}}, False, id="a TPU"),
        pytest.param({"_backends": {}}, False, id="not used yet"),
        pytest.param({"_backends": None}, None, id="not a table"),
        pytest.param({}, None, id="keeps no such table"),
    ],
)
def test_jax_has_opened_the_gpu_when_it_has_cuda_s_backend(
    kept: dict[str, object], expected: bool | None, tmp_path: Path
) -> None:
    path = install(tmp_path, "jax-0.7.2", "jaxlib-0.7.2", "jax-cuda12-plugin-0.7.2", packages=("jax",))
    jax = a_module("jax", __version__="0.7.2")
    seen = only(path, jax, a_module("jax._src.xla_bridge", **kept))

    assert (seen.loaded, seen.initialized) == (True, expected)
    assert build(seen) == ("12", False)


def test_a_jax_that_has_opened_the_gpu_can_use_it_whatever_is_installed(tmp_path: Path) -> None:
    path = install(tmp_path, "jax-0.7.2", "jaxlib-0.7.2", packages=("jax",))
    bridge = a_module("jax._src.xla_bridge", _backends={"cuda": 1})
    seen = only(path, a_module("jax", __version__="0.7.2"), bridge)

    assert build(seen) == (None, False)


@pytest.mark.parametrize(
    ("distributions", "expected"),
    [
        pytest.param(["tensorflow-2.20.0"], (None, None), id="the name says nothing"),
        pytest.param(["tensorflow-cpu-2.20.0"], (None, True), id="for the processor"),
        pytest.param(["tf-nightly-2.21.0"], (None, None), id="nightly"),
        pytest.param(["tf-nightly-cpu-2.21.0"], (None, True), id="nightly, for the processor"),
        pytest.param(["tensorflow-rocm-2.14.0"], (None, True), id="AMD"),
        pytest.param(["tensorflow-2.20.0", "tensorflow-cpu-2.20.0"], (None, None), id="both: the later one won"),
    ],
)
def test_tensorflow_s_name_says_little(
    distributions: list[str], expected: tuple[str | None, bool | None], tmp_path: Path
) -> None:
    seen = only(install(tmp_path, *distributions, packages=("tensorflow",)))

    assert (seen.name, seen.version) == ("tensorflow", distributions[0].rpartition("-")[2])
    assert build(seen) == expected


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param(TENSORFLOW_FOR_CUDA, ("12.5", False), id="CUDA"),
        pytest.param(TENSORFLOW_WITHOUT_CUDA, (None, True), id="CPU"),
        pytest.param([("is_cuda_build", True)], (None, False), id="CUDA without its version"),
        pytest.param([], (None, None), id="nothing"),
    ],
)
def test_tensorflow_is_known_by_its_own_note(
    pairs: list[tuple[str, object]], expected: tuple[str | None, bool | None], tmp_path: Path
) -> None:
    path = install(tmp_path, "tensorflow-2.20.0", packages=("tensorflow",))
    note(tmp_path, "tensorflow/python/platform/build_info.py", TENSORFLOW_NOTE.format(pairs=pairs))

    assert build(only(path)) == expected


def test_a_loaded_tensorflow_knows_better_than_the_disk(tmp_path: Path) -> None:
    path = install(tmp_path, "tensorflow-cpu-2.20.0", packages=("tensorflow",))
    told = a_module("tensorflow.python.platform.build_info", build_info=OrderedDict(TENSORFLOW_FOR_CUDA))
    tensorflow = a_module("tensorflow", __version__="2.19.0")

    seen = only(path, tensorflow, told)

    assert (seen.version, seen.loaded) == ("2.19.0", True)
    assert build(seen) == ("12.5", False)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        pytest.param({"_context": None}, False, id="nothing computed yet"),
        pytest.param({"_context": SimpleNamespace(_initialized=False)}, False, id="not started"),
        pytest.param({"_context": SimpleNamespace(_initialized=True, _num_gpus=1)}, True, id="started with a GPU"),
        pytest.param({"_context": SimpleNamespace(_initialized=True, _num_gpus=0)}, False, id="started without"),
        pytest.param({"_context": SimpleNamespace(_initialized=True)}, None, id="does not count"),
        pytest.param({"_context": SimpleNamespace()}, None, id="does not say"),
        pytest.param({}, None, id="keeps no such thing"),
    ],
)
def test_tensorflow_has_opened_the_gpu_when_its_context_has_one(kept: dict[str, object], expected: bool | None) -> None:
    tensorflow = a_module("tensorflow", __version__="2.20.0")
    context = a_module("tensorflow.python.eager.context", **kept)

    assert only([], tensorflow, context).initialized is expected


def test_tensorflow_s_companions_are_not_tensorflow(tmp_path: Path) -> None:
    names = ["tensorflow-datasets-4.9.9", "tensorflow-hub-0.16.1", "tensorflow-probability-0.25.0", "tf-keras-2.20.1"]
    path = install(tmp_path, *names, "torchvision-0.26.0", "torch-xla-2.9.0", "jax-metal-0.1.1", "cupy-xarray-0.1.4")

    assert probe_frameworks(modules={}, search_path=path) == ()


@pytest.mark.parametrize(
    ("distributions", "expected"),
    [
        pytest.param(["cupy-cuda11x-13.6.0"], ("11", False), id="CUDA 11"),
        pytest.param(["cupy-cuda12x-14.2.0"], ("12", False), id="CUDA 12"),
        pytest.param(["cupy-cuda13x-14.2.0"], ("13", False), id="CUDA 13"),
        pytest.param(["cupy-cuda117-11.6.0"], ("11.7", False), id="one CUDA version each, once"),
        pytest.param(["cupy-rocm-5-0-13.6.0"], (None, True), id="AMD"),
        pytest.param(["cupy-14.2.0"], (None, None), id="built here, or conda's"),
        pytest.param(["cupy-cuda12x-14.2.0", "cupy-cuda13x-14.2.0"], (None, None), id="two in each other's way"),
    ],
)
def test_cupy_s_name_says_what_it_is_for(
    distributions: list[str], expected: tuple[str | None, bool | None], tmp_path: Path
) -> None:
    seen = only(install(tmp_path, *distributions, packages=("cupy",)))

    assert (seen.name, seen.version) == ("cupy", distributions[0].rpartition("-")[2])
    assert (seen.loaded, seen.initialized) == (False, None)
    assert build(seen) == expected


@pytest.mark.parametrize(
    "folder",
    [
        "jax_cuda12_plugin-0.7.2.dist-info",
        "jax-cuda12-plugin-0.7.2.dist-info",
        "jax.cuda12.plugin-0.7.2.dist-info",
        "JAX_CUDA12_Plugin-0.7.2.dist-info",
        "jax__cuda12_plugin-0.7.2.dist-info",
    ],
)
def test_a_name_is_known_however_it_is_written(folder: str, tmp_path: Path) -> None:
    path = install(tmp_path, "jax-0.7.2", "jaxlib-0.7.2", packages=("jax",))
    note(tmp_path, f"{folder}/METADATA", "Name: whatever\nVersion: 0.7.2\n")

    assert build(only(path)) == ("12", False)


@pytest.mark.parametrize("folder", ["torch-2.6.0+debian.egg-info", "torch-2.6.0+debian-py3.13.egg-info"])
def test_an_egg_s_metadata_is_read_too(folder: str, tmp_path: Path) -> None:
    path = install(tmp_path)
    note(tmp_path, f"{folder}/PKG-INFO", "Metadata-Version: 2.1\nName: torch\nVersion: 2.6.0+debian\n")
    note(tmp_path, "torch/version.py", TORCH_NOTE.format(cuda="None", hip="None"))

    seen = only(path)

    assert seen.version == "2.6.0+debian"
    assert build(seen) == (None, True)


def break_by_leaving_nothing(metadata: Path) -> None:
    metadata.unlink()


def break_by_a_folder(metadata: Path) -> None:
    metadata.unlink()
    metadata.mkdir()


def break_by_no_version(metadata: Path) -> None:
    metadata.write_text("Name: torch\n\nVersion: 2.11.0 is new\n")


def break_by_an_empty_version(metadata: Path) -> None:
    metadata.write_text("Name: torch\nVersion:\n")


def break_by_emptiness(metadata: Path) -> None:
    metadata.write_text("")


def break_by_noise(metadata: Path) -> None:
    metadata.write_bytes(bytes(range(256)) * 64)


def break_by_being_a_file(metadata: Path) -> None:
    metadata.unlink()
    metadata.parent.rmdir()
    metadata.parent.write_text("Version: 2.11.0\n")


BREAKS = [
    break_by_leaving_nothing,
    break_by_a_folder,
    break_by_no_version,
    break_by_an_empty_version,
    break_by_emptiness,
    break_by_noise,
    break_by_being_a_file,
]


@pytest.mark.parametrize("breaks", BREAKS)
def test_broken_metadata_is_passed_over(breaks: Callable[[Path], None], tmp_path: Path) -> None:
    path = install(tmp_path, "torch-2.11.0+cu128", "cupy-cuda12x-14.2.0")
    breaks(tmp_path / "torch-2.11.0+cu128.dist-info/METADATA")

    assert only(path).name == "cupy"


def test_broken_metadata_does_not_hide_sound_metadata(tmp_path: Path) -> None:
    path = install(tmp_path / "first", "torch-2.11.0+cpu") + install(tmp_path / "second", "torch-2.11.0+cu128")
    break_by_an_empty_version(tmp_path / "first/torch-2.11.0+cpu.dist-info/METADATA")

    assert only(path).version == "2.11.0+cu128"


@pytest.mark.parametrize("breaks", BREAKS)
def test_broken_metadata_does_not_hide_a_loaded_framework(breaks: Callable[[Path], None], tmp_path: Path) -> None:
    path = install(tmp_path, "torch-2.11.0")
    breaks(tmp_path / "torch-2.11.0.dist-info/METADATA")
    torch = a_module("torch", __version__="2.11.0", version=a_module("torch.version", cuda="13.0"))

    assert build(only(path, torch)) == ("13.0", False)


def test_what_an_interrupted_removal_leaves_is_not_installed(tmp_path: Path) -> None:
    path = install(tmp_path)
    note(tmp_path, "~orch-2.10.0+cpu.dist-info/METADATA", "Name: torch\nVersion: 2.10.0+cpu\n")
    (tmp_path / "torch-2.10.0+cpu.dist-info").mkdir()

    assert probe_frameworks(modules={}, search_path=path) == ()


def test_metadata_without_its_package_is_not_an_installed_framework(tmp_path: Path) -> None:
    assert probe_frameworks(modules={}, search_path=install(tmp_path, "torch-2.11.0+cpu", packages=())) == ()


def test_a_note_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    path = install(tmp_path, "torch-2.11.0+cu128", "tensorflow-cpu-2.20.0")
    note(tmp_path, "tensorflow/python/platform/build_info.py/odd", "a folder in its place")
    (tmp_path / "torch/version.py").write_bytes(bytes(range(128, 256)))

    seen = probe_frameworks(modules={}, search_path=path)

    assert [build(one) for one in seen] == [("12.8", False), (None, True)]


def test_a_folder_that_may_not_be_listed_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: str) -> list[str]:
        raise PermissionError(13, "Permission denied", folder)

    path = install(tmp_path, "torch-2.11.0+cu128")
    monkeypatch.setattr(os, "listdir", refuse)

    assert probe_frameworks(modules={}, search_path=path) == ()


def test_of_two_installed_the_one_that_an_import_finds_counts(tmp_path: Path) -> None:
    path = install(tmp_path / "first", "torch-2.11.0+cpu") + install(tmp_path / "second", "torch-2.11.0+cu128")

    assert build(only(path)) == (None, True)
    assert build(only(path[::-1])) == ("12.8", False)


def test_a_search_path_may_hold_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "archive.zip").write_bytes(b"PK")
    odd = ["", "/nowhere", "nul\0byte", str(tmp_path / "archive.zip"), None, b"/usr", 7, tmp_path]

    monkeypatch.setattr(sys, "path", [*odd, *install(tmp_path / "here", "torch-2.11.0+cpu")])

    assert [seen.version for seen in probe_frameworks(modules={})] == ["2.11.0+cpu"]


@pytest.mark.parametrize("entry", ["", ".", "{here}", "{link}"])
def test_what_lies_in_the_working_directory_is_the_user_s_own(
    entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "torch-2.11.0")
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry.format(here=tmp_path, link=tmp_path / "link")])

    assert probe_frameworks(modules={}) == ()


def test_without_a_search_path_python_s_own_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", install(tmp_path, "torch-2.11.0+cpu"))

    assert [seen.version for seen in probe_frameworks(modules={})] == ["2.11.0+cpu"]


def test_a_name_that_is_blocked_from_import_is_not_loaded(tmp_path: Path) -> None:
    path = install(tmp_path, "torch-2.11.0+cpu")
    (seen,) = probe_frameworks(modules={"torch": None}, search_path=path)

    assert (seen.loaded, seen.version) == (False, "2.11.0+cpu")


@pytest.mark.parametrize("kept", [{}, {"__version__": None}, {"__version__": 2}])
def test_somebody_s_own_module_of_that_name_is_no_framework(kept: dict[str, object]) -> None:
    assert probe_frameworks(modules={"torch": a_module("torch", **kept)}, search_path=[]) == ()


class Hostile(ModuleType):
    """Raises at every attribute that is looked up in the usual way."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(f"no {name} here")


class HostileToTheCore(ModuleType):
    """Raises also where what it keeps is looked up past its own code."""

    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]
        raise RuntimeError("nothing here")


class Hollow:
    """Says that it keeps nothing, in its own way."""

    __dict__ = None  # type: ignore[assignment]


EVERY_MODULE = (
    "torch",
    "torch.cuda",
    "jax",
    "jax._src.xla_bridge",
    "tensorflow",
    "tensorflow.python.platform.build_info",
    "tensorflow.python.eager.context",
    "cupy",
)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Hostile, id="hostile"),
        pytest.param(HostileToTheCore, id="hostile to the core"),
        pytest.param(lambda _: Hollow(), id="hollow"),
        pytest.param(lambda _: object(), id="an empty object"),
        pytest.param(lambda _: SimpleNamespace(__version__=[]), id="a version that is no text"),
    ],
)
def test_a_module_that_is_no_ordinary_one_costs_nothing_but_its_own_word(
    make: Callable[[str], object], tmp_path: Path
) -> None:
    modules = {name: make(name) for name in EVERY_MODULE}
    path = install(tmp_path, "torch-2.11.0+cu128", "jax-0.7.2", "tensorflow-cpu-2.20.0", "cupy-cuda12x-14.2.0")

    seen = probe_frameworks(modules=modules, search_path=path)

    assert [(one.name, one.version, *build(one)) for one in seen] == [
        ("torch", "2.11.0+cu128", "12.8", False),
        ("jax", "0.7.2", None, None),
        ("tensorflow", "2.20.0", None, True),
        ("cupy", "14.2.0", "12", False),
    ]
    assert all(one.loaded for one in seen)
    assert {one.initialized for one in seen} == {None}


def test_a_module_that_would_import_when_looked_at_is_left_alone(tmp_path: Path) -> None:
    """A LazyLoader's module runs at the first attribute looked up, a module's __getattr__ for each it has not."""
    looked: list[str] = []
    (tmp_path / "torch.py").write_text("ran = True\n")
    loader = LazyLoader(SourceFileLoader("torch", str(tmp_path / "torch.py")))
    spec = spec_from_loader("torch", loader)
    assert spec is not None
    torch = module_from_spec(spec)
    loader.exec_module(torch)
    tensorflow = a_module("tensorflow", __getattr__=looked.append)

    probe_frameworks(modules={"torch": torch, "tensorflow": tensorflow}, search_path=[])

    assert looked == []
    assert "ran" not in object.__getattribute__(torch, "__dict__")
    assert torch.ran


def test_nothing_is_imported_by_looking(tmp_path: Path) -> None:
    """The packages are there and would say so; what is looked at is their metadata."""
    for package in ("torch", "jax", "jaxlib", "tensorflow", "cupy"):
        note(tmp_path, f"{package}/__init__.py", "raise SystemExit('imported')\n")
    install(tmp_path, "torch-2.11.0", "jax-0.7.2", "jaxlib-0.7.2", "tensorflow-2.20.0", "cupy-cuda12x-14.2.0")
    note(tmp_path, "torch/version.py", TORCH_NOTE.format(cuda="'13.0'", hip="None"))
    note(tmp_path, "tensorflow/python/platform/build_info.py", TENSORFLOW_NOTE.format(pairs=TENSORFLOW_FOR_CUDA))
    code = f"""
import sys
from colab_magics.probes import architectures, frameworks
from colab_magics.probes.frameworks import probe_frameworks
sys.path.insert(0, {str(tmp_path)!r})
before = set(sys.modules)
print(*[(seen.name, seen.cuda_version) for seen in probe_frameworks()])
print(sorted(set(sys.modules) - before))
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.splitlines() == [
        "('torch', '13.0') ('jax', None) ('tensorflow', '12.5') ('cupy', '12')",
        "[]",
    ]


def test_what_is_installed_meanwhile_is_seen(tmp_path: Path) -> None:
    assert probe_frameworks(modules={}, search_path=[str(tmp_path)]) == ()
    (tmp_path / "torch").mkdir()
    folder = tmp_path / "torch-2.11.0+cpu.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: torch\nVersion: 2.11.0+cpu\n")
    (framework,) = probe_frameworks(modules={}, search_path=[str(tmp_path)])

    assert (framework.version, framework.cpu_only) == ("2.11.0+cpu", True)


# For which GPUs a build has code --------------------------------------------------------------------------------------

MID = ("sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")
LOW = ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90")
LIBRARY = "torch/lib/libtorch_python.so"


def lay_torch(folder: Path, version: str, cuda: str = "'12.8'", carries: tuple[str, ...] | None = None) -> list[str]:
    """Install a PyTorch as PyPI has it: the full version stands in its note alone."""
    path = install(folder, f"torch-{version.partition('+')[0]}")
    text = TORCH_NOTE.format(cuda=cuda, hip="None").replace("'2.11.0'", repr(version))
    note(folder, "torch/version.py", text)
    if carries is not None:
        note(folder, LIBRARY, "")
        (folder / LIBRARY).write_bytes(b"\x7fELF" + bytes(64) + b"not this\0" + " ".join(carries).encode() + b"\0more")
    return path


def carried(search_path: list[str], *modules: ModuleType, platform: str = "linux_x86_64") -> tuple[Any, Any]:
    loaded = {module.__name__: module for module in modules}
    (seen,) = probe_frameworks(modules=loaded, search_path=search_path, platform=platform)
    assert seen.platform == platform
    return seen.architectures, seen.architectures_source


def test_torch_s_own_library_tells_whatever_the_version_says(tmp_path: Path) -> None:
    """kaggle-cli#1151, docker-python#1546: the image's build has no code for a P100 (6.0)."""
    assert carried(lay_torch(tmp_path / "kaggle", "2.10.0+cu128", carries=MID)) == (MID, "package")
    assert carried(lay_torch(tmp_path / "vendor", "2.8.0a0+5228986c39.nv25.05", carries=("sm_90a",))) == (
        ("sm_90a",),
        "package",
    )


def test_where_the_library_does_not_tell_the_table_of_published_builds_does(tmp_path: Path) -> None:
    assert carried(lay_torch(tmp_path / "first", "2.10.0+cu128")) == (MID, "published")
    assert carried(lay_torch(tmp_path / "second", "2.10.0+cu128", carries=())) == (MID, "published")
    assert carried(lay_torch(tmp_path / "third", "2.10.0+cu126", cuda="'12.6'")) == (LOW, "published")


@pytest.mark.parametrize("version", ["2.10.0", "2.8.0a0+5228986c39.nv25.05", "2.16.0+cu128", "2.10.0+debian"])
def test_a_build_that_is_not_in_the_table_is_not_guessed(version: str, tmp_path: Path) -> None:
    assert carried(lay_torch(tmp_path, version)) == (None, None)


def test_a_build_for_another_processor_is_not_taken_for_this_one(tmp_path: Path) -> None:
    assert carried(lay_torch(tmp_path, "2.8.0+cu128"), platform="linux_aarch64") == (None, None)


@pytest.mark.parametrize(("version", "cuda"), [("2.10.0+cpu", "None"), ("2.10.0+rocm6.4", "None")], ids=["CPU", "AMD"])
def test_the_library_of_a_build_without_cuda_is_not_read(
    version: str, cuda: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(architectures, "in_library", pytest.fail)

    assert carried(lay_torch(tmp_path, version, cuda=cuda, carries=MID)) == (None, None)


def test_a_loaded_torch_is_read_where_it_was_loaded_from(tmp_path: Path) -> None:
    elsewhere = lay_torch(tmp_path / "elsewhere", "2.10.0+cu128", carries=MID)
    path = lay_torch(tmp_path / "here", "2.10.0+cu128", carries=LOW)
    torch = a_module("torch", __version__="2.10.0+cu128", __file__=f"{elsewhere[0]}/torch/__init__.py")

    assert carried(path, torch) == (MID, "package")
    assert carried(path, a_module("torch", __version__="2.10.0+cu128")) == (LOW, "package")


def test_what_was_installed_over_a_loaded_torch_does_not_speak_for_it(tmp_path: Path) -> None:
    path = lay_torch(tmp_path, "2.10.0+cu126", cuda="'12.6'", carries=LOW)
    file = f"{tmp_path}/torch/__init__.py"
    told = SimpleNamespace(cuda="12.8")

    assert carried(path, a_module("torch", __version__="2.10.0+cu128", __file__=file, version=told)) == (
        MID,
        "published",
    )
    assert carried(path, a_module("torch", __version__="2.12.0a0+mine", __file__=file)) == (None, None)


TENSORFLOW_WORDS = ("sm_60", "sm_70", "sm_80", "sm_89", "sm_90", "compute_90")


def test_tensorflow_s_note_tells(tmp_path: Path) -> None:
    path = install(tmp_path, "tensorflow-2.20.0", packages=("tensorflow",))
    note(tmp_path, "tensorflow/python/platform/build_info.py", TENSORFLOW_NOTE.format(pairs=TENSORFLOW_FOR_CUDA))

    assert carried(path) == (("sm_60", "sm_70"), "package")


def test_a_tensorflow_that_does_not_say_it_is_looked_up(tmp_path: Path) -> None:
    pairs = [("cuda_version", "12.5.1"), ("is_cuda_build", True)]
    path = install(tmp_path, "tensorflow-2.20.0", packages=("tensorflow",))
    note(tmp_path, "tensorflow/python/platform/build_info.py", TENSORFLOW_NOTE.format(pairs=pairs))

    assert carried(path) == (TENSORFLOW_WORDS, "published")
    assert carried(path, platform="linux_aarch64") == (None, None)


def test_a_loaded_tensorflow_tells_it_and_no_other_does(tmp_path: Path) -> None:
    path = install(tmp_path, "tensorflow-2.20.0", packages=("tensorflow",))
    note(tmp_path, "tensorflow/python/platform/build_info.py", TENSORFLOW_NOTE.format(pairs=TENSORFLOW_FOR_CUDA))
    pairs = {**dict(TENSORFLOW_FOR_CUDA), "cuda_compute_capabilities": ["sm_50", "compute_80"]}
    told = a_module("tensorflow.python.platform.build_info", build_info=pairs)

    assert carried(path, a_module("tensorflow", __version__="2.15.1"), told) == (("sm_50", "compute_80"), "package")
    assert carried(path, a_module("tensorflow", __version__="2.20.0")) == (("sm_60", "sm_70"), "package")
    assert carried(path, a_module("tensorflow", __version__="2.15.1")) == (None, None)


def test_of_jax_and_cupy_it_is_not_told(tmp_path: Path) -> None:
    path = install(tmp_path, "jax-0.7.2", "jaxlib-0.7.2", "jax-cuda12-plugin-0.7.2", "cupy-cuda12x-14.2.0")

    assert {seen.architectures for seen in probe_frameworks(modules={}, search_path=path)} == {None}


def test_the_platform_is_this_machine_s() -> None:
    expected = f"linux_{os.uname().machine}" if sys.platform == "linux" else None

    assert only([], a_module("torch", __version__="2.11.0")).platform == expected


# What modules keep, and others ask too ------------------------------------------------------------------------------


def test_what_a_module_keeps_is_read_past_its_own_code() -> None:
    class Lazy(ModuleType):
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"asked for {name}")

    lazy = Lazy("torch")
    ModuleType.__getattribute__(lazy, "__dict__")["version"] = "2.11.0"

    assert frameworks.kept(lazy, "version") == "2.11.0"
    assert frameworks.kept(lazy, "cuda") is None
    assert frameworks.kept(None, "cuda", default=...) is ...


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

    assert frameworks.jax_is_initialized({bridge.__name__: bridge}) is expected


def test_what_is_not_loaded_has_opened_nothing_that_is_known() -> None:
    assert frameworks.torch_is_initialized({}) is None
    assert frameworks.jax_is_initialized({}) is None
    assert frameworks.tensorflow_is_initialized({}) is None
