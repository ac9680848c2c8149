"""The startup file: written and removed by the shell command, run by IPython and by kernels."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from jupyter_client.manager import start_new_kernel

from colab_magics import autoload

LOADED = """
ip = get_ipython()
print(len([one for one in ip.configurables if type(one).__name__ == "ColabMagics"]), ip.find_line_magic("gpu_info"))
"""
ONCE = re.compile(r"1 <bound method ColabMagics\.gpu_info .*>\n", re.DOTALL)
NOT_AT_ALL = "0 None\n"


@pytest.fixture(autouse=True)
def ipython_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ipythondir"


@pytest.fixture
def startup(ipython_dir: Path) -> Path:
    """Give the default profile's startup folder, as IPython makes it."""
    folder = ipython_dir / "profile_default" / "startup"
    folder.mkdir(parents=True)
    return folder


def run(*arguments: str, before: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Run the command in a process of its own: exit code, standard output, standard error."""
    code = "import sys; from colab_magics import autoload; sys.exit(autoload.command(sys.argv[1:]))"
    whole = [*before, sys.executable, "-c", code, *arguments]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Give `run`, in this process: a second sooner."""
    return lambda *arguments: (autoload.command(list(arguments)), *capsys.readouterr())


Command = Callable[..., tuple[int, str, str]]


def ipython(code: str, *options: str) -> tuple[str, str]:
    """Run code in an IPython of its own: standard output, standard error."""
    arguments = [sys.executable, "-m", "IPython", "--no-term-title", *options, "-c", code]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_on_off_and_status_say_what_is_so(ipython_dir: Path, command: Command) -> None:
    file = ipython_dir / "profile_default" / "startup" / "90-colab-magics.py"

    assert command("status") == (0, "autoload: off\n", "")
    assert not (ipython_dir / "profile_default").exists()
    assert run("on") == (0, f"autoload: on: {file}\n", "")
    assert run("status") == (0, f"autoload: on: {file}\n", "")
    assert run("off") == (0, "autoload: off\n", "")
    assert command("off") == (0, "autoload: off, as it was\n", "")
    assert command("status") == (0, "autoload: off\n", "")
    assert not file.exists()


def test_every_ipython_of_that_profile_has_the_magics_and_no_other_profile_has(ipython_dir: Path) -> None:
    autoload.turn_on("work")
    assert (ipython_dir / "profile_work" / "startup" / "README").exists()  # made as IPython makes a profile

    stdout, stderr = ipython(LOADED, "--profile=work")
    assert ONCE.fullmatch(stdout)
    assert stderr == ""
    assert ipython(LOADED) == (NOT_AT_ALL, "")

    autoload.turn_off("work")
    assert ipython(LOADED, "--profile=work") == (NOT_AT_ALL, "")


def test_a_terminal_has_the_magics_from_its_first_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    autoload.turn_on("work")
    arguments = ["-m", "IPython", "--profile=work", "--simple-prompt", "--no-banner", "--no-term-title"]
    terminal = pexpect.spawn(sys.executable, arguments, encoding="utf-8", timeout=30, dimensions=(40, 100))
    try:
        terminal.expect(r"In \[1\]: ")
        assert terminal.before.strip() == ""
        terminal.sendline("%ram_info")
        terminal.expect("RAM: ")
        terminal.expect(r"In \[2\]: ")
    finally:
        terminal.close(force=True)


@pytest.mark.parametrize("profile", ["default", "work"])
def test_a_kernel_has_the_magics_and_shows_nothing(profile: str) -> None:
    autoload.turn_on(profile)
    options = [] if profile == "default" else [f"--profile={profile}"]
    manager, client = start_new_kernel(kernel_name="python3", extra_arguments=options)
    try:
        sent = client.execute("report = %ram_info -o\nprint(type(report).__name__)", store_history=False)
        shown = []
        while True:
            message = client.get_iopub_msg(timeout=60)
            if message["msg_type"] not in {"status", "execute_input"}:
                shown.append((message["msg_type"], message["content"].get("text")))
            idle = message["content"].get("execution_state") == "idle"
            if idle and message["parent_header"].get("msg_id") == sent:
                break
        assert shown == [("stream", "Report\n")]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_it_leaves_no_name_among_the_user_s(startup: Path) -> None:
    names = "print(sorted(get_ipython().user_ns), sorted(get_ipython().user_ns_hidden))"
    without = ipython(names)
    autoload.turn_on()

    assert ipython(names) == without


GONE = """
from importlib.machinery import PathFinder

def without_ours(find_spec):
    return lambda name, path=None, target=None: find_spec(name, {places} if name == "colab_magics" else path, target)

PathFinder.find_spec = without_ours(PathFinder.find_spec)
del PathFinder, without_ours
"""


@pytest.fixture
def only_found_in(startup: Path) -> Callable[..., None]:
    """Turn on, then make IPython's Python look for the package in these folders only."""

    def look(*places: Path) -> None:
        autoload.turn_on()
        (startup / "00-gone.py").write_text(GONE.format(places=[str(place) for place in places]))
        (startup / "95-later.py").write_text("later = True\n")

    return look


def test_it_is_silent_once_the_package_is_gone(only_found_in: Callable[..., None]) -> None:
    only_found_in()

    assert ipython(LOADED + "print(later)") == (NOT_AT_ALL + "True\n", "")
    stdout, _ = ipython("try:\n    import colab_magics\nexcept ModuleNotFoundError: print('gone')")
    assert stdout == "gone\n"


def test_a_mere_folder_of_the_package_s_name_is_not_the_package(
    only_found_in: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "clones" / "colab_magics").mkdir(parents=True)
    only_found_in(tmp_path / "clones")

    assert ipython(LOADED + "print(later)") == (NOT_AT_ALL + "True\n", "")


def test_a_package_that_fails_costs_one_line_of_the_log_and_no_other_startup_file(
    only_found_in: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "colab_magics.py").write_text("raise RuntimeError('half installed')\n")
    only_found_in(tmp_path / "broken")
    stdout, stderr = ipython(LOADED + "print(later)")

    assert stdout == NOT_AT_ALL + "True\n"
    assert "colab_magics was not loaded: RuntimeError: half installed" in stderr
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param('c.InteractiveShellApp.extensions = ["colab_magics"]', id="extensions"),
        pytest.param('c.MagicsManager.lazy_magics = {"gpu_info": "colab_magics"}', id="lazy_magics"),
    ],
)
def test_it_gets_along_with_the_other_ways_to_load(setting: str, startup: Path) -> None:
    (startup.parent / "ipython_config.py").write_text(f"c = get_config()\n{setting}\n")
    autoload.turn_on()
    stdout, stderr = ipython("get_ipython().run_line_magic('gpu_info', '-q')" + LOADED)

    assert ONCE.fullmatch(stdout)
    assert stderr == ""


def test_a_wrong_setting_is_told_in_one_line(startup: Path) -> None:
    (startup.parent / "ipython_config.py").write_text("get_config().ColabMagics.driver_deadline_seconds = -1\n")
    autoload.turn_on()
    stdout, stderr = ipython(LOADED)

    assert stdout == NOT_AT_ALL
    assert "colab_magics was not loaded: UsageError: colab_magics: " in stderr
    assert stderr.count("\n") == 1


def test_turning_on_and_off_leaves_every_other_file(startup: Path, command: Command) -> None:
    (startup / "10-mine.py").write_text("mine = 1\n")
    command("on")
    command("on")
    assert {file.name for file in startup.iterdir()} == {"10-mine.py", "90-colab-magics.py"}

    command("off")
    assert {file.name for file in startup.iterdir()} == {"10-mine.py"}


def test_turning_on_again_changes_nothing_and_brings_an_older_file_up_to_date(startup: Path) -> None:
    autoload.turn_on()
    file = startup / autoload.FILE_NAME
    os.utime(file, (1, 1))
    autoload.turn_on()
    assert file.stat().st_mtime == 1

    file.write_text(f"{autoload.MARKER}\nfrom_an_older_version = True\n")
    autoload.turn_on()
    assert file.read_text() == autoload.STARTUP


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("mine = 1\n", id="another"),
        pytest.param("", id="empty"),
        pytest.param(autoload.STARTUP.partition("\n")[2], id="edited"),
    ],
)
def test_a_file_that_is_not_ours_is_left_alone(content: str, startup: Path, command: Command) -> None:
    file = startup / autoload.FILE_NAME
    file.write_text(content)
    refused = f"autoload: {file} was not written by colab_magics, or was changed since: left alone\n"

    assert command("on") == (1, "", refused)
    assert command("off") == (1, "", refused)
    assert command("status") == (0, f"autoload: off: {file} is there, but not ours\n", "")
    assert file.read_text() == content


def link_to_one_of_ours(file: Path) -> None:
    (file.parent / "other").write_text(autoload.STARTUP)
    os.symlink("other", file)


def a_socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        os.chdir(file.parent)
        opened.bind(file.name)  # a socket's path may not be long


KINDS: dict[str, Callable[[Path], None]] = {
    "folder": os.mkdir,
    "pipe": os.mkfifo,
    "socket": a_socket,
    "link to nowhere": lambda file: os.symlink("nowhere", file),
    "link to a device": lambda file: os.symlink("/dev/zero", file),
    "link to one of ours": link_to_one_of_ours,
}


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_what_is_no_file_at_all_is_left_alone(make: Callable[[Path], None], startup: Path) -> None:
    make(startup / autoload.FILE_NAME)

    with pytest.raises(autoload.AutoloadError, match="left alone"):
        autoload.turn_on()
    with pytest.raises(autoload.AutoloadError, match="left alone"):
        autoload.turn_off()
    assert autoload.status() == "foreign"
    assert os.path.lexists(startup / autoload.FILE_NAME)


def test_of_a_huge_file_only_the_beginning_is_read(startup: Path) -> None:
    file = startup / autoload.FILE_NAME
    with file.open("wb") as opened:
        opened.write(autoload.MARKER.encode() + b"\n")
        opened.truncate(1 << 40)
    assert autoload.status() == "on"
    autoload.turn_on()
    assert file.read_text() == autoload.STARTUP

    with file.open("wb") as opened:
        opened.truncate(1 << 40)
    assert autoload.status() == "foreign"


def test_what_somebody_makes_meanwhile_is_not_overwritten(startup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = startup / autoload.FILE_NAME

    def meanwhile(size: int) -> str:
        file.write_text("mine = 1\n")
        return "0" * size

    monkeypatch.setattr("secrets.token_hex", meanwhile)  # asked for between the look and the writing
    with pytest.raises(autoload.AutoloadError, match="left alone"):
        autoload.turn_on()
    assert file.read_text() == "mine = 1\n"

    file.write_text(f"{autoload.MARKER}\nfrom_an_older_version = True\n")
    with pytest.raises(autoload.AutoloadError, match="left alone"):
        autoload.turn_on()
    assert file.read_text() == "mine = 1\n"
    assert [one.name for one in startup.iterdir()] == [file.name]


def test_two_who_turn_on_at_once_both_succeed(startup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = startup / autoload.FILE_NAME

    def meanwhile(size: int) -> str:
        file.write_text(autoload.STARTUP)
        return "0" * size

    monkeypatch.setattr("secrets.token_hex", meanwhile)
    assert autoload.turn_on() == str(file)


def test_a_file_that_takes_the_place_of_ours_is_not_removed(startup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    autoload.turn_on()
    file = startup / autoload.FILE_NAME
    look = autoload._look

    def looked(path: str) -> object:
        found = look(path)
        file.unlink()
        file.write_text("mine = 1\n")
        return found

    monkeypatch.setattr(autoload, "_look", looked)
    with pytest.raises(autoload.AutoloadError, match="left alone"):
        autoload.turn_off()
    assert file.read_text() == "mine = 1\n"


def test_a_file_system_without_links_gets_the_file_too(startup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: str, target: str) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    autoload.turn_on()
    assert [one.read_text() for one in startup.iterdir()] == [autoload.STARTUP]


@pytest.mark.parametrize(("umask", "mode"), [(0o000, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_nobody_else_may_write_the_file_and_the_umask_is_kept(umask: int, mode: int, startup: Path) -> None:
    before = os.umask(umask)
    try:
        autoload.turn_on()
    finally:
        os.umask(before)

    assert stat.S_IMODE((startup / autoload.FILE_NAME).stat().st_mode) == mode


def test_nothing_half_written_is_left_when_writing_fails(startup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: str, target: str) -> None:
        assert not source.endswith(".py")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(autoload.AutoloadError, match="No space left on device"):
        autoload.turn_on()
    assert list(startup.iterdir()) == []


def powerless() -> tuple[str, ...]:
    """Return what a command begins with to be bound by permissions, as root is not."""
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root writes everywhere, and there is no setpriv")
    return ("setpriv", "--bounding-set=-dac_override", "--")


def test_a_folder_that_cannot_be_written_to_costs_one_line(startup: Path, ipython_dir: Path) -> None:
    before = powerless()
    file = startup / autoload.FILE_NAME
    startup.chmod(0o555)
    assert run("on", before=before) == (1, "", f"autoload: cannot write {file}: Permission denied\n")
    startup.chmod(0o755)
    autoload.turn_on()
    startup.chmod(0o555)
    assert autoload.turn_on() == str(file)  # there is nothing to write
    assert run("off", before=before) == (1, "", f"autoload: cannot remove {file}: Permission denied\n")
    startup.chmod(0o755)

    ipython_dir.chmod(0o555)  # here IPython itself would take a temporary folder
    refused = (1, "", f"autoload: IPython dir '{ipython_dir}' is not a writable location\n")
    assert run("on", before=before) == refused
    ipython_dir.chmod(0o755)


@pytest.mark.parametrize("in_the_way", ["profile_work", "profile_work/startup"])
def test_a_file_in_the_place_of_a_folder_costs_one_line(in_the_way: str, ipython_dir: Path, command: Command) -> None:
    (ipython_dir / in_the_way).parent.mkdir(parents=True)
    (ipython_dir / in_the_way).write_text("")
    code, stdout, stderr = command("on", "--profile=work")

    assert (code, stdout, stderr.count("\n")) == (1, "", 1)
    assert stderr.startswith("autoload: cannot write ")


@pytest.mark.parametrize("action", ["off", "status"])
def test_a_profile_that_is_not_there_is_a_mistake(
    action: str, startup: Path, ipython_dir: Path, command: Command
) -> None:
    (ipython_dir / "profile_work").mkdir()

    expected = "autoload: there is no profile 'wark'. There are: default, work\n"
    assert command(action, "--profile=wark") == (1, "", expected)
    assert not (ipython_dir / "profile_wark").exists()


@pytest.mark.parametrize("profile", ["../x", "a/b", "..\\x", "/x", ""])
def test_a_profile_s_name_is_no_path(profile: str, ipython_dir: Path) -> None:
    for action in (autoload.turn_on, autoload.turn_off, autoload.status, autoload.startup_file):
        with pytest.raises(autoload.AutoloadError, match="is no name of a profile"):
            action(profile)
    assert list(ipython_dir.rglob("*")) == []


def test_a_profile_s_name_cannot_steer_the_terminal(command: Command) -> None:
    assert command("off", "--profile=a\x1b[31m") == (
        1, "", "autoload: there is no profile 'a\\x1b[31m'. There are: default\n",
    )  # fmt: skip


def test_the_path_is_shown_as_a_reader_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IPYTHONDIR")
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    (tmp_path / "ann").mkdir()
    assert autoload.turn_on() == "~/.ipython/profile_default/startup/90-colab-magics.py"

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "anna"))
    assert autoload.turn_on().startswith(str(tmp_path / "anna"))


@pytest.mark.parametrize("home", ["ann", "link"])
def test_a_message_of_ipython_s_names_no_home_directory(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    (tmp_path / "ann").mkdir()
    (tmp_path / "link").symlink_to("ann")
    monkeypatch.setenv("HOME", str(tmp_path / home))
    folder = tmp_path / "ann" / ("x\n" + "y" * 200) / ("z" * 200)

    def not_writable() -> str:
        warnings.warn(f"IPython dir '{folder}' is not a writable location, using a temp directory.", stacklevel=1)
        return "/tmp"

    monkeypatch.setattr("IPython.paths.get_ipython_dir", not_writable)
    code, _, shown = command("on")

    assert code == 1
    assert shown.startswith("autoload: IPython dir '~/x\\nyyy")
    assert shown.count("\n") == 1
    assert len(shown) < 350


def test_the_module_alone_imports_no_ipython() -> None:
    code = "import sys, colab_magics.autoload; print('IPython' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"
