"""Everything that comes from outside: one table of the sources, each tried with every kind of harm.

The first half lists where the package takes something in. What it takes in a new place must be put in the list, and so
in a source; a source is tried with each of `hostile.KINDS`, or says why that kind cannot be.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import pickle
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import TraitError

import colab_magics
from builders import A100, a_report, a_snapshot
from colab_magics import __main__ as command
from colab_magics import autoload, facts, options, report
from colab_magics.clusters.asking import Asked
from colab_magics.clusters.reading import report_of
from colab_magics.model import Driver, Finding, GpuProcess, Package, Severity, Unavailable
from colab_magics.model.cluster import Node
from colab_magics.observer import starting
from colab_magics.options import OptionError, read_line
from colab_magics.probes.framework_memory import probe_framework_memory
from colab_magics.probes.frameworks import probe_frameworks
from colab_magics.probes.packages import probe_packages
from colab_magics.probes.processes import Processes
from colab_magics.report import Report
from colab_magics.requirement import RequirementSyntaxError, check, parse
from colab_magics.values import replace
from colab_magics.version import FORM, VERSION
from colab_magics.views import verdict
from fake_nvml import FakeDriver, escaped
from hostile import FILES, KINDS, TEXTS, assert_harmless, assert_one_line, shown

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="FIFOs, /proc and the driver's process are Linux's")

PACKAGE = Path(colab_magics.__file__).parent


# Where something is taken in ----------------------------------------------------------------------------------------

SYSTEM = "numbers and facts of the kernel's"
OURS = "files of the package itself"
PROC = "files of /proc and /sys"
METADATA = "files of installed packages"
MODULES = "what loaded modules keep"
PROFILE = "IPython's profile"
PLACE = "the working directory and its name"
ENVIRONMENT = "environment variables"
LINES = "lines, arguments and settings"
ANSWERS = "what our process answers"
MACHINES = "what machines of a cluster answer"
DRIVER = "what the driver says"

TAKEN: dict[str, dict[str, str]] = {
    SYSTEM: {
        "procfs": "os.sysconf",
        "probes.by_psutil": "psutil.Error psutil.Process psutil.boot_time psutil.process_iter psutil.swap_memory "
        "psutil.virtual_memory",
        "probes.children": "os.path.exists os.listdir",
        "probes.cpu": "os.cpu_count os.getloadavg os.sched_getaffinity os.sysconf",
        "probes.disk": "os.stat shutil.disk_usage",
        "probes.frameworks": "os.uname",
        "probes.other_gpus": "os.uname",
        "probes.peak": "os.fstat os.open os.sysconf os.uname",
        "probes.platform": "os.uname platform.system",
        "probes.signals": "os.path.exists",
        "observer.child": "os.getppid os.pidfd_open",
        "observer.asking": "subprocess.Popen",
        "observer.client": "signal.Signals subprocess.Popen",
        "observer.looks": "os.stat os.statvfs",
        "observer.nvml": "os.path.exists",
        "observer.samples": "os.sched_getaffinity",
        "observer.starting": "subprocess.Popen",
    },
    OURS: {
        "__init__": "importlib.import_module",
        "facts.loader": "importlib.import_module open tomllib.loads",
        "translation": "gettext.translation",
        "views.style_sheets": "open",
        "views.json": "open",
    },
    PROC: {
        "files": "os.fstat os.open os.read",
        "cgroup": "files.read files.read_bytes os.access",
        "memory": "files.read",
        "procfs": "files.read",
        "observer.starting": "files.read_bytes",
        "observer.samples": "files.read",
        "probes.children": "files.read",
        "probes.driver_state": "files.read os.listdir os.path.exists",
        "probes.framework_memory": "os.listdir os.readlink",
        "probes.gpu": "files.read",
        "probes.mounts": "files.read files.read_bytes os.open os.readlink",
        "probes.other_gpus": "files.read os.listdir",
        "probes.peak": "os.listdir",
        "probes.processes": "files.read os.listdir os.path.isdir os.readlink",
        "probes.tpu": "files.read os.listdir os.path.exists os.readlink os.stat",
    },
    METADATA: {
        "probes.architectures": "files.pieces os.stat",
        "probes.frameworks": "files.read_beginning os.listdir os.path.isdir os.stat",
        "probes.packages": "files.read_beginning os.listdir os.path.isfile",
    },
    MODULES: {
        "__init__": "sys.modules",
        "clusters.dask": "sys.modules",
        "clusters.ipyparallel": "sys.modules",
        "clusters.ray": "sys.modules",
        "exhaustion": "sys.modules",
        "magics": "sys.modules",
        "observer.__init__": "sys.modules",
        "panel.opening": "sys.modules",
        "probes.framework_memory": "sys.modules",
        "probes.frameworks": "sys.modules",
        "probes.namespace": "sys.modules",
        "probes.platform": "sys.modules",
        "probes.blocks": "sys.modules",
        "release": "ctypes.CDLL sys.modules",
        "stopping": "sys.modules",
    },
    PROFILE: {
        "autoload": "files.read_beginning open os.lstat os.open os.path.expanduser os.path.isdir os.path.realpath"
        " os.scandir",
    },
    PLACE: {
        "__main__": "sys.path",
        "imports": "os.getcwd os.path.realpath os.readlink sys.path",
        "probes.frameworks": "sys.path",
        "observer.starting": "os.path.isfile shutil.which sys.executable",
        "panel.opening": "importlib.util.find_spec",
        "probes.disk": "os.getcwd os.path.lexists",
    },
    ENVIRONMENT: {
        "clusters.node": "os.environ",
        "observer.starting": "os.environ",
        "panel.opening": "os.environ",
        "probes.framework_memory": "os.environ",
        "probes.gpu": "os.environ",
        "probes.platform": "os.environ",
        "probes.ram": "os.environ",
        "probes.tpu": "os.environ",
        "translation": "os.environ",
        "views.terminal": "os.environ",
    },
    LINES: {"__main__": "os.open sys.argv", "observer.child": "sys.argv"},
    ANSWERS: {
        "observer.answers": "json.JSONDecoder os.read",
        "observer.child": "json.loads os.read",
        "observer.looks": "json.loads os.read",
    },
    MACHINES: {
        "clusters.asking": "eval",
        "clusters.ipyparallel": "eval",
        "clusters.ray": "eval",
        "clusters.reading": "importlib.import_module pickle.Unpickler",
    },
    DRIVER: {
        "observer.child": "importlib.util.module_from_spec importlib.util.spec_from_file_location os.open sys.modules",
        "observer.nvml": "ctypes.CDLL ctypes.byref ctypes.c_char ctypes.c_uint ctypes.c_ulonglong",
    },
}
"""What is taken where, by the source that it belongs to."""

TAKES = re.compile(
    r"""
    open | input | exec | eval | __import__
    | os\. ( open | fdopen | read | readv | fstat | listdir | scandir | readlink | l?stat | statvfs | access | walk
           | getcwd | environ | environb | getenv | uname | getloadavg | sysconf | sched_getaffinity | cpu_count
           | getlogin | popen | system | getppid | pidfd_open
           | path\. ( l?exists | isfile | isdir | islink | ismount | realpath | expanduser | getsize | getmtime ) )
    | sys\. ( argv | path | modules | executable | stdin | orig_argv )
    | platform\. ( python_version | system | uname | node | release | version | platform | machine | processor )
    | files\. \w+ | psutil\. \w+ | shutil\. ( which | disk_usage ) | subprocess\. ( Popen | run | check_output )
    | json\. ( loads? | JSONDecoder ) | pickle\. ( loads? | Unpickler ) | tomllib\. loads? | gettext\. translation
    | socket\. \w+ | glob\. \w+
    | importlib\. ( import_module | metadata\. \w+ | resources\. \w+ | util\. \w+ ) | signal\. Signals | ctypes\. \w+
    """,
    re.VERBOSE,
)
"""The names by which something can be taken in."""


def dotted(node: ast.AST, imported: dict[str, str]) -> str:
    """Return the name of an attribute or a name with the module that it was imported from; "" for what was not."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    is_ours = node.id not in imported and not hasattr(builtins, node.id)
    return "" if is_ours else ".".join([imported.get(node.id, node.id), *reversed(parts)])


def taken_in(file: Path) -> set[str]:
    """Return the names by which a module takes something in."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0]: alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = f"{node.module}.".removeprefix("colab_magics.")
            imported |= {alias.asname or alias.name: f"{origin}{alias.name}" for alias in node.names}
    names = {dotted(node, imported) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}
    return {name for name in names if TAKES.fullmatch(name)}


def test_every_place_where_something_is_taken_in_belongs_to_a_source() -> None:
    listed = {(module, name) for rows in TAKEN.values() for module, names in rows.items() for name in names.split()}
    there = {
        (".".join(file.relative_to(PACKAGE).with_suffix("").parts), name)
        for file in PACKAGE.rglob("*.py")
        for name in taken_in(file)
    }

    assert not there - listed, "taken in, and in no source of the table"
    assert not listed - there, "in the table, and not taken in"


# What is tried ------------------------------------------------------------------------------------------------------

CANNOT_BE: dict[str, dict[str, str]] = {
    SYSTEM: dict.fromkeys(KINDS, "calls that answer with numbers, true or false: test_bad_files.py, test_cpu.py"),
    OURS: dict.fromkeys(KINDS, "who can write them can write our code"),
    MODULES: {
        "endless": "nothing is iterated or called but is_initialized()",
        "blocking": "nothing is called but is_initialized(), which a cell can call too",
    },
    ENVIRONMENT: {"endless": "a variable has an end", "blocking": "a variable is there or not"},
    LINES: {"endless": "a line has an end", "blocking": "a line is there"},
    PLACE: {"endless": "a name has an end", "empty": "a folder has a name"},
    MACHINES: {
        "endless": "an engine hands over what has ended",
        "blocking": "tests/clusters has machines that hang",
    },
    DRIVER: {"endless": "NVML fills buffers of a fixed size"},
}
"""Which kinds a source cannot be of, and why."""

Try = Callable[[str, pytest.FixtureRequest], object]
TRIES: dict[str, Try] = {}


def tries(source: str) -> Callable[[Try], Try]:
    def take(function: Try) -> Try:
        TRIES[source] = function
        return function

    return take


TO_TRY = [(source, kind) for source in TAKEN for kind in KINDS if kind not in CANNOT_BE.get(source, {})]


@pytest.mark.parametrize(("source", "kind"), TO_TRY)
def test_whatever_comes_in_nothing_blocks_is_exhausted_or_steers(
    source: str, kind: str, request: pytest.FixtureRequest
) -> None:
    started = time.monotonic()
    TRIES[source](kind, request)

    assert time.monotonic() - started < 30


def tmp(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue("tmp_path"))


def text_of(kind: str) -> str:
    return TEXTS.get(kind, "")


@tries(PROC)
def a_process_of_that_name(kind: str, request: pytest.FixtureRequest) -> None:
    """The only text of /proc that is shown as it is; of all else figures are made: probes/test_bad_files.py."""
    file = tmp(request) / "proc/7/comm"
    file.parent.mkdir(parents=True)
    FILES[kind](file)
    name = Processes(root=str(tmp(request))).name_of(7)
    process = GpuProcess(pid=7, memory_used_bytes=1, kinds=("compute",), is_here=True, is_this_kernel=False, name=name)

    shown(a_report(gpus=(replace(A100, processes=(process,)),)))


NOTES = (
    "torch-9.dist-info/METADATA",
    "torch/version.py",
    "torch/lib/libtorch_python.so",
    "tensorflow-9.dist-info/METADATA",
    "tensorflow/python/platform/build_info.py",
    "jaxlib-9.dist-info/METADATA",
    "jax_cuda12_plugin-9.dist-info/METADATA",
    "cupy_cuda12x-9.dist-info/PKG-INFO",
)
WRITTEN = {
    "METADATA": "Metadata-Version: 2.4\nVersion: {}\n\ntext\n",
    "PKG-INFO": "Version: {}\n",
    "version.py": "__version__ = '{0}'\ncuda: Optional[str] = '{0}'\n",
    "build_info.py": "{{'is_cuda_build': True, 'cuda_version': '{0}', 'cuda_compute_capabilities': ['{0}']}}",
    "libtorch_python.so": "\0sm_75 {}\0",
}


def put_notes(folder: Path, content: str) -> None:
    for note in NOTES:
        path = folder / note
        path.parent.mkdir(parents=True, exist_ok=True)
        written = WRITTEN[path.name].format(content)
        path.write_bytes(written.encode("utf-8", "surrogatepass"))


@tries(METADATA)
def packages_that_say_so(kind: str, request: pytest.FixtureRequest) -> None:
    for note in ("", *NOTES):
        folder = tmp(request) / f"site{NOTES.index(note) if note else ''}"
        put_notes(folder, "9.0" if note else text_of(kind))
        if note:
            (folder / note).unlink()
            FILES[kind](folder / note)
        found = probe_frameworks(modules={}, search_path=[str(folder)], platform="linux_x86_64")
        assert all(len(framework.version) <= 64 for framework in found)
        shown(a_report(frameworks=found))
        snapshot = a_snapshot(packages=probe_packages(("torch", "tensorflow", "jaxlib"), search_path=[str(folder)]))
        for expression in ("torch<1, jaxlib<1", "tensorflow<1"):
            assert_harmless(verdict.render(check(parse(expression), snapshot, strict=True), snapshot))


KEPT = {
    "torch": ("__version__", "__file__"),
    "torch.version": ("cuda",),
    "torch.cuda": ("is_initialized", "memory_stats", "get_device_properties"),
    "torch._C": ("_cuda_getDeviceCount",),
    "jax": ("__version__",),
    "jax._src.xla_bridge": ("_backends",),
    "tensorflow": ("__version__",),
    "tensorflow.python.eager.context": ("_context",),
    "tensorflow.python.framework.config": ("get_memory_info",),
    "tensorflow.python.platform.build_info": ("build_info",),
    "cupy": ("__version__", "_default_memory_pool"),
}
"""What is read of modules that are loaded."""


def modules_that_keep(thing: object) -> dict[str, ModuleType]:
    modules = {name: ModuleType(name) for name in KEPT}
    for name, kept in KEPT.items():
        vars(modules[name]).update(dict.fromkeys(kept, thing))
    vars(modules["torch"])["version"] = modules["torch.version"]
    return modules


@tries(MODULES)
def modules_that_keep_that(kind: str, request: pytest.FixtureRequest) -> None:
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    text = text_of(kind)
    told = {"is_cuda_build": True, "cuda_version": text, "cuda_compute_capabilities": [text] * 5000}
    for thing in (text, [text] * 5000, told, 10**5000, None, object(), float("nan")):
        modules = {} if kind == "absent" else modules_that_keep(thing)
        shown(a_report(frameworks=probe_frameworks(modules=modules, search_path=[], platform="linux_x86_64")))
        assert probe_framework_memory(modules=modules) == ()
        monkeypatch.setattr("IPython.__version__", thing)
        shown(colab_magics.ram_info())


@tries(PROFILE)
def a_startup_file_of_that_kind(kind: str, request: pytest.FixtureRequest) -> None:
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    monkeypatch.setenv("IPYTHONDIR", str(tmp(request) / "ipython"))
    file = Path(autoload.startup_file())
    file.parent.mkdir(parents=True)
    FILES[kind](file)
    assert autoload.status() == ("off" if kind == "absent" else "foreign")
    if kind != "absent":
        for change in (autoload.turn_on, autoload.turn_off):
            with pytest.raises(autoload.AutoloadError, match="left alone"):
                change()
    name = re.sub(r"[/\0]", "_", text_of(kind).encode("utf-8", "replace").decode())[:80]
    (tmp(request) / "ipython" / f"profile_{name}").mkdir(exist_ok=True)
    for profile in ("nowhere", text_of(kind)):
        said = run("autoload", "status", "--profile", profile)
        assert said.count("\n") <= 1 or "usage:" in said, said
        assert_harmless(said)


def run(*words: str) -> str:
    """Run the command in a process of its own and return what it says."""
    words = tuple(word.replace("\0", "").encode("utf-8", "replace").decode() for word in words)
    line = [sys.executable, "-m", "colab_magics", *words]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


@tries(PLACE)
def a_working_directory_of_that_name(kind: str, request: pytest.FixtureRequest) -> None:
    name = re.sub(r"[/\0]", "_", text_of(kind).encode("utf-8", "replace").decode())[:80] or kind
    folder = tmp(request) / name
    folder.mkdir()
    put_notes(folder, "9.0")
    for note in NOTES:
        if kind in FILES:
            (folder / note).unlink()
            FILES[kind](folder / note)
    search_path = [*sys.path]
    with contextlib.chdir(folder):
        if kind == "absent":
            subprocess.run(["rm", "-r", str(folder)], check=True)
        try:
            sys.path[:0] = ["", ".", str(folder)]
            report = colab_magics.runtime_status(everything=True)
        finally:
            sys.path[:] = search_path
    shown(report)


VARIABLES = (
    *("COLAB_RELEASE_TAG", "TPU_ACCELERATOR_TYPE", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "SERVER_SOFTWARE"),
    *("CGROUP_MEMORY_EVENTS", "COLAB_MAGICS_LANGUAGE", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"),
    "CUPY_GPU_MEMORY_LIMIT",
)


@tries(ENVIRONMENT)
def variables_of_that_value(kind: str, request: pytest.FixtureRequest) -> None:
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    plug_in: Callable[..., FakeDriver] = request.getfixturevalue("plug_in")
    plug_in("t4")
    signals = [signal for row in (*facts.services(), *facts.frontends()) for signal in row.signals]
    of_signals = [name for signal in signals for name in (*dict(signal.environment), *signal.absent)]
    variables = dict.fromkeys((*VARIABLES, *of_signals))
    value = text_of(kind).replace("\0", "").encode("utf-8", "replace").decode()
    for names in ([*variables], ["COLAB_RELEASE_TAG", "TPU_ACCELERATOR_TYPE", "CUDA_VISIBLE_DEVICES"]):
        with monkeypatch.context() as changed:
            changed.setenv("COLAB_RELEASE_TAG", "release-colab_20261001")
            for name in names:
                if kind == "absent":
                    changed.delenv(name, raising=False)
                else:
                    changed.setenv(name, value)
            changed.setenv("COLAB_RELEASE_TAG", value)
            shown(colab_magics.runtime_status(everything=True))


@tries(LINES)
def lines_of_that_kind(kind: str, request: pytest.FixtureRequest) -> None:
    text = text_of(kind)
    for magic in ("gpu_info", "ram_info", "runtime_status"):
        for line in (text, f"-r {text}", f'-r "gpu={text}"', f"--wait {text}", "1" * 5000, f"--{text}"):
            try:
                read_line(magic, line)
            except OptionError as error:
                assert_one_line(str(error))
    put = (f"gpu={text}", f"vram>={text}", f"python>{text}", f"torch>={text}", f"{text}>=1", f"gpu or {text}")
    for expression in (text, *put, "gpu=A" + "|A" * 80_000, text * 100):
        try:
            parse(expression)
        except RequirementSyntaxError as error:
            assert_one_line(str(error))
    shell: InteractiveShell = request.getfixturevalue("shell")
    shell.run_cell("%load_ext colab_magics").raise_error()
    magics = shell.magics_manager.registry["ColabMagics"]
    for name in ("language", "driver_deadline_seconds", "panel_period_seconds"):
        with pytest.raises((TraitError, UsageError)) as refused:
            setattr(magics, name, text or None)
        assert_harmless(str(refused.value))
    if kind != "absent":
        assert_harmless(run(text))
        assert_harmless(run("--wait", text))
        assert_harmless(run("-r", text))
    assert command.main(["-r", "gpu=" + "A|" * 80_000]) == options.MISTYPED


@tries(MACHINES)
def machines_that_answer_that(kind: str, request: pytest.FixtureRequest) -> None:
    """Nonsense in the place of an answer; and a report in which every text is of that kind."""
    text = text_of(kind)
    asked = Asked(text, 1, {"version": VERSION, "form": FORM, "report": text.encode("utf-8", "replace")})
    for answer in (None, text, [text], {"version": text}, asked.answer, {**asked.answer, "version": text}):  # type: ignore[dict-item]
        assert isinstance(report_of(replace(asked, answer=answer), engine="dask"), Unavailable)
    seen = colab_magics.runtime_status()
    strange = replace(
        seen,
        snapshot=replace(
            seen.snapshot,
            gpus=(replace(A100, name=text), replace(A100, name=None)),
            packages=(Package(name=text or "x", is_installed=True, version=text or None),),
            driver=Driver(version=text, cuda_version=text),
            tpus=Unavailable(code=text or "gpu_lost"),
        ),
        findings=(*seen.findings, Finding(rule=text, severity=Severity.ERROR)),
    )
    told = {"version": "9.9", "form": FORM, "report": pickle.dumps(strange)}
    read = report_of(replace(asked, answer=told), engine="dask")
    assert isinstance(read, Report)
    nodes = [Node(number=1, address=text, workers=1, report=read), Node(number=2, address=text, workers=1, report=seen)]
    shown(report.of_cluster("dask", nodes, ("numpy",), shell_class=None))


CHILD = """
import json, os, time

def say(**answer):
    os.write(1, json.dumps(answer).encode() + b"\\n")

say(stage="up")
say(stage="loading")
text = {text!r}
number = json.loads(os.read(0, 1000))["id"]
{behaviour}
time.sleep(60)
"""
ANSWERED = {
    "absent": "raise SystemExit",
    "empty": 'os.write(1, b"\\n")',
    "huge": "say(id=number, driver=None, gpus=[], library=text * 200)",
    "endless": 'while True: os.write(1, b"x" * 65536)',
    "blocking": "time.sleep(60)",
    "binary": "os.write(1, bytes(range(256)))",
    "malformed": "os.write(1, b'{\"id\": [' + text.encode())",
    "markup": "say(id=number, refused={'reason': text, 'code': None, 'library': None})",
    "control characters": "say(id=number, refused={'reason': 'driver_mismatch', 'code': 18, 'library': text})",
    "traversal": "say(id=number, driver=None, gpus=[], library=text)",
}
"""What the process does in place of answering; more of it in observer/test_nonsense.py."""


@tries(ANSWERS)
def a_process_that_answers_so(kind: str, request: pytest.FixtureRequest) -> None:
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    script = tmp(request) / "child.py"
    script.write_text(CHILD.format(text=text_of(kind), behaviour=ANSWERED[kind]), encoding="utf-8")
    monkeypatch.setattr(starting, "_CHILD_FILE", str(script))
    for _ in range(2):
        shown(colab_magics.gpu_info())


@tries(DRIVER)
def a_driver_that_says_so(kind: str, request: pytest.FixtureRequest) -> None:
    plug_in: Callable[..., FakeDriver] = request.getfixturevalue("plug_in")
    if kind == "absent":
        shown(colab_magics.gpu_info(everything=True))
        return
    said = escaped(text_of(kind).replace("\0", "").encode("utf-8", "surrogatepass")[:90] or b" ")
    fields = {"name": said, "uuid": said, "serial": said}
    lines = [f"gpu0.{name} = {value}" for name, value in fields.items()]
    plug_in("t4", f"driver_version = {said}", *lines, *(["hang nvmlDeviceGetName"] if kind == "blocking" else []))

    shown(colab_magics.gpu_info(everything=True))
