"""What machine this notebook was given, whether it is all right, and what to do about it.

In IPython or a notebook::

    %load_ext colab_magics
    %runtime_status

From code, `gpu_info`, `ram_info` and `runtime_status` return the same reports and never print.
Importing this package imports nothing else: what a report needs is imported when one is asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from colab_magics.model import Report

__version__ = "0.1.0"
__all__ = ["gpu_info", "load_ipython_extension", "ram_info", "require", "runtime_status", "unload_ipython_extension"]


def gpu_info(*, everything: bool = False) -> Report:
    """Return what is known of the GPUs, with advice; print nothing.

    `everything` also takes the dear readings, as `-a` does on the magic.
    """
    _start_observer()
    from colab_magics import report

    return report.gpu_info(shell_class=_running_shell_class(), everything=everything)


def ram_info(*, everything: bool = False) -> Report:
    """Return the state of the RAM, with advice; print nothing.

    `everything` also takes the dear readings: this kernel's proportional set size and the user's other kernels.
    """
    from colab_magics import report

    return report.ram_info(shell_class=_running_shell_class(), everything=everything)


def runtime_status(*, everything: bool = False) -> Report:
    """Return the state of the whole runtime, with advice; print nothing.

    `everything` also takes the dear readings, as `-a` does on the magic.
    """
    _start_observer()
    from colab_magics import report

    return report.runtime_status(shell_class=_running_shell_class(), everything=everything)


def require(expression: str, *, strict: bool = False) -> None:
    """Raise unless this runtime meets a requirement such as "gpu=A100|L4, vram>=15, ram>=20"; print nothing.

    What cannot be told passes, unless `strict`. A mistake in the expression is a ValueError that points at the place;
    a requirement that is not met is a `colab_magics.requirement.RequirementNotMet`, whose text says what was asked,
    what is there and what to click, and which a notebook shows in place of a traceback.
    """
    _start_observer()
    from colab_magics import report
    from colab_magics.facts import menus
    from colab_magics.requirement import parse
    from colab_magics.translation import preferred_language

    requirement = parse(expression)
    seen = report.runtime_status(shell_class=_running_shell_class())
    language = preferred_language("auto", [menu.language for menu in menus()])
    report.require(requirement, seen.snapshot, strict=strict, language=language)


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Register the magics: what `%load_ext colab_magics` calls. Prints nothing, starts nothing."""
    from colab_magics import magics

    magics.register(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Leave the shell as it was before: what `%unload_ext colab_magics` calls."""
    from colab_magics import magics

    magics.unregister(ipython)


def _start_observer() -> None:
    """Start the process that asks the driver: it comes up while the rest is imported."""
    from colab_magics.observer import client

    client.start()


def _running_shell_class() -> str | None:
    """Return the dotted name of the running shell's class, or None outside IPython; import nothing to find out."""
    import sys

    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return f"{type(shell).__module__}.{type(shell).__qualname__}" if shell else None
