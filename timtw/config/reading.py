"""
From an INI file and the environment to a `NodeConfig`, or to all that is wrong.

Nothing here is half right: an unknown name, a value that cannot be read and a feature
that does not exist are each told in one sentence, and all of them at once.
"""

import configparser
import typing
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import attrs

from timtw.config.sections import NOT_BUILT, SECTIONS, NodeConfig
from timtw.config.values import Engine, StorageUrl, parser_of

PREFIX = "TIMTW_"
"""What the names of our environment variables begin with."""

ALIKE = 0.8
"""How alike an environment variable must be to one of ours to count as misspelt."""

Texts = dict[tuple[str, str], tuple[str, str]]
"""Of each (section, key): the text, and where it stands in words."""


class ConfigError(Exception):
    """
    A configuration that no node can run with.

    `problems` has one sentence for each thing that is wrong, in the order of the file.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@attrs.frozen
class Key:
    """One key as its class describes it."""

    section: str
    name: str
    field: str
    kind: object
    metadata: Mapping[str, Any]

    @property
    def variable(self) -> str:
        """The environment variable that goes before the file."""
        return variable_of(self.section, self.name)


def variable_of(section: str, key: str) -> str:
    """The environment variable of a key: ``TIMTW_SECTION_KEY``."""
    return PREFIX + f"{section}_{key}".upper().replace(" ", "_")


def keys_of(section: str) -> Iterator[Key]:
    """The keys of a section, in the order of its class."""
    owner = SECTIONS[section]
    kinds = typing.get_type_hints(owner)
    for field in attrs.fields(owner):
        if "help" in field.metadata:
            name = field.metadata["key"] or field.name
            yield Key(section, name, field.name, kinds[field.name], field.metadata)


def read_config(path: Path | None, environ: Mapping[str, str]) -> NodeConfig:
    """
    The configuration in a file, with the environment before it.

    Args:
        path: the file, in UTF-8; its folder is where relative paths start.  None: all
            defaults, and paths start in the current folder.
        environ: names and values of environment variables.

    Raises:
        ConfigError: with every problem there is.
    """
    problems: list[str] = []
    texts: Texts = {}
    base = Path.cwd()
    if path is not None:
        path = path.absolute()
        base = path.parent
        texts.update(_from_file(path, problems))
    texts.update(_from_environment(environ, problems))
    return settle(texts, base, problems)


def settle(texts: Texts, base: Path, problems: Sequence[str] = ()) -> NodeConfig:
    """
    The configuration that texts of keys make, with defaults for those not given.

    Args:
        texts: of each (section, key) its text and where it stands.
        base: the folder that relative paths start from.
        problems: what was found wrong before.

    Raises:
        ConfigError: with every problem there is.
    """
    found = list(problems)
    read = {section: _values(section, texts, base, found) for section in SECTIONS}
    if found:
        raise ConfigError(found)
    state = read["node"]
    if state["keys"] is None:
        state["keys"] = state["state_dir"] / "keys"
    shard = read["shard main"]
    if shard["url"] is None:
        shard["url"] = StorageUrl(Engine.SQLITE, state["state_dir"] / "tim.db")
    made = {section: SECTIONS[section](**read[section]) for section in SECTIONS}
    shards = (made.pop("shard main"),)
    return NodeConfig(**made, shards=shards)


def _values(
    section: str, texts: Texts, base: Path, problems: list[str]
) -> dict[str, Any]:
    """The parsed values of a section by field; a default of None stays None."""
    values: dict[str, Any] = {}
    for key in keys_of(section):
        default = key.metadata["default"]
        text, place = texts.get((section, key.name), (default, "the default"))
        if text is None:
            values[key.field] = None
            continue
        try:
            parse = parser_of(key.kind, key.metadata["bounds"])
            values[key.field] = parse(text.strip(), base)
        except ValueError as error:
            problems.append(f"{place}: is {error}")
    return values


def _from_file(path: Path, problems: list[str]) -> Texts:
    """What a file says; unknown names become problems."""
    parser = configparser.ConfigParser(
        delimiters=("=",),
        comment_prefixes=(";", "#"),
        inline_comment_prefixes=(";", "#"),
        default_section="",
        interpolation=None,
    )
    try:
        parser.read_string(path.read_text("utf-8"), source=path.name)
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"{path}: is not UTF-8 text")
    except configparser.Error as error:
        problems.append(f"{path.name}: {_one_line(error)}")
    else:
        return _known_texts(parser, path.name, problems)
    return {}


def _known_texts(
    parser: configparser.ConfigParser, file: str, problems: list[str]
) -> Texts:
    """What a file that was read says; unknown names become problems."""
    texts: Texts = {}
    for section in parser.sections():
        place = f"{file}: [{section}]"
        if complaint := _complaint(section):
            problems.append(f"{place} {complaint}")
            continue
        for key, text in parser.items(section):
            if complaint := _complaint(section, key):
                problems.append(f"{place} {complaint}")
            else:
                texts[section, key] = (text, f"{place} {key}")
    return texts


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> Texts:
    """What the environment says; names that are nearly ours become problems."""
    ours = {key.variable: key for section in SECTIONS for key in keys_of(section)}
    later = {
        variable_of(section, key): (section, key)
        for section, keys in NOT_BUILT.items()
        for key in keys
    }
    families = tuple(variable_of(section, "") for section in SECTIONS)
    texts: Texts = {}
    for name in sorted(environ):
        place = f"environment: {name}"
        if name in ours:
            key = ours[name]
            texts[key.section, key.name] = (environ[name], place)
        elif name in later:
            problems.append(f"{place}: {_complaint(*later[name])}")
        elif name.startswith(families) or (
            name.startswith(PREFIX) and get_close_matches(name, ours, 1, ALIKE)
        ):
            problems.append(f"{place}: is no setting{_suggestion(name, ours)}")
    return texts


def _complaint(section: str, key: str | None = None) -> str | None:
    """What is wrong with the name of a section or key; None when nothing is."""
    known = SECTIONS.keys() | NOT_BUILT.keys()
    if section not in known:
        if section.startswith("shard "):
            return "is not built yet: a node has one database, [shard main]"
        return f"is no section{_suggestion(section, known)}"
    if key is None:
        return None if section in SECTIONS else "is for a feature that is not built yet"
    names = {known.name for known in keys_of(section)} if section in SECTIONS else set()
    later = NOT_BUILT.get(section, frozenset())
    if key in later:
        return f"{key}: is for a feature that is not built yet; leave it out"
    if key not in names:
        return f"{key}: is no key of this section{_suggestion(key, names | later)}"
    return None


def _suggestion(name: str, known: typing.Iterable[str]) -> str:
    """A question that ends a sentence about a misspelt name, or nothing."""
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _one_line(error: configparser.Error) -> str:
    """What configparser found, without the values that it quotes."""
    line = getattr(error, "lineno", None)
    if isinstance(error, configparser.DuplicateSectionError):
        return f"line {line}: section [{error.section}] stands twice"
    if isinstance(error, configparser.DuplicateOptionError):
        return f"line {line}: [{error.section}] {error.option} stands twice"
    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"line {line}: stands before any [section]"
    if isinstance(error, configparser.ParsingError):
        lines = ", ".join(str(number) for number, _ in error.errors)
        return f"line {lines}: is neither [section] nor key = value"
    return "cannot be read"
