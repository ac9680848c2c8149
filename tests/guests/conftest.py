"""Where the old kernel lies, which does not go together with the others."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--old-kernel", metavar="FOLDER", help="a folder that ipykernel 5.5.6 was installed into")
