"""HTML of ours, read as a page reads it."""

from __future__ import annotations

from html.parser import HTMLParser


class Markup(HTMLParser):
    """Checks that every tag is closed, and keeps them all with their attributes, in the order of the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    @property
    def names(self) -> set[str]:
        """The tags that occur."""
        return {tag for tag, _ in self.tags}

    @property
    def attributes(self) -> set[str]:
        """The attributes that occur."""
        return {name for _, attributes in self.tags for name in attributes}

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each tag of that name."""
        return [attributes for one, attributes in self.tags if one == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
