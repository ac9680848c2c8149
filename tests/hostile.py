"""What can be wrong with something that comes from outside, as a text and as a file; and what must then hold."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import documents
from builders import MIB
from colab_magics.report import Report
from colab_magics.views import html, text
from colab_magics.views.render_options import RenderOptions

KINDS = (
    "absent",
    "empty",
    "huge",
    "endless",
    "blocking",
    "binary",
    "malformed",
    "markup",
    "control characters",
    "traversal",
)

TEXTS = {
    "empty": "",
    "huge": "9" * 100_000,
    "binary": "".join(map(chr, range(1, 256))) + "\udcff\ud800",
    "malformed": "{[(,;:=|\\\"'`%s{0}$x>=!=\n",
    "markup": "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;b</td></table></details>",
    "control characters": "\x1b[2J\x1b]0;title\x07\r\n\x08\x9b31m\u202egnp\u2028\u2066\u200b\ufeff\ue000",
    "traversal": "../../../../../../../../etc/passwd",
}
"""A text of each kind; none is absent, has no end, or blocks."""

FILES: dict[str, Callable[[Path], object]] = {
    "absent": lambda path: path.unlink(missing_ok=True),
    "huge": lambda path: (path.touch(), os.truncate(path, 2**40)),
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "blocking": os.mkfifo,
    "traversal": lambda path: path.symlink_to(path),
    **{
        kind: lambda path, content=content: path.write_bytes(content.encode("utf-8", "surrogateescape"))
        for kind, content in TEXTS.items()
        if kind in ("empty", "malformed", "markup", "control characters")
    },
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 8),
}
"""Puts a file of each kind to a path; of a path, traversal is a link that leads nowhere else than to itself."""

_MOST_SHOWN = MIB // 8


def shown(report: Report) -> str:
    """Return all that is shown of a report, each view once, and assert that it does no harm."""
    views = [documents.read(report.to_json()), *_shown_by(report, "en"), *_shown_by(report, "zh-CN")]
    for view in views[1:]:
        assert_harmless(view)
    written = json.dumps(views[0])
    assert len(written) < _MOST_SHOWN
    assert "mistake in colab_magics" not in written, written
    return "\n".join([written, *views[1:]])


def _shown_by(report: Report, language: str) -> list[str]:
    options = RenderOptions(language=language, everything=True, processes=True)
    return [text.render(report, options), html.render(report, options)]


def assert_harmless(told: str) -> None:
    """Assert that a text is short, steers no terminal, hides nothing, and starts no element of somebody else's."""
    assert len(told) < _MOST_SHOWN, f"{len(told)} characters"
    steers = {character for character in told if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert steers <= {"\n"}, steers
    if told.startswith("<div"):
        assert not re.search(r"<(script|img)|[^;]>alert", told), told


def assert_one_line(message: str) -> None:
    """Assert that a message is one line that a person reads."""
    assert 0 < len(message) < 1000, f"{len(message)} characters"
    assert message.isprintable(), message
