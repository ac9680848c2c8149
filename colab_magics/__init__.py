"""What machine this notebook was given, whether it is all right, and what to do about it.

In IPython or a notebook::

    %load_ext colab_magics
    %runtime_status

From code, `gpu_info`, `ram_info` and `runtime_status` return the same reports and never print.
Importing this package imports nothing else: what a report needs is imported when one is asked for.
"""

# Not even __future__: the working directory may have one, and stands first on the path under `python -m`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from colab_magics.report import Report, Variables
    from colab_magics.requirement import RequirementSyntaxError
    from colab_magics.stopping import RequirementNotMet

    __version__: str

__all__ = [
    "Report",
    "RequirementNotMet",
    "RequirementSyntaxError",
    "cluster_status",
    "gpu_info",
    "load_ipython_extension",
    "ram_info",
    "require",
    "runtime_status",
    "unload_ipython_extension",
]

_PUBLIC = {
    "Report": ("report", "Report"),
    "RequirementNotMet": ("stopping", "RequirementNotMet"),
    "RequirementSyntaxError": ("requirement", "RequirementSyntaxError"),
    "__version__": ("version", "VERSION"),
}
"""Where public names stand, and their names there: they are imported when they are asked for."""


def __getattr__(name: str) -> object:
    """Return a public name that importing the package does not import."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from colab_magics.imports import trusted_imports

    with trusted_imports:
        import importlib

        module, name_there = _PUBLIC[name]
        return getattr(importlib.import_module(f"{__name__}.{module}"), name_there)


def gpu_info(*, everything: bool = False, variables: bool = False) -> "Report":
    """Return what is known of the GPUs, with what it means; print nothing.

    `everything` also takes the expensive readings, as `-a` does on the magic; `variables` also looks at who has the
    GPUs' memory, as `-v` does.
    """
    from colab_magics.imports import trusted_imports

    with trusted_imports:
        from colab_magics import report

        wanted = _variables() if variables else None
        return report.gpu_info(shell_class=_running_shell_class(), everything=everything, variables=wanted)


def ram_info(*, everything: bool = False, variables: bool = False) -> "Report":
    """Return the state of the RAM, with what it means; print nothing.

    `everything` also takes the expensive readings: this kernel's proportional set size and the user's other kernels.
    `variables` also looks at what holds this kernel's memory, as `-v` does on the magic.
    """
    from colab_magics.imports import trusted_imports

    with trusted_imports:
        from colab_magics import report

        wanted = _variables() if variables else None
        return report.ram_info(shell_class=_running_shell_class(), everything=everything, variables=wanted)


def runtime_status(*, everything: bool = False) -> "Report":
    """Return the state of the whole runtime, with what it means; print nothing.

    `everything` also takes the expensive readings, as `-a` does on the magic.
    """
    from colab_magics.imports import trusted_imports

    with trusted_imports:
        from colab_magics import report

        return report.runtime_status(shell_class=_running_shell_class(), everything=everything)


def cluster_status(client: object) -> "Report":
    """Return the state of every machine of a cluster, with what is wrong and what differs; print nothing.

    `client` is a `dask.distributed.Client`, an `ipyparallel` Client or view, or the module `ray` after `ray.init()`:
    its own engine carries the look to a worker of each machine, where this package must be installed. A list of reports
    of `runtime_status`, gathered in any other way, makes the same report. Raise a `ValueError` that says in one line
    what is wrong where there is nothing to ask.
    """
    from colab_magics.imports import trusted_imports

    with trusted_imports:
        from colab_magics.clusters import status

        return status.cluster_status(client, shell_class=_running_shell_class())


def require(expression: str, *, strict: bool = False) -> None:
    """Raise unless this runtime meets a requirement such as "gpu=A100|L4, vram>=15, ram>=20"; print nothing.

    What cannot be told passes with a warning that names it, unless `strict`; a driver that is starting is waited for.
    A mistake in the expression is a `RequirementSyntaxError` (a ValueError) that points at the place; a requirement
    that is not met is a `RequirementNotMet`, whose text says what was asked, what is there and what to click, and which
    a notebook shows in place of a traceback.
    """
    from colab_magics.imports import trusted_imports

    with trusted_imports:
        import warnings

        from colab_magics import report
        from colab_magics.options import WAIT_SECONDS
        from colab_magics.stopping import RequirementNotMet
        from colab_magics.views.render_options import language_for

        requirement = report.read_requirement(expression)
        seen = report.runtime_status(shell_class=_running_shell_class())
        held = report.hold(requirement, seen, strict=strict, language=language_for(), wait_seconds=WAIT_SECONDS)
        if not held.is_met:
            raise RequirementNotMet(held.said)
    if held.said:
        warnings.warn(held.said, stacklevel=2)


def load_ipython_extension(ipython: "InteractiveShell") -> None:
    """Register the magics: what `%load_ext colab_magics` calls. Prints nothing, starts nothing."""
    from colab_magics.imports import trusted_imports

    with trusted_imports:
        from colab_magics import magics

        magics.register(ipython)


def unload_ipython_extension(ipython: "InteractiveShell") -> None:
    """Leave the shell as it was before: what `%unload_ext colab_magics` calls."""
    from colab_magics.imports import trusted_imports

    with trusted_imports:
        from colab_magics import magics

        magics.unregister(ipython)


def _running_shell() -> "InteractiveShell | None":
    """Return the shell that runs, None outside IPython; import nothing to find out."""
    import sys

    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _variables() -> "Variables":
    """Return whose variables are meant, and of how many is told: as many as by the magics."""
    from colab_magics.options import ROWS
    from colab_magics.report import Variables

    return Variables(_running_shell(), ROWS)


def _running_shell_class() -> str | None:
    """Return the dotted name of the running shell's class, or None outside IPython."""
    shell = _running_shell()
    return f"{type(shell).__module__}.{type(shell).__qualname__}" if shell else None
