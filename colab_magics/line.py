"""A magic's line as people write it, made the arguments that a shell would hand to a command.

--require="gpu=T4, vram>=15"     quotes hold words together wherever they stand, typographic ones too
-r gpu=T4, vram>=15 -q           an expression without quotes goes on to the end, or to the next option
-o;  #@title Memory              neither a semicolon at the end nor a comment is part of it
"""

from __future__ import annotations

_REQUIRE = "--require"
_COMMENT = "#"

_DOUBLE = "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}"
_SINGLE = "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{SINGLE LOW-9 QUOTATION MARK}"
_ANGLE = "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"
_CLOSING = {
    '"': '"',
    "'": "'",
    **dict.fromkeys(_DOUBLE, _DOUBLE + '"'),
    **dict.fromkeys(_SINGLE, _SINGLE + "'"),
    **dict.fromkeys(_ANGLE, _ANGLE),
}
"""What ends a quotation, by what begins it: languages order typographic marks in different ways."""


def arguments(line: str) -> list[str]:
    """Return the arguments on a magic's line; one that is a requirement begins with `--require=`.

    Raise ValueError where a quotation does not end.
    """
    words, found = _words(line), []
    while words:
        word = words.pop(0)
        switches, first = _before_expression(word)
        if first is None:
            found.append(_unquoted(word))
            continue
        found += switches
        if not first and words and not _is_option(words[0]):
            first = words.pop(0)
        if not first:
            found.append(_REQUIRE)  # argparse says what it lacks
            continue
        expression = [first]
        while words and not _is_quoted(first) and not _is_option(words[0]):
            expression.append(words.pop(0))
        found.append(f"{_REQUIRE}={' '.join(map(_unquoted, expression))}")
    return found


def asks_requirement(line: str) -> bool:
    """Tell whether a line asks a requirement, also one that cannot be read."""
    return any(_before_expression(word)[1] is not None for word in line.split())


def ending(line: str) -> tuple[str, str | None] | None:
    """Return what a line ends in that is still being typed: its last word, and the expression that this belongs to.

    The word is empty behind a space; the expression is None where the line does not end in one. In a comment nothing is
    being typed: None.
    """
    words, still_open = _split(line)
    if still_open == _COMMENT:
        return None
    expression: list[str] | None = None
    for word in words:
        _, first = _before_expression(word)
        if first is not None:
            expression = [first]
        elif expression is None or _is_option(word) or _is_whole(expression):
            expression = None
        else:
            expression.append(word)
    last = words[-1]
    is_option = expression == [""] and "=" not in last
    if expression is None or is_option or (_is_whole(expression) and not still_open):
        return last, None
    return last, " ".join(map(_unquoted, expression))


def _is_whole(expression: list[str]) -> bool:
    """Tell whether an expression is one quotation, which no further word belongs to."""
    first = next(filter(None, expression), "")
    return bool(first) and _is_quoted(first)


def _words(line: str) -> list[str]:
    """Split a line at its spaces, but not within quotes, which stay; leave out what is no part of it."""
    words, still_open = _split(line)
    if still_open not in ("", _COMMENT):
        raise ValueError("No closing quotation")
    while words and not words[-1].rstrip(";"):
        words.pop()
    return [*words[:-1], words[-1].rstrip(";")] if words else []


def _split(line: str) -> tuple[list[str], str]:
    """Split a line at its spaces, but not within quotes, which stay. The last word is empty behind a space.

    Return with the words what is open at the line's end: a comment, what would close a quotation, or nothing.
    """
    words, word, closing = [], "", ""
    for character in line:
        if closing:
            word += character
            if character in closing:
                closing = ""
        elif character.isspace():
            if word:
                words.append(word)
            word = ""
        elif character == _COMMENT and (not word or word.endswith(";")):
            return [*words, word], _COMMENT
        else:
            word += character
            closing = _CLOSING.get(character, "")
    return [*words, word], closing


def _before_expression(word: str) -> tuple[list[str], str | None]:
    """Return the switches in a word before the option that takes an expression, and what of this stands in the word.

    Where the word has no such option, the latter is None.
    """
    if word.startswith("--"):
        name, _, rest = word.partition("=")
        if _REQUIRE.startswith(name) and name != "--":  # argparse takes the beginnings of a name too
            return [], rest
    elif word.startswith("-"):
        switches, found, rest = word.partition("r")
        if found and (switches == "-" or switches[1:].isalpha()):
            return [switches] if switches != "-" else [], rest.removeprefix("=")
    return [], None


def _is_option(word: str) -> bool:
    return word.startswith("--") or (word.startswith("-") and word[1:2].isalpha())


def _is_quoted(word: str) -> bool:
    """Tell whether a word is one quotation from its first character to its last."""
    closing = _CLOSING.get(word[0], "")
    return bool(closing) and not any(character in closing for character in word[1:-1])


def _unquoted(word: str) -> str:
    """Return a word without its quotes; those within quotes of another kind are part of it."""
    text, closing = "", ""
    for character in word:
        if not closing and character in _CLOSING:
            closing = _CLOSING[character]
        elif closing and character in closing:
            closing = ""
        else:
            text += character
    return text
