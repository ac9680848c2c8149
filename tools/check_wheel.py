"""Names the files of the package that are not in a wheel: `python tools/check_wheel.py WHEEL`.

A wheel holds what git tracks, so these are new files that wait for their `git add`.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def left_out(wheel: Path) -> list[str]:
    """Return the files that a wheel lacks; the catalogues are in it as they are compiled."""
    with zipfile.ZipFile(wheel) as opened:
        packed = set(opened.namelist())
    package = {path.relative_to(ROOT) for path in ROOT.glob("colab_magics/**/*") if path.is_file()}
    ours = {path for path in package if "cache" not in str(path.parent) and path.suffix != ".mo"}
    expected = {path.with_suffix(".mo") if path.suffix == ".po" else path for path in ours}
    return [str(path) for path in sorted(expected) if path.as_posix() not in packed]


if __name__ == "__main__":
    for file in left_out(Path(sys.argv[1])):
        print(f"not in the wheel, since git does not track it (git add): {file}")
