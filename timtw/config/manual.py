"""The manual of the configuration, made of the same fields that read it."""

from collections.abc import Iterator

from timtw.config.reading import Key, keys_of
from timtw.config.sections import NOT_BUILT, SECTIONS
from timtw.config.values import kind_in_words

INTRODUCTION = """\
# Configuration

<!-- Made by "python -m timtw.config"; changes belong into timtw/config/sections.py. -->

`twistd tim --config=node.ini` reads one INI file in UTF-8. Every key is optional.
Comments begin with `;` or `#`, also behind a value after a space. Keys that take
several values have one per line, the further lines indented. Relative paths start in
the folder of the file.

Every key can also come from the environment, which goes before the file, under the
name given with it.

Names that the node does not know are refused, with a suggestion; so are values that
it cannot read. All problems are reported at once, one sentence each, and the exit
status is 1. `twistd tim --config=node.ini --check` stops after reading.
"""


def manual() -> str:
    """The whole page, in Markdown."""
    parts = [INTRODUCTION]
    for section, owner in SECTIONS.items():
        parts.append(f"## [{section}]\n\n{' '.join((owner.__doc__ or '').split())}\n")
        parts.extend(_entry(key) for key in keys_of(section))
    parts.append("## Not built yet\n\n" + "".join(_not_built()))
    return "\n".join(parts)


def _entry(key: Key) -> str:
    """What the page says about one key."""
    default = key.metadata["default"]
    shown = key.metadata["shown"] or (f"`{default}`" if default else "none")
    return (
        f"### {key.name}\n\n"
        f"{key.metadata['help']}\n\n"
        f"* Value: {kind_in_words(key.kind, key.metadata['bounds'])}\n"
        f"* Default: {shown}\n"
        f"* Environment: `{key.variable}`\n"
    )


def _not_built() -> Iterator[str]:
    """One line per section with keys that are refused for now."""
    yield "These keys are refused in one sentence until their feature exists.\n\n"
    for section, keys in NOT_BUILT.items():
        yield f"* `[{section}]` {', '.join(f'`{key}`' for key in sorted(keys))}\n"
