"""A hook of MkDocs: files of the repository become part of the documentation, with their links as on GitHub.

The README is the site's first page, and what pages link to outside docs/ (pictures, notebooks, the JSON Schema) comes
with it. So every page can be read on GitHub and on the site, and nothing is there twice.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
}
"""Pages outside docs/, and what they are called on the site."""

ASSETS = ("LICENSE", "colab_magics/views/report.schema.json", "examples/*.ipynb", "examples/screenshots/*.png")
"""Other files that pages link to."""

_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside docs/."""
    from mkdocs.structure.files import File

    for source, name in PAGES.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    for pattern in ASSETS:
        for file in sorted(ROOT.glob(pattern)):
            files.append(File.generated(config, file.relative_to(ROOT).as_posix(), abs_src_path=str(file)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make the links of a page, which are those of the repository, the site's."""
    names = {name: source for source, name in PAGES.items()}
    folder = os.path.dirname(names.get(page.file.src_uri, f"docs/{page.file.src_uri}"))
    return _LINK.sub(lambda link: link_on_site(link[1], folder), markdown)


def link_on_site(link: str, folder: str) -> str:
    """Return where on the site a file is that a page in a folder of the repository links to."""
    file = os.path.normpath(os.path.join(folder, link)).replace(os.sep, "/")
    return PAGES.get(file, file.removeprefix("docs/"))
