"""What can be typed and set: options, exit codes, settings, the keys of requirements."""

from __future__ import annotations

from colab_magics.magics import ColabMagics
from colab_magics.model import KEYS
from colab_magics.options import COMMAND, EXIT_CODES, GPU, OPTIONS, RAM, STATUS, Option
from documentation.markdown import code, plain, table

_MAGICS = (GPU, RAM, STATUS)


def options_of_magics() -> str:
    """Return the options that one or more of the magics have."""
    return table(
        ("option", "where", "meaning"),
        [(_typed(option), _where(option), _meaning(option)) for option in OPTIONS if set(option.where) & {*_MAGICS}],
    )


def options_of_the_command() -> str:
    """Return the options that only the shell command has."""
    return table(
        ("option", "meaning"),
        [(_typed(option), _meaning(option)) for option in OPTIONS if option.where == (COMMAND,)],
    )


def exit_codes() -> str:
    """Return the exit codes of the shell command."""
    return table(("exit code:", "meaning"), [(str(number), meaning) for number, meaning in EXIT_CODES.items()])


def settings() -> str:
    """Return the settings, with their defaults."""
    traits = sorted(ColabMagics.class_traits(config=True).items())
    return table(
        ("setting", "default", "meaning"),
        [(code(name), code(str(trait.default_value)), plain(str(trait.help))) for name, trait in traits],
    )


def keys() -> str:
    """Return the keys of requirements."""
    return table(("key", "what it asks"), [(code(key), plain(meaning)) for key, meaning in KEYS.items()])


def _typed(option: Option) -> str:
    flags = option.flags or ("",)
    return ", ".join(code(" ".join(filter(None, (flag, option.takes)))) for flag in flags)


def _where(option: Option) -> str:
    if set(_MAGICS) <= set(option.where):
        return "all, and the command" if COMMAND in option.where else "all magics"
    return ", ".join(code(f"%{name}") for name in option.where)


def _meaning(option: Option) -> str:
    return plain(option.help.replace("%(prog)s", "%gpu_info"))
