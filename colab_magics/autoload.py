"""One file of ours in an IPython profile's startup folder: every IPython and kernel of that profile loads the magics.

`python -m colab_magics autoload on|off|status [--profile NAME]`
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import sys
import warnings
from typing import Any, Literal

from colab_magics.units import printable

FILE_NAME = "90-colab-magics.py"
"""IPython runs a profile's startup files in the order of their names: the user's own come first."""

MARKER = "# Written by colab_magics; `python -m colab_magics autoload off` removes it."
"""The first line of a file of ours. A file that begins otherwise is never touched."""

# IPython puts the working directory first on the path. What lies there has been chosen by nobody, so the package is
# looked for elsewhere, without a change to the path; it sees to its own imports then (imports.py).
# An exception in a startup file keeps IPython from running those after it, so none may leave. A package that is gone
# is no failure. A folder of its name, such as a clone's beside the notebook, has a spec without an origin.
# `extension_manager` keeps quiet about an extension that is loaded already; the magic `%load_ext` prints.
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


class AutoloadError(Exception):
    """What stands in the way, in one line."""


def startup_file(profile: str = "default") -> str:
    """Return where a profile's file of ours is, or would be."""
    return os.path.join(_profile_folder(_ipython_folder(), profile), "startup", FILE_NAME)


def turn_on(profile: str = "default") -> str:
    """Write the file, and the profile where there is none yet; return the file's path as a reader knows it."""
    file = startup_file(profile)
    try:
        if not os.path.isdir(os.path.dirname(file)):
            _create_profile(profile)
        state = _state(file)
        if state == "foreign":
            raise _left_alone(file)
        if state == "off" or _content(file) != STARTUP.encode():
            _write(file)
    except OSError as error:
        raise AutoloadError(f"cannot write {_shown(file)}: {error.strerror or error}") from error
    return _shown(file)


def turn_off(profile: str = "default") -> bool:
    """Remove the file; return whether it was there."""
    file = _existing_profile_s_file(profile)
    try:
        state = _state(file)
        if state == "foreign":
            raise _left_alone(file)
        if state == "on":
            os.remove(file)
    except OSError as error:
        raise AutoloadError(f"cannot remove {_shown(file)}: {error.strerror}") from error
    return state == "on"


def status(profile: str = "default") -> State:
    """Return whether the file is there. Other ways to load the extension are not looked at."""
    file = _existing_profile_s_file(profile)
    try:
        return _state(file)
    except OSError as error:
        raise AutoloadError(f"cannot read {_shown(file)}: {error.strerror}") from error


def command(arguments: list[str] | None = None) -> int:
    """Run `autoload` with the words behind it: print one line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m colab_magics autoload",
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
        raise AutoloadError(f"there is no profile {profile!r}. There are: {', '.join(there)}")
    return startup_file(profile)


def _profile_folder(folder: str, profile: str) -> str:
    if not profile or {"/", "\\", "\0"} & set(profile):
        raise AutoloadError(f"{profile!r} is no name of a profile")
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
            raise AutoloadError(str(warning).removesuffix(", using a temp directory.")) from None
        except OSError as error:
            raise AutoloadError(f"cannot create IPython's folder: {error.strerror}") from error


def _create_profile(profile: str) -> None:
    from IPython.core.profiledir import ProfileDir

    untyped: Any = ProfileDir
    untyped.create_profile_dir_by_name(_ipython_folder(), profile)


def _state(file: str) -> State:
    if not os.path.lexists(file):
        return "off"
    ours = os.path.isfile(file) and _content(file).partition(b"\n")[0].rstrip(b"\r") == MARKER.encode()
    return "on" if ours else "foreign"


def _content(file: str) -> bytes:
    with open(file, "rb") as opened:
        return opened.read()


def _write(file: str) -> None:
    """Write the file whole or not at all: an IPython may be starting at this moment."""
    temporary = f"{file}.{secrets.token_hex(4)}"  # not `.py`: IPython would run it
    try:
        with open(temporary, "xb", opener=lambda path, flags: os.open(path, flags, 0o644)) as opened:
            opened.write(STARTUP.encode())
        os.replace(temporary, file)
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


def _left_alone(file: str) -> AutoloadError:
    return AutoloadError(f"{_shown(file)} was not written by colab_magics, or was changed since: left alone")


def _shown(path: str) -> str:
    home = os.path.expanduser("~")
    return f"~{path.removeprefix(home)}" if path.startswith(home + os.sep) else path
