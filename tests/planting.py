"""A folder full of modules that nobody asked for, each of which tells when it is run for us."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOREIGN = ("IPython", "comm", "decorator", "ipykernel", "ipywidgets", "jedi", "psutil", "pynvml", "traitlets")
NAMES = sorted({name for name in sys.stdlib_module_names if not name.startswith("_")} | {*FOREIGN, "__future__"})

# For others each is what it seems: IPython and Python import some of them themselves, and must go on.
_PLANTED = """
import os, sys
from _frozen_importlib import module_from_spec
from _frozen_importlib_external import PathFinder

frame = sys._getframe()
while frame is not None:
    asked_by = str(frame.f_globals.get("__name__")).partition(".")[0]
    if asked_by == "colab_magics" or frame.f_code.co_filename.endswith("-colab-magics.py"):
        with open({canary!r}, "a") as canary:
            canary.write(__name__ + "\\n")
        break
    frame = frame.f_back

elsewhere = [one for one in sys.path if os.path.isabs(one) and os.path.realpath(one) != {folder!r}]
spec = PathFinder.find_spec(__name__, elsewhere)
if spec is None:
    raise ModuleNotFoundError(__name__)
sys.modules[__name__] = module_from_spec(spec)
spec.loader.exec_module(sys.modules[__name__])
"""


def plant(folder: Path, canary: Path, names: Iterable[str] = NAMES) -> None:
    """Plant modules of these names; one that runs for us writes its name to the canary."""
    for name in names:
        module = folder / f"{name}.py"
        if name == "IPython":  # `python -m IPython` would run the file itself
            module = folder / name / "__init__.py"
            module.parent.mkdir()
        module.write_text(_PLANTED.format(canary=str(canary), folder=str(folder.resolve())))
    (folder / "colab_magics.py").write_text(f"open({str(canary)!r}, 'a').write('colab_magics')\n")
