"""Writes what is made from the code: `python -m documentation`, with tests/ on the path."""

from __future__ import annotations

from pathlib import Path

from documentation import written

ROOT = Path(__file__).parents[2]

for file, text in written(ROOT).items():
    (ROOT / file).write_text(text, encoding="utf-8")
