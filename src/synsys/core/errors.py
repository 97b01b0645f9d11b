"""Errors a user can act on."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """Input that cannot be run; its text names the culprit and what is accepted.

    The command line prints it as one line and exits with code 2.
    """


def closest(name: str, options: Iterable[str]) -> str:
    """Text ``"; did you mean X?"`` for the option that `name` begins or is most like; else empty."""
    lower = {option.lower(): option for option in options}
    match = [option for option in lower if len(name) > 2 and option.startswith(name.lower())]
    match = match or get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f"; did you mean {lower[match[0]]}?" if match else ""


def unknown(
    kind: str, name: str, options: Iterable[str], hint: str = "", listed: Iterable[str] | None = None
) -> UserError:
    """Error for a name that is not among `options`, with the closest match.

    Parameters
    ----------
    kind : str
        What was named, in the field's words ("region", "cell", "disorder").
    name : str
        What was given.
    options : iterable of str
        What is accepted; listed in full when there are at most 16.
    hint : str
        Where the accepted names can be looked up.
    listed : iterable of str, optional
        Names to list in place of `options`, however many: one for each thing that has several.
    """
    names = list(options)
    shown = (names if len(names) <= 16 else []) if listed is None else list(listed)
    accepted = f" (accepted: {', '.join(shown)})" if shown else ""
    tail = f"; {hint}" if hint else ""
    return UserError(f"unknown {kind} {name!r}{closest(name, names)}{accepted}{tail}")
