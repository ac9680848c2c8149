"""Says which colab_magics this Python imports, and fails unless it is one that was installed with pip."""

from __future__ import annotations

import sys
from pathlib import Path

import colab_magics

if __name__ == "__main__":
    package = Path(colab_magics.__file__).resolve().parent
    print(f"testing {package}")
    if not package.is_relative_to(Path(sys.prefix).resolve()):
        sys.exit("this is not the wheel")
