"""YAML text as a tree whose every node knows where it stands, so that an error can name line and column.

Scalars stay text; what they mean is for the reader of the tree to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synsys.core.errors import UserError, unknown
from synsys.knowledge.rows import BOOLEANS

if TYPE_CHECKING:
    import yaml

FLAGS = {**BOOLEANS, "on": True, "off": False}


@dataclass(frozen=True)
class Located:
    """A node of a YAML file.

    Parameters
    ----------
    node : yaml.Node
    filename : str
        What messages call the file.
    """

    node: yaml.Node
    filename: str

    def error(self, message: object) -> UserError:
        """`message` with file, line and column in front."""
        mark = self.node.start_mark
        return UserError(f"{self.filename}, line {mark.line + 1}, column {mark.column + 1}: {message}")

    @contextmanager
    def located(self) -> Iterator[None]:
        """Errors raised inside gain this node's place."""
        try:
            yield
        except UserError as error:
            raise self.error(error) from None

    def fields(self, accepted: Iterable[str], what: str) -> dict[str, Located]:
        """Values of a mapping by key.

        Parameters
        ----------
        accepted : iterable of str
            Keys that are known.
        what : str
            What the mapping is, for messages.

        Raises
        ------
        UserError
            If it is no mapping, or a key is unknown, no text, or given twice.
        """
        names = tuple(accepted)
        if not self.is_mapping:
            raise self.error(f"{what} is a mapping of keys and values, this is a {self._kind}")
        found: dict[str, Located] = {}
        for key, value in self.node.value:
            place = Located(key, self.filename)
            name = place.text("a key")
            if name not in names:
                raise place.error(unknown(f"key of {what}", name, names, listed=names))
            if name in found:
                raise place.error(f"{name!r} is given twice")
            found[name] = Located(value, self.filename)
        return found

    def items(self, what: str) -> list[Located]:
        """Members of a list; UserError if it is none."""
        if not self.is_list:
            raise self.error(f"{what} is a list (lines that begin with -), this is a {self._kind}")
        return [Located(item, self.filename) for item in self.node.value]

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return self._kind == "list"

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return self._kind == "mapping"

    @property
    def _kind(self) -> str:
        import yaml

        if isinstance(self.node, yaml.MappingNode):
            return "mapping"
        return "list" if isinstance(self.node, yaml.SequenceNode) else "single value"

    def text(self, what: str) -> str:
        """A scalar's text; UserError if it is a list or mapping, or empty."""
        if self.is_list or self.is_mapping:
            raise self.error(f"{what} is one value, this is a {self._kind}")
        value = str(self.node.value).strip()
        if not value:
            raise self.error(f"{what} is empty")
        return value

    def flag(self, what: str) -> bool:
        """On or off, yes or no, true or false; else UserError."""
        text = self.text(what)
        if text.lower() not in FLAGS:
            raise self.error(f"{what} is on or off, not {text!r}")
        return FLAGS[text.lower()]

    def whole(self, what: str, least: int, most: int) -> int:
        """A whole number from `least` to `most`; else UserError."""
        text = self.text(what)
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            raise self.error(f"{what} is a whole number from {least} to {most}, not {text!r}")
        return int(text)


def locate(text: str, filename: str) -> Located:
    """Tree of one YAML document.

    Parameters
    ----------
    text : str
    filename : str
        What messages call it.

    Raises
    ------
    UserError
        If the text is empty or not YAML (a tab that indents, an unclosed bracket, a second document, ...).
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        tab = mark is not None and "\t" in "".join(text.splitlines()[mark.line : mark.line + 1])
        hint = "; a tab cannot indent, use blanks" if tab else ""
        raise UserError(f"{filename}{where}: not YAML ({error.problem or error.context}{hint})") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise UserError(f"{filename}, line {line}: {chr(error.character)!r} is not allowed in YAML") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise UserError(f"{filename}: not YAML ({error})") from None
    except RecursionError:
        raise UserError(f"{filename}: nested too deeply") from None
    if root is None:
        raise UserError(f"{filename}, line 1: the file is empty")
    return Located(root, filename)
