"""One file of ours in an IPython profile's startup folder: every IPython and kernel of that profile loads the magics.

`colab-magics autoload on|off|status [--profile NAME]`
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import re
import secrets
import stat
import sys
import warnings
from typing import Any, Literal, NamedTuple

from colab_magics import files
from colab_magics.units import excerpt, printable

FILE_NAME = "90-colab-magics.py"
"""IPython runs a profile's startup files in the order of their names: the user's own come first."""

MARKER = "# Written by colab_magics; `python -m colab_magics autoload off` removes it."
"""The first line of a file of ours. A file that begins otherwise is never touched."""

# IPython puts the working directory first on the path. Nobody chose what lies there, so the package is looked for in
# the other folders, without changing the path; its own imports it then guards itself (imports.py). An exception in a
# startup file keeps IPython from running those after it, so none may escape. A package that is gone is no failure. A
# folder of its name, such as a clone's beside the notebook, has a spec without an origin. `extension_manager` keeps
# quiet about an extension that is loaded already; the magic `%load_ext` prints.
STARTUP = f"""\
{MARKER}
# Take out the line above if you change this file: it is yours then, and left alone.


def _load_colab_magics(shell):
    try:
        import os
        import sys
        from importlib.machinery import PathFinder
        from importlib.util import module_from_spec

        try:
            here = os.getcwd()
        except OSError:  # it was deleted
            here = None
        if "colab_magics" not in sys.modules:
            folders = (one for one in sys.path if isinstance(one, str) and os.path.isabs(one))
            elsewhere = (one for one in folders if one != here and os.path.realpath(one) != here)
            found = PathFinder.find_spec("colab_magics", elsewhere)
            if found is None or not found.origin:
                return
            sys.modules["colab_magics"] = module_from_spec(found)
            try:
                found.loader.exec_module(sys.modules["colab_magics"])
            except BaseException:
                del sys.modules["colab_magics"]
                raise
        shell.extension_manager.load_extension("colab_magics")
    except Exception as error:
        shell.log.warning("colab_magics was not loaded: %s: %s", type(error).__name__, error)


_load_colab_magics(get_ipython())
del _load_colab_magics
"""

State = Literal["on", "off", "foreign"]
"""`foreign`: a file of that name is there, and it is not ours."""

_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What a file system without hard links answers."""
_LONGEST_MESSAGE = 300


class AutoloadError(Exception):
    """The file cannot be written, removed or read; the message says why, in one line."""


def startup_file(profile: str = "default") -> str:
    """Return where a profile's file of ours is, or would be."""
    return os.path.join(_profile_folder(_ipython_folder(), profile), "startup", FILE_NAME)


def turn_on(profile: str = "default") -> str:
    """Write the file, and the profile where there is none yet; return the file's path as a reader knows it."""
    file = startup_file(profile)
    try:
        if not os.path.isdir(os.path.dirname(file)):
            _create_profile(profile)
        found = _look(file)
        if found.state == "foreign":
            raise _left_alone(file)
        if found.content != STARTUP:
            _write(file, found)
    except OSError as error:
        raise AutoloadError(f"cannot write {_shown(file)}: {error.strerror or error}") from error
    return _shown(file)


def turn_off(profile: str = "default") -> bool:
    """Remove the file; return whether it was there."""
    file = _existing_profile_s_file(profile)
    try:
        found = _look(file)
        if found.state == "foreign":
            raise _left_alone(file)
        if found.state == "on":
            _check_that_it_is_still(found, file)
            os.remove(file)
    except OSError as error:
        raise AutoloadError(f"cannot remove {_shown(file)}: {error.strerror}") from error
    return found.state == "on"


def status(profile: str = "default") -> State:
    """Return whether the file is there. Other ways to load the extension are not looked at."""
    file = _existing_profile_s_file(profile)
    try:
        return _look(file).state
    except OSError as error:
        raise AutoloadError(f"cannot read {_shown(file)}: {error.strerror}") from error


def command(arguments: list[str] | None = None) -> int:
    """Run `autoload` with the words behind it: print one line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="colab-magics autoload",
        description="Load the magics whenever IPython or a kernel starts, by a file in IPython's startup folder.",
    )
    parser.add_argument("action", choices=("on", "off", "status"), help="write the file, remove it, say if it is there")
    parser.add_argument("--profile", default="default", metavar="NAME", help="IPython's profile (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        line = _done(options.action, options.profile)
    except AutoloadError as error:
        print(f"autoload: {printable(str(error))}", file=sys.stderr)
        return 1
    print(f"autoload: {printable(line)}")
    return 0


def _done(action: str, profile: str) -> str:
    if action == "on":
        return f"on: {turn_on(profile)}"
    if action == "off":
        return "off" if turn_off(profile) else "off, as it was"
    state = status(profile)
    file = _shown(startup_file(profile))
    return {"on": f"on: {file}", "off": "off", "foreign": f"off: {file} is there, but not ours"}[state]


def _existing_profile_s_file(profile: str) -> str:
    """Return the profile's file; a profile that does not exist is a mistake, except the one that IPython always has."""
    folder = _ipython_folder()
    if profile != "default" and not os.path.isdir(_profile_folder(folder, profile)):
        with os.scandir(folder) as entries:
            names = {entry.name for entry in entries if entry.is_dir() and entry.name.startswith("profile_")}
        there = sorted({name.removeprefix("profile_") for name in names} | {"default"})
        raise AutoloadError(f"there is no profile '{excerpt(profile)}'. There are: {', '.join(there)}")
    return startup_file(profile)


def _profile_folder(folder: str, profile: str) -> str:
    if not profile or {"/", "\\", "\0"} & set(profile):
        raise AutoloadError(f"'{excerpt(profile)}' is no name of a profile")
    return os.path.join(folder, f"profile_{profile}")


def _ipython_folder() -> str:
    """Return the folder where IPython keeps its profiles; IPython creates it if need be."""
    from IPython.paths import get_ipython_dir

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A folder that cannot be written to IPython replaces by a temporary one, which nobody would find again.
        warnings.filterwarnings("error", message="(?s).*using a temp directory", category=UserWarning)
        try:
            return str(get_ipython_dir())
        except UserWarning as warning:
            message = _shown(str(warning).removesuffix(", using a temp directory."))
            raise AutoloadError(excerpt(message, _LONGEST_MESSAGE)) from None
        except OSError as error:
            raise AutoloadError(f"cannot create IPython's folder: {error.strerror}") from error


def _create_profile(profile: str) -> None:
    from IPython.core.profiledir import ProfileDir

    untyped: Any = ProfileDir
    untyped.create_profile_dir_by_name(_ipython_folder(), profile)


class _Found(NamedTuple):
    """What is in the file's place."""

    state: State
    content: str = ""
    """Its beginning: one character more than we write, so that a file that goes on is noticed."""
    identity: tuple[int, ...] = ()
    """What tells it from another file that takes its place."""


def _look(file: str) -> _Found:
    """Look at what is in the file's place; of a file no more is read than what tells it from ours."""
    try:
        there = os.lstat(file)
    except (FileNotFoundError, NotADirectoryError):
        return _Found("off")
    if not stat.S_ISREG(there.st_mode):
        return _Found("foreign")
    content = files.read_beginning(file, len(STARTUP) + 1)
    is_ours = content.partition("\n")[0].rstrip("\r") == MARKER
    return _Found("on" if is_ours else "foreign", content, _identity(there))


def _identity(there: os.stat_result) -> tuple[int, ...]:
    return there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns


def _check_that_it_is_still(found: _Found, file: str) -> None:
    """Refuse to go on where another file has taken the place of what was found.

    One that does so between this and what follows is lost all the same: there is no way to replace or remove a name
    only while it stands for a certain file.
    """
    if _identity(os.lstat(file)) != found.identity:
        raise _left_alone(file)


def _write(file: str, found: _Found) -> None:
    """Write the file whole or not at all: an IPython may be starting at this moment."""
    temporary = f"{file}.{secrets.token_hex(4)}"  # not `.py`: IPython would run it
    try:
        _create(temporary)
        if found.state == "on":
            _check_that_it_is_still(found, file)
            os.replace(temporary, file)
        else:
            _give_name(temporary, file)
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


def _create(file: str) -> None:
    with open(file, "xb", opener=lambda path, flags: os.open(path, flags, 0o644)) as opened:
        opened.write(STARTUP.encode())


def _give_name(temporary: str, file: str) -> None:
    """Give the file its name, unless another file has it by now: making a link replaces nothing."""
    try:
        try:
            os.link(temporary, file)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _create(file)
    except FileExistsError:
        if _look(file).state != "on":
            raise _left_alone(file) from None


def _left_alone(file: str) -> AutoloadError:
    return AutoloadError(f"{_shown(file)} was not written by colab_magics, or was changed since: left alone")


def _shown(path: str) -> str:
    """Return a path, or a sentence with one, with "~" in place of the home directory."""
    home = os.path.expanduser("~")
    for name in {home, os.path.realpath(home)} - {os.sep}:  # IPython uses the real path
        path = re.sub(rf"(?<![^\s'\"]){re.escape(name)}(?=[\\/'\"\s]|$)", "~", path)
    return path
