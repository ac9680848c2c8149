"""Numerical frameworks: which are installed, whether their builds can use an NVIDIA GPU, and which ones.

Nothing is imported and no GPU is touched. What is read: the metadata on the search path, the file in which a build
notes what it was made for, and the attributes of modules that are already loaded. Only one of PyTorch's libraries says
for which GPUs it has code; it is searched once. What lies in the working directory is the user's own, and left alone.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from typing import TYPE_CHECKING

from colab_magics import files
from colab_magics.facts import cuda_builds
from colab_magics.imports import trusted_folders, working_directory
from colab_magics.model import Framework
from colab_magics.probes import architectures, packages
from colab_magics.units import package_name
from colab_magics.values import Record, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class _Build(Record):
    """What a build was made for, where that can be told at all."""

    cuda_version: str | None
    cpu_only: bool


class _Distribution(Record):
    """What an installer left: the version, and the folder in which the files lie."""

    version: str
    folder: str


def probe_frameworks(
    *,
    modules: Mapping[str, object] = sys.modules,
    search_path: Sequence[str] | None = None,
    platform: str | None = None,
) -> tuple[Framework, ...]:
    """Look for PyTorch, JAX, TensorFlow and CuPy; a loaded module knows better than what lies on the disk.

    `platform` is this machine's, as the tags of wheels name it ("linux_x86_64").
    """
    if search_path is None:
        entries: tuple[object, ...] = (*sys.path,)
        search_path = _folders(tuple(entry for entry in entries if isinstance(entry, str)), working_directory())
    installed = _installed(search_path)
    here = platform or _platform()
    looked = (look(modules, installed) for look in (_torch, _jax, _tensorflow, _cupy))
    found = (replace(framework, platform=here) for framework in looked if framework is not None)
    return tuple(_with_architectures(framework, modules, installed) for framework in found)


@functools.lru_cache(maxsize=4)
def _folders(_module_path: tuple[str, ...], _working_directory: str | None) -> tuple[str, ...]:
    """Return where packages are looked for; to resolve each folder takes longer than to look whether it has changed."""
    return tuple(trusted_folders())


def _torch(modules: Mapping[str, object], installed: Mapping[str, _Distribution]) -> Framework | None:
    distribution = installed.get("torch")
    version = _version(modules.get("torch"), distribution)
    return _framework(
        "torch",
        modules,
        version=version,
        build=_torch_told(modules) or _torch_noted(distribution) or _tagged((version or "").partition("+")[2]),
        initialized=torch_is_initialized(modules),
    )


def _torch_told(modules: Mapping[str, object]) -> _Build | None:
    cuda_version = kept(kept(modules.get("torch"), "version"), "cuda", default=...)
    if cuda_version is None:
        return _WITHOUT_CUDA
    return _for_cuda(cuda_version) if isinstance(cuda_version, str) else None


def _torch_noted(distribution: _Distribution | None) -> _Build | None:
    """Read the build's own note: wheels from PyPI and conda's packages say nothing in their version."""
    note = re.search(_TORCH_NOTE, _read(distribution, "torch/version.py"))
    if note is None:
        return None
    return _for_cuda(note["cuda_version"]) if note["cuda_version"] else _WITHOUT_CUDA


def _jax(modules: Mapping[str, object], installed: Mapping[str, _Distribution]) -> Framework | None:
    initialized = jax_is_initialized(modules)
    build = _jax_installed(installed)
    if initialized and (build is None or build.cpu_only):  # linked in, or from a place that is not on the path
        build = _FOR_SOME_CUDA
    version = _version(modules.get("jax"), installed.get("jax"))
    return _framework("jax", modules, version=version, build=build, initialized=initialized)


def _jax_installed(installed: Mapping[str, _Distribution]) -> _Build | None:
    """Look for CUDA's plugin; before there were plugins, jaxlib said in its version what it was made for."""
    plugins = {_tagged(name.removeprefix("jax-")) for name in installed if name.startswith("jax-")}
    if plugins:
        return (plugins.pop() if len(plugins) == 1 else None) or _FOR_SOME_CUDA
    if "jaxlib" not in installed:
        return None
    _, local, tag = installed["jaxlib"].version.partition("+")
    return _tagged(tag) if local else _WITHOUT_CUDA


def _tensorflow(modules: Mapping[str, object], installed: Mapping[str, _Distribution]) -> Framework | None:
    name = _tensorflow_name(installed)
    distribution = installed.get(name)
    return _framework(
        "tensorflow",
        modules,
        version=_version(modules.get("tensorflow"), distribution),
        build=_tensorflow_told(modules) or _tensorflow_noted(distribution) or _tagged(name.rpartition("-")[2]),
        initialized=tensorflow_is_initialized(modules),
    )


def _tensorflow_name(installed: Mapping[str, _Distribution]) -> str:
    """Return the distribution's name. Several may be there, and write the same files; the plain name says least."""
    return min((name for name in installed if name.startswith(("tensorflow", "tf-nightly"))), key=len, default="")


def _tensorflow_told(modules: Mapping[str, object]) -> _Build | None:
    told = kept(modules.get("tensorflow.python.platform.build_info"), "build_info")
    if not isinstance(told, dict) or not isinstance(told.get("is_cuda_build"), bool):
        return None
    return _for_cuda(told.get("cuda_version")) if told["is_cuda_build"] else _WITHOUT_CUDA


def _tensorflow_noted(distribution: _Distribution | None) -> _Build | None:
    text = _read(distribution, "tensorflow/python/platform/build_info.py")
    note = dict(re.findall(_TENSORFLOW_NOTE, text))
    if "is_cuda_build" not in note:
        return None
    return _for_cuda(note.get("cuda_version")) if note["is_cuda_build"] == "True" else _WITHOUT_CUDA


def _cupy(modules: Mapping[str, object], installed: Mapping[str, _Distribution]) -> Framework | None:
    names = [name for name in installed if name.startswith("cupy")]
    distribution = installed[names[0]] if names else None
    return _framework(
        "cupy",
        modules,
        version=_version(modules.get("cupy"), distribution),
        build=_tagged(names[0].partition("-")[2]) if len(names) == 1 else None,  # several overwrite each other's files
        initialized=None,
    )


def _with_architectures(
    framework: Framework, modules: Mapping[str, object], installed: Mapping[str, _Distribution]
) -> Framework:
    """Add for which GPUs a build has code, where its files or the table of published builds tell."""
    if framework.cpu_only is not False:
        return framework
    match framework.name:
        case "torch":
            version, words = _torch_carries(framework, modules.get("torch"), installed.get("torch"))
        case "tensorflow":
            version, words = framework.version, _tensorflow_carries(framework, modules, installed)
        case _:
            return framework
    if words is not None:
        return replace(framework, architectures=words, architectures_source="package")
    row = cuda_builds.published(framework.name, version, framework.cuda_version, framework.platform)
    return framework if row is None else replace(framework, architectures=row.carries, architectures_source="published")


def _torch_carries(
    framework: Framework, module: object, distribution: _Distribution | None
) -> tuple[str, tuple[str, ...] | None]:
    """Return the build's full version, and what its library holds; not that of another version put there meanwhile."""
    file = kept(module, "__file__")
    if isinstance(file, str):
        folder = os.path.dirname(os.path.dirname(file))
        distribution = _Distribution(version=framework.version, folder=folder)
    noted = re.search(_TORCH_VERSION, _read(distribution, "torch/version.py"))
    version = noted["version"] if noted and not framework.loaded else framework.version
    if distribution is None or (framework.loaded and (noted is None or noted["version"] != version)):
        return version, None
    return version, architectures.in_library(os.path.join(distribution.folder, "torch/lib/libtorch_python.so"))


def _tensorflow_carries(
    framework: Framework, modules: Mapping[str, object], installed: Mapping[str, _Distribution]
) -> tuple[str, ...] | None:
    told = kept(modules.get("tensorflow.python.platform.build_info"), "build_info")
    if isinstance(told, dict):
        return architectures.in_words(told.get("cuda_compute_capabilities"))
    distribution = installed.get(_tensorflow_name(installed))
    if distribution is None or distribution.version != framework.version:  # another one is loaded
        return None
    return architectures.in_note(_read(distribution, "tensorflow/python/platform/build_info.py"))


def _framework(
    name: str, modules: Mapping[str, object], *, version: str | None, build: _Build | None, initialized: bool | None
) -> Framework | None:
    if version is None:  # not there; or it is somebody's own module of that name
        return None
    return Framework(
        name=name,
        version=version,
        loaded=modules.get(name) is not None,
        cuda_version=None if build is None else build.cuda_version,
        cpu_only=None if build is None else build.cpu_only,
        initialized=initialized,
    )


def _version(module: object, distribution: _Distribution | None) -> str | None:
    version = kept(module, "__version__")
    if isinstance(version, str) and packages.VERSION.fullmatch(version):
        return str(version)  # PyTorch's is a string that compares in its own way
    return None if distribution is None else distribution.version


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


def _tagged(tag: str) -> _Build | None:
    """Return what a tag means: "cu128", "cuda12x", "cuda12.cudnn89", "cpu", "rocm6.4"."""
    if tag.startswith(("cpu", "rocm", "xpu")):
        return _WITHOUT_CUDA
    digits = re.match(r"cu(?:da)?(\d\d)(\d?)", tag)
    return _for_cuda(".".join(filter(None, digits.groups()))) if digits else None


def _for_cuda(version: object) -> _Build:
    """Return a build for that CUDA version, of which major and minor are kept."""
    digits = re.match(r"\d{1,3}(\.\d{1,3})?", version, re.ASCII) if isinstance(version, str) else None
    return _Build(cuda_version=digits[0] if digits else None, cpu_only=False)


def _installed(search_path: Iterable[str]) -> dict[str, _Distribution]:
    """Return what is installed by normalised name; of two, the one that an import finds first."""
    installed: dict[str, _Distribution] = {}
    for folder in search_path:
        try:
            changed_at = os.stat(folder).st_mtime_ns
        except (OSError, ValueError):  # ValueError: a null character in a name
            continue
        for name, distribution in _installed_in(folder, changed_at).items():
            installed.setdefault(name, distribution)
    return installed


@functools.lru_cache(maxsize=64)
def _installed_in(folder: str, _changed_at: int) -> dict[str, _Distribution]:
    """List one folder of the search path; again only once something was put there or taken away.

    importlib.metadata knows exact names only, but the names of JAX's plugins and of CuPy hold the CUDA version.
    """
    # Asking for a few names first: listing a folder of data, put on the path from a slow drive, may take seconds.
    if not any(os.path.isdir(os.path.join(folder, name)) for name in _PACKAGES):
        return {}
    try:
        names = os.listdir(folder)
    except OSError:
        return {}
    installed: dict[str, _Distribution] = {}
    for name in names:
        found = re.fullmatch(_METADATA_FOLDER, name)
        version = _metadata_version(os.path.join(folder, name)) if found else None
        if found and version:
            installed.setdefault(package_name(found["name"]), _Distribution(version=version, folder=folder))
    return installed


def _metadata_version(folder: str) -> str | None:
    try:
        return packages.version_in(folder)
    except OSError:
        return None


def _read(distribution: _Distribution | None, file: str) -> str:
    if distribution is None:
        return ""
    try:
        return files.read_beginning(os.path.join(distribution.folder, file), packages.MOST_BYTES)
    except OSError:
        return ""


def _platform() -> str | None:
    return f"linux_{os.uname().machine}" if sys.platform == "linux" else None


_WITHOUT_CUDA = _Build(cuda_version=None, cpu_only=True)
_FOR_SOME_CUDA = _Build(cuda_version=None, cpu_only=False)
_PACKAGES = ("torch", "jax", "jaxlib", "jax_plugins", "tensorflow", "cupy")
_METADATA_FOLDER = r"""(?xia)
    (?P<name>
        torch | jaxlib | jax | jax [-_.]+ cuda\d* [-_.]+ (?: plugin | pjrt )
        | (?: tensorflow | tf [-_.]+ nightly ) (?: [-_.]+ (?: cpu | gpu | intel | macos | rocm ) )?
        | cupy (?: [-_.]+ (?: cuda \w+ | rocm (?: [-_.]+ \d+ )* ) )?
    )
    - \d [^-]* (?: -py [\d.]+ )? \. (?: dist | egg ) -info
    """
# As PyTorch's tools/generate_torch_version.py and TensorFlow's tensorflow/tools/build_info/gen_build_info.py write it.
_TORCH_NOTE = r"""(?m)^cuda\b[^=\n]*=\s*(?:None|["'](?P<cuda_version>[\d.]{1,64})["'])"""
_TORCH_VERSION = r"""(?m)^__version__\b[^=\n]*=\s*["'](?P<version>[^"'\n]{1,64})["']"""
_TENSORFLOW_NOTE = r"""["'](is_cuda_build|cuda_version)["']\s*[,:]\s*["']?(True|False|[\d.]{1,64})"""
