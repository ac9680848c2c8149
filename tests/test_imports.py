"""What we import never comes from the working directory; what the user imports, may as ever."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from colab_magics import imports
from colab_magics.imports import trusted_folders, trusted_imports

ENTRIES = {
    "empty": "",
    "dot": ".",
    "a way back": "sub/..",
    "absolute": "{here}",
    "absolute, with a slash": "{here}/",
    "link": "{here}/../link",
}
every_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a working directory with a module `planted`, which stands alone on the module path beside a `library`."""
    here, library = tmp_path / "here", tmp_path / "library"
    (here / "sub").mkdir(parents=True)
    (library / "spaced").mkdir(parents=True)
    (here / "planted.py").write_text("")
    (here / "shared_name.py").write_text("")
    (library / "shared_name.py").write_text("")
    (tmp_path / "link").symlink_to(here)
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", ["", str(library)])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    yield here
    for name in ("planted", "shared_name", "spaced"):
        sys.modules.pop(name, None)


def for_us(name: str) -> str | None:
    """Import a module as code of ours does; return its file, None where there is none."""
    namespace = {"__name__": "colab_magics.somewhere"}
    with contextlib.suppress(ModuleNotFoundError):
        exec(f"import {name}", namespace)
        return str(sys.modules[name].__file__)
    return None


@every_entry
def test_nothing_of_the_working_directory_is_imported_for_us(entry: str, here: Path) -> None:
    sys.path[0] = entry.format(here=here)
    with trusted_imports:
        assert for_us("planted") is None
        assert for_us("shared_name") == str(here.parent / "library/shared_name.py")
    assert for_us("planted") is not None  # so it can be told


@every_entry
def test_nor_where_it_stands_further_behind(entry: str, here: Path) -> None:
    sys.path[:] = ["/nowhere", entry.format(here=here), entry.format(here=here)]
    with trusted_imports:
        assert for_us("planted") is None


@every_entry
def test_a_user_s_code_imports_from_it_meanwhile(entry: str, here: Path) -> None:
    sys.path[0] = entry.format(here=here)
    seen: list[str | None] = []
    with trusted_imports:
        thread = threading.Thread(target=lambda: seen.append(importlib.import_module("planted").__file__))
        thread.start()
        thread.join()

    assert os.path.samefile(str(seen[0]), here / "planted.py")


def test_what_the_user_has_imported_already_is_theirs(here: Path) -> None:
    importlib.import_module("planted")
    with trusted_imports:
        assert for_us("planted") == str(here / "planted.py")


def test_asking_whether_a_module_is_there_is_kept_to_the_same_folders(here: Path) -> None:
    namespace = {"__name__": "colab_magics.somewhere", "find_spec": importlib.util.find_spec}
    with trusted_imports:
        assert eval("find_spec('planted')", namespace) is None
        assert eval("find_spec('shared_name')", namespace) is not None
        assert eval("find_spec('spaced')", namespace) is not None  # a namespace package
    assert eval("find_spec('planted')", namespace) is not None


def test_the_folders_keep_their_order(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/b", "", Path("/c"), "relative", str(here), "/a", str(here / "sub")])

    assert list(trusted_folders()) == ["/b", "/a", str(here / "sub")]


def test_a_folder_is_not_touched_before_it_is_needed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(os.path, "realpath", lambda path: asked.append(path) or path)
    monkeypatch.setattr(sys, "path", [str(here), "/first", "/silent"])

    assert next(trusted_folders()) == "/first"
    assert asked == ["/first"]


def test_where_our_package_lies_in_the_working_directory_that_comes_last(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "_CHOSEN", (str(here),))
    library = str(here.parent / "library")
    for entry in ("", ".", str(here), str(here.parent / "link")):
        sys.path[0] = entry
        assert list(trusted_folders()) == [library, str(here)]
    sys.path[0] = "sub"
    assert list(trusted_folders()) == [library]


def test_a_working_directory_that_was_deleted_is_no_mistake(here: Path) -> None:
    (here / "planted.py").unlink()
    (here / "shared_name.py").unlink()
    (here / "sub").rmdir()
    here.rmdir()
    sys.path.insert(1, str(here))
    with trusted_imports:
        assert for_us("shared_name") == str(here.parent / "library/shared_name.py")
        assert for_us("planted") is None


def state() -> tuple[object, ...]:
    return sys.path, [*sys.path], sys.meta_path, [*sys.meta_path], vars(PathFinder)["find_spec"]


def test_afterwards_all_is_as_it_was_also_after_an_error(here: Path) -> None:
    before = state()
    with trusted_imports, trusted_imports:
        for_us("shared_name")
    with pytest.raises(ZeroDivisionError), trusted_imports:
        1 / 0  # noqa: B018

    assert state() == before


def test_what_others_do_to_the_path_and_the_finders_meanwhile_stays(here: Path) -> None:
    class Finder:
        @staticmethod
        def find_spec(*_: object) -> None: ...

    before = [*sys.meta_path]
    with trusted_imports:
        assert sys.meta_path == before  # where others look for Python's own
        sys.meta_path.insert(0, Finder)
        sys.path.append("/added")
    try:
        assert sys.meta_path == [Finder, *before]
        assert sys.path[-1] == "/added"
    finally:
        sys.meta_path.remove(Finder)


def test_who_wraps_python_s_finder_meanwhile_keeps_it_wrapped(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(PathFinder, "find_spec", PathFinder.find_spec)  # put back in the end
    for _ in range(3):
        with trusted_imports:
            wrapped = PathFinder.find_spec

            def find(name: str, *rest: object, wrapped: object = wrapped) -> object:
                asked.append(name)
                return wrapped(name, *rest)  # type: ignore[operator]

            PathFinder.find_spec = find  # type: ignore[method-assign]
            with trusted_imports:
                assert for_us("planted") is None
        assert PathFinder.find_spec is find
    assert importlib.import_module("planted").__file__ == str(here / "planted.py")
    assert "planted" in asked


def test_an_interrupt_in_the_wrong_moment_keeps_nobody_from_importing(here: Path) -> None:
    trusted_imports.__enter__()  # and never out again
    try:
        assert importlib.import_module("planted").__file__ == str(here / "planted.py")
    finally:
        trusted_imports.__exit__()


def test_several_threads_at_once_each_import_what_they_may(here: Path) -> None:
    for number in range(200):
        (here / f"planted{number}.py").write_text("")
    wrong: list[object] = []
    is_over = threading.Event()

    def report() -> None:
        number = 0
        while not is_over.is_set():
            number = (number + 1) % 200
            with trusted_imports:
                if importlib.util.find_spec("planted") is None:
                    wrong.append("the user's own is not found")
                namespace = {"__name__": "colab_magics.somewhere", "find_spec": PathFinder.find_spec}
                if eval("find_spec('planted')", namespace) is not None:
                    wrong.append("found for us")

    threads = [threading.Thread(target=report) for _ in range(3)]
    before = state()
    for thread in threads:
        thread.start()
    for number in range(200):
        importlib.import_module(f"planted{number}")
    is_over.set()
    for thread in threads:
        thread.join()
    for number in range(200):
        del sys.modules[f"planted{number}"]

    assert wrong == []
    assert state() == before


FORKED = """
import os, sys, threading
from importlib.machinery import PathFinder
from colab_magics.imports import trusted_imports
before = vars(PathFinder)["find_spec"]
held, over = threading.Event(), threading.Event()
def hold():
    with trusted_imports:
        held.set()
        over.wait()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    is_as_before = vars(PathFinder)["find_spec"] is before
    with trusted_imports:
        is_held = vars(PathFinder)["find_spec"] is not before
    os._exit(0 if is_as_before and is_held and vars(PathFinder)["find_spec"] is before else 1)
over.set()
thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_process_forked_meanwhile_holds_nothing() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, check=True)

    assert done.stdout == "0\n"


def test_a_decorated_function_is_known_as_before() -> None:
    @trusted_imports
    def asked(line: str, *, everything: bool = False) -> str:
        """Answer."""
        return f"{line} {everything}"

    assert asked("a", everything=True) == "a True"
    assert (asked.__name__, asked.__doc__, asked.__module__) == ("asked", "Answer.", __name__)
    assert str(inspect.signature(asked)) == "(line: 'str', *, everything: 'bool' = False) -> 'str'"


def test_it_imports_nothing_that_python_has_not_loaded() -> None:
    code = "import sys; before = {*sys.modules}; import colab_magics.imports; print(*sorted({*sys.modules} - before))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.split() == ["colab_magics", "colab_magics.imports"]
