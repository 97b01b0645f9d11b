"""Trials of a task: one row a trial in a table, one array (people, trials) a column in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synsys.core.errors import UserError, unknown
from synsys.mind.model import Model

if TYPE_CHECKING:
    import pandas as pd

NONE, ABSENT = -9.0, 1e9
"""What stand for a choice that was not made, and for a response that is a number and was not given."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials of several people.

    Attributes
    ----------
    subjects : tuple of str
    columns : mapping of str to ndarray, (people, trials)
        Filled up with zeros behind a person's last trial.
    length : ndarray of int, (people,)
        Trials of each person.
    begins : ndarray of bool, (people, trials)
        First trials of blocks.
    """

    subjects: tuple[str, ...]
    columns: Mapping[str, np.ndarray]
    length: np.ndarray
    begins: np.ndarray

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def used(self) -> np.ndarray:
        """Which places hold a trial, (people, trials)."""
        return np.arange(self.begins.shape[1]) < self.length[:, None]

    def frame(self) -> "pd.DataFrame":
        """One row a trial: subject, block, and the columns; choices that were not made are empty."""
        import pandas as pd

        who, _ = np.nonzero(self.used)
        values = {name: v[self.used] for name, v in self.columns.items()}
        table = pd.DataFrame(
            {name: np.where((v == NONE) | (v == ABSENT), np.nan, v) for name, v in values.items()}
        )
        table.insert(0, "subject", np.array(self.subjects)[who])
        table.insert(1, "block", np.cumsum(self.begins, 1)[self.used])
        return table

    def part(self, people: np.ndarray | list[int]) -> "Trials":
        """The trials of some people, by position."""
        at = np.asarray(people, int)
        columns = {name: values[at] for name, values in self.columns.items()}
        return Trials(tuple(self.subjects[i] for i in at), columns, self.length[at], self.begins[at])

    def counted(self, model: Model) -> np.ndarray:
        """Choices that each person made, (people,)."""
        made = [
            (self.columns[c.column] >= 0 if c.options else self.columns[c.column] < ABSENT / 2) & self.used
            for c in model.choices
        ]
        return np.sum([m.sum(1) for m in made], axis=0)

    def without(self, model: Model, hidden: np.ndarray) -> "Trials":
        """The same with choices hidden from the likelihood where `hidden` (people, trials); they are learned
        from as before, so what is left out can be predicted from what was not."""
        columns = dict(self.columns)
        columns["hidden"] = np.where(hidden, 1.0, columns.get("hidden", np.zeros(hidden.shape)))
        return Trials(self.subjects, columns, self.length, self.begins)


def trials_from(
    frame: "pd.DataFrame",
    model: Model,
    *,
    subject: str = "subject",
    block: str = "block",
    rename: Mapping[str, str] | None = None,
    base: int = 0,
    where: str = "table",
) -> Trials:
    """Trials from a table with one row a trial, in the order of the rows.

    Parameters
    ----------
    frame : DataFrame
    model : Model
        Says which columns are needed.
    subject, block : str
        Columns of person and block; a table without the usual ones is one person, one block. An empty `block`
        takes a table as one block even if it has such a column.
    rename : mapping, optional
        Column of the model -> column of the table.
    base : {0, 1}
        Number of the first option, and of the first stimulus, in the table.
    where : str
        Named in errors.

    Raises
    ------
    UserError
        For a column that is missing, is not a number, or holds an option or index that cannot be.
    """
    import pandas as pd

    names = {name: (rename or {}).get(name, name) for name in model.columns}
    for name in rename or {}:
        if name not in model.columns:
            raise unknown(f"column of {model.name}", name, model.columns)
    for name, given in names.items():
        if given not in frame.columns and name not in model.optional:
            what = dict(model.inputs).get(name) or "the option that was chosen, 0, 1, ..."
            raise UserError(
                f"{where}: no column {given!r}, which {model.name} needs ({what}); "
                f"there are: {', '.join(map(str, frame.columns))}; another name is given as {name}=COLUMN"
            )
    if frame.empty:
        raise UserError(f"{where}: no trials")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise UserError(f"{where}: two columns are called {twice!r}")
    for given, usual in ((subject, "subject"), (block, "block")):
        if given and given != usual and given not in frame.columns:
            raise unknown(f"column of {where} for the {usual}", given, map(str, frame.columns))
    who = frame[subject] if subject in frame.columns else pd.Series("1", frame.index)
    if who.isna().any():
        raise UserError(f"{where}: {subject} is missing in {int(who.isna().sum())} rows")
    who = who.astype(str).str.strip()
    people = tuple(dict.fromkeys(who))
    numbers = {n: _numbers(frame, given, where) for n, given in names.items() if given in frame.columns}
    _check(model, numbers, names, where, base)
    known = np.all([np.isfinite(numbers[n]) for n in model.inputs] or [np.ones(len(frame), bool)], axis=0)
    rows = [np.flatnonzero((who == s).to_numpy() & known) for s in people]
    empty = [s for s, r in zip(people, rows, strict=True) if not len(r)]
    if empty:
        raise UserError(f"{where}: no complete trial of {', '.join(empty[:5])}")
    first = numbers[model.choices[0].column]
    silent = [
        s for s, r in zip(people, rows, strict=True)
        if not (first[r] >= 0 if model.choices[0].options else np.isfinite(first[r])).any()
    ]  # fmt: skip
    if silent:
        raise UserError(f"{where}: no choice of {', '.join(silent[:5])}{' ...' if len(silent) > 5 else ''}")
    most = max(map(len, rows))
    columns = {}
    absent = {c.column: NONE if c.options else ABSENT for c in model.choices}
    for name in model.columns:
        values = np.zeros((len(people), most))
        for i, r in enumerate(rows):
            values[i, : len(r)] = numbers[name][r] if name in numbers else model.optional[name]
        columns[name] = np.where(np.isfinite(values), values, absent.get(name, model.optional.get(name, 0.0)))
    begins = np.zeros((len(people), most), bool)
    label = frame[block].astype(str).to_numpy() if block in frame.columns else np.full(len(frame), "1")
    for i, r in enumerate(rows):
        begins[i, : len(r)] = np.r_[True, label[r][1:] != label[r][:-1]]
    return Trials(people, columns, np.array([len(r) for r in rows]), begins)


def _numbers(frame: "pd.DataFrame", name: str, where: str) -> np.ndarray:
    import pandas as pd

    values = pd.to_numeric(frame[name], errors="coerce")
    wrong = values.isna() & frame[name].notna() & (frame[name].astype(str).str.strip() != "")
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise UserError(f"{where}: {name} is {frame[name].iloc[row]!r} in row {row + 2}, not a number")
    return np.where(np.isinf(values), np.nan, values.to_numpy(float))


def _check(
    model: Model, numbers: dict[str, np.ndarray], names: Mapping[str, str], where: str, base: int
) -> None:
    """Refuse what cannot be; options and indices are counted from 0 from here on."""
    counted = {**{c.column: c.options for c in model.choices if c.options}, **model.indices}
    for name, most in counted.items():
        values = numbers[name]
        if base and (values == 0).any():
            raise UserError(f"{where}: {names[name]} is 0, but options are said to be counted from {base}")
        numbers[name] = values = values - base
        ends = f"accepted are whole numbers from {base} to {most - 1 + base}"
        if name not in model.indices:
            ends += ", and empty or less where there was none"
        given = values[np.isfinite(values) & ((values >= 0) | (name in model.indices))]
        wrong = given[(given != np.round(given)) | (given >= most) | (given < 0)]
        if len(wrong):
            hint = "" if base else "; if the table counts from 1, say --base 1 (base=1)"
            raise UserError(f"{where}: {names[name]} is {wrong[0] + base:g}; {ends}{hint}")
    for name, accepted in model.accepted.items():
        given = numbers[name][np.isfinite(numbers[name])]
        wrong = given[~np.isin(given, accepted)]
        if len(wrong):
            told = ", ".join(f"{v:g}" for v in accepted)
            raise UserError(f"{where}: {names[name]} is {wrong[0]:g}; accepted are {told} and empty")
    for name, (low, high) in model.limits.items():
        given = numbers.get(name, np.empty(0))
        wrong = given[np.isfinite(given) & ((given < low) | (given > high))]
        if len(wrong):
            raise UserError(f"{where}: {names[name]} is {wrong[0]:g}; it must lie from {low:g} to {high:g}")
    if told := model.wrong(numbers):
        raise UserError(f"{where}: {told}")
