"""Installs a wheel among Colab's packages and proves that this changes none of them.

Usage: `python -I tools/install_as_on_colab.py WHEEL`, with the Python of an environment that has Colab's versions.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys

COLAB_LEAVES_OUT = ("jedi", "parso")
"""What IPython declares and Colab does not install."""

MAY_COME = (*COLAB_LEAVES_OUT, "colab-magics", "nvidia-ml-py")
"""All that installing us may bring to Colab."""


def pip(*arguments: str) -> None:
    """Run pip, which is what installs us on Colab; never uv."""
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True)


def installed() -> dict[str, str]:
    """Return the version of every package in this environment, by its normalized name."""
    return {
        re.sub(r"[-_.]+", "-", package.name).lower(): package.version for package in importlib.metadata.distributions()
    }


def wrongly_changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return the packages that were upgraded or removed, and those that came and are not expected."""
    changed = {name for name in before if after.get(name) != before[name]}
    return changed | (after.keys() - before.keys() - set(MAY_COME))


def main(wheel: str) -> None:
    """Install the wheel, say what that did, and fail where it did more than it may."""
    pip("uninstall", "-qq", "--yes", *MAY_COME)
    before = installed()
    pip("install", "--quiet", wheel)
    after = installed()
    differ = sorted(name for name in before | after if before.get(name) != after.get(name))
    print(f"installing left {len(before.keys() - set(differ))} packages as they were, and did this:")
    for name in differ:
        print(f"  {name}: {before.get(name, 'absent')} -> {after.get(name, 'absent')}")
    if wrong := wrongly_changed(before, after):
        sys.exit(f"installing must leave {', '.join(sorted(wrong))} alone")


if __name__ == "__main__":
    main(sys.argv[1])
