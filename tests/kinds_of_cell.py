"""Kinds of cell that hold a requirement, and whether each must stop "Run all"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

UNMET = '%ram_info -q -r "python>=99"'
MISTAKEN = '%ram_info -q -r "gpuu>=3"'
CALLED = 'colab_magics.require("python>=99")'

PREPARED = """
import asyncio, contextlib, sys, threading, traceback
import colab_magics, their_magics
from IPython.core.magic import register_cell_magic, register_line_magic
their_magics.register(get_ipython())

@register_cell_magic
def runs(line, cell):
    get_ipython().run_cell(cell)

@register_cell_magic
def executes(line, cell):
    exec(cell, get_ipython().user_ns)

@register_cell_magic
def catches(line, cell):
    try:
        exec(cell, get_ipython().user_ns)
    except colab_magics.RequirementNotMet:
        pass

@register_cell_magic
def shows(line, cell):
    try:
        exec(cell, get_ipython().user_ns)
    except Exception:
        get_ipython().showtraceback()

def needed():
    colab_magics.require("python>=99")

async def needed_later():
    await asyncio.sleep(0)
    colab_magics.require("python>=99")
"""
"""What runs before each of them."""

FILES = {
    "their_magics.py": """
def register(shell):
    def they_run(line, cell):
        shell.run_cell(cell)
    def they_run_with_history(line, cell):
        shell.run_cell(cell, store_history=True)
    def they_show(line, cell):
        try:
            exec(cell, shell.user_ns)
        except Exception:
            shell.showtraceback()
    for magic in (they_run, they_run_with_history, they_show):
        shell.register_magic_function(magic, "cell")
""",
    "needs.py": f"import colab_magics\n{CALLED}\n",
    "needs.ipy": f"{UNMET}\n",
    "catches.py": f"import colab_magics\ntry:\n    {CALLED}\nexcept colab_magics.RequirementNotMet:\n    pass\n",
    "shows.py": f"import colab_magics\ntry:\n    {CALLED}\nexcept Exception:\n    get_ipython().showtraceback()\n",
    "fails_otherwise.py": "1 / 0\n",
}
"""The files beside the notebook."""

STOPPED = {
    "the magic alone": UNMET,
    "the magic, assigned": f"report = {UNMET} -o",
    "the magic in a block": f"for _ in range(3):\n    {UNMET}",
    "the magic, called": "get_ipython().run_line_magic('ram_info', '-q -r python>=99')",
    "the second of two": '%ram_info -q -r "python>=3" -r "python>=99"',
    "the first of two": '%ram_info -q -r "python>=99" -r "python>=3"',
    "the function": CALLED,
    "a function of the user's": "needed()",
    "in finally": f"try:\n    pass\nfinally:\n    {UNMET}",
    "another error is caught": f"try:\n    {UNMET}\nexcept ZeroDivisionError:\n    pass",
    "caught and raised again": "try:\n    needed()\nexcept Exception:\n    raise",
    "shown and raised again": "try:\n    needed()\nexcept Exception:\n    get_ipython().showtraceback()\n    raise",
    "exec": f"exec({CALLED!r})",
    "await": "await needed_later()",
    "with the extension loaded in the same cell": f"%load_ext colab_magics\n{UNMET}",
    "%%capture": f"%%capture\n{UNMET}",
    "%%capture of the function": f"%%capture\n{CALLED}",
    "%%capture kept": f"%%capture kept\n{UNMET}",
    "%%capture --no-stderr": f"%%capture --no-stderr\n{UNMET}",
    "%%capture with a load": f"%%capture\n%load_ext colab_magics\n{UNMET}",
    "%%capture and more lines": f"%%capture\nprint('captured')\n{UNMET}\nprint('not reached')",
    "%%capture in %%capture": f"%%capture\n%%capture\n{UNMET}",
    "%time": "%time needed()",
    "%time and more lines": "%time needed()\nafterwards = 1",
    "%%time": f"%%time\n{UNMET}",
    "%%time of the function": f"%%time\n{CALLED}",
    "%%timeit": f"%%timeit -n1 -r1\n{CALLED}",
    "%timeit": "%timeit -n1 -r1 needed()",
    "%prun": "%prun -q needed()",
    "%%prun": f"%%prun -q\n{CALLED}",
    "%%time in %%capture": f"%%capture\n%%time\n{UNMET}",
    "%%capture in %%time": f"%%time\n%%capture\n{UNMET}",
    "%prun in %%capture": "%%capture\n%prun -q needed()",
    "%run of .py": "%run needs.py",
    "%run -i": "%run -i needs.py",
    "%run -n": "%run -n needs.py",
    "%run -m": "%run -m needs",
    "%run of .ipy": "%run needs.ipy",
    "%run of a notebook": "%run needs.ipynb",
    "%run in %%capture": "%%capture\n%run needs.py",
    "%run of .ipy in %%time": "%%time\n%run needs.ipy",
    "%run in a file that is run": "%run runs_needs.ipy",
    "the user's magic that runs a cell": f"%%runs\n{UNMET}",
    "the user's magic that executes": f"%%executes\n{CALLED}",
    "the user's magic in %%capture": f"%%capture\n%%runs\n{UNMET}",
    "%%capture in the user's magic": f"%%runs\n%%capture\n{UNMET}",
    "a package's magic that runs a cell": f"%%they_run\n{UNMET}",
    "a package's magic with history": f"%%they_run_with_history\n{UNMET}",
    "a package's magic that shows": f"%%they_show\n{CALLED}",
    "a package's magic in %%time in %%capture": f"%%capture\n%%time\n%%they_run\n{UNMET}",
    "%%capture, called": f"get_ipython().run_cell_magic('capture', '', {UNMET!r})",
    "a mistake": MISTAKEN,
    "a mistake in %%capture": f"%%capture\n{MISTAKEN}",
    "a mistake in %%time": f"%%time\n{MISTAKEN}",
    "a mistake in an option beside it in %%capture": f"%%capture\n{UNMET} --strickt",
    "a mistake in an option before it in %%capture": '%%capture\n%ram_info --strickt -qr "python>=99"',
    "a mistake, nothing asked, in %%capture": "%%capture\n%ram_info -q -r",
    # Not in %%capture: with Python 3.12 it fails by itself at such a line, whatever the line does.
    "a mistake, a quotation without an end, in the user's magic": "%%runs\n%ram_info -q -r 'python>=99",
    "a mistake in the user's magic": f"%%runs\n{MISTAKEN}",
    "a mistake in the function": "colab_magics.require('gpuu>=3')",
    "a mistake in the function in %%capture": "%%capture\ncolab_magics.require('gpuu>=3')",
}
"""Cells that must fail."""

_TRIED_AND_SHOWN = "try:\n    needed()\nexcept Exception:\n    get_ipython().showtraceback()"

GOES_ON = {
    "met": '%ram_info -q -r "python>=3"',
    "met in %%capture": '%%capture\n%ram_info -q -r "python>=3"',
    "caught": f"try:\n    {UNMET}\nexcept colab_magics.RequirementNotMet:\n    pass",
    "caught with all else": "try:\n    needed()\nexcept Exception as error:\n    pass",
    "caught and printed": "try:\n    needed()\nexcept Exception:\n    traceback.print_exc()",
    "caught and shown": _TRIED_AND_SHOWN,
    "suppressed": f"with contextlib.suppress(colab_magics.RequirementNotMet):\n    {UNMET}",
    "caught in %%capture": f"%%capture\ntry:\n    {UNMET}\nexcept Exception:\n    pass",
    "caught and shown in %%capture": f"%%capture\n{_TRIED_AND_SHOWN}",
    "caught in %%time": "%%time\ntry:\n    needed()\nexcept Exception:\n    pass",
    "caught and shown in %%time": f"%%time\n{_TRIED_AND_SHOWN}",
    "caught in await": "try:\n    await needed_later()\nexcept Exception:\n    pass",
    "caught in a file that is run": "%run catches.py",
    "caught and shown in a file that is run": "%run shows.py",
    "caught by the user's magic": f"%%catches\n{CALLED}",
    "caught and shown by the user's magic": f"%%shows\n{CALLED}",
    "the user runs a cell": f"result = get_ipython().run_cell({UNMET!r})",
    "the user runs %%capture as a cell": f"result = get_ipython().run_cell({f'%%capture{chr(10)}{UNMET}'!r})",
    "the user runs a cell in %%capture": f"%%capture\nresult = get_ipython().run_cell({UNMET!r})",
    "a mistake, caught": f"try:\n    {MISTAKEN}\nexcept Exception:\n    pass",
    "shown again by %tb": "%tb",
    "another error in %%capture, of which nothing is our business": "%%capture\n%run fails_otherwise.py",
}
"""Cells that must not: the user's own code has caught it, or there is nothing to stop."""


def lay_out(folder: Path) -> None:
    """Put the files beside the notebook."""
    import nbformat

    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "runs_needs.ipy").write_text("%run needs.ipy\nreached = True\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (UNMET, "reached = True")])
    nbformat.write(notebook, folder / "needs.ipynb")
