"""Fits of behaviour and recoveries as results: what `synsys mind` runs."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

import synsys
from synsys.core.errors import UserError, unknown
from synsys.core.results import DISCLAIMER, SCHEMA_VERSION
from synsys.mind.group import Group, fit_group
from synsys.mind.model import Model
from synsys.mind.models import model_named
from synsys.mind.posterior import Posterior, posterior
from synsys.mind.predictive import check
from synsys.mind.recovery import confusion, recover
from synsys.mind.trials import Trials, trials_from
from synsys.scales import behaviour_tree as groups
from synsys.scales.describe import created

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 5
"""Fewest people that make a group."""
Progress = Callable[[str, int, int], None]


def fit_behaviour(
    data: "pd.DataFrame | str | Path",
    model: str,
    against: Sequence[str] = (),
    *,
    covariates: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    subject: str = "subject",
    block: str = "block",
    base: int = 0,
    keep: str = "",
    alone: bool = False,
    recovery: int = 200,
    samples: int = 1500,
    seed: int = 0,
    progress: Progress | None = None,
    command: str = "",
) -> xr.DataTree:
    """Fit a model of behaviour to people's choices.

    Parameters
    ----------
    data : DataFrame or path
        One row a trial (CSV, TSV, also compressed); the columns that a model reads are listed by ``synsys
        mind models`` and in ``docs/mind.md``.
    model : str
    against : sequence of str
        Other models of the same trials that compete with it.
    covariates : sequence of str
        Columns, constant within a person, on which the group's mean may depend.
    rename : mapping, optional
        Column of the model -> column of the table.
    subject, block : str
        Columns that name person and block; an empty `block` for none.
    base : {0, 1}
        Number of the first option and stimulus in the table.
    keep : str
        Rows to keep, as a pandas query: ``"trial > 0"``.
    alone : bool
        Fit every person on its own under the prior of the model; a group otherwise, if there are at least
        `FEWEST` people.
    recovery : int
        Simulated people, with as many trials as real ones have, on which recovery is tested; 0 for none.
    samples : int
        Importance samples a person.
    seed : int
    progress : callable, optional
        Called with (what is done, part, parts).
    command : str

    Returns
    -------
    DataTree
        A result of kind ``behaviour`` (`core.results_mind`).

    Raises
    ------
    UserError
        For unknown models and columns and for values that cannot be, before anything is fitted.
    """
    main, others = model_named(model), [model_named(name) for name in against]
    if model in against or len(set(against)) < len(against):
        raise UserError(f"models are compared with each other: {', '.join([model, *against])} repeats one")
    if recovery and recovery < 10:
        raise UserError(f"recovery = {recovery}: 0 for none, or at least 10 people")
    frame, where, digest = _opened(data)
    frame = _kept(frame, keep, where)
    options: dict[str, Any] = {
        "subject": subject,
        "block": block,
        "rename": rename,
        "base": base,
        "where": where,
    }
    trials = trials_from(frame, main, **options)
    rivals = [trials_from(frame, other, **options) for other in others]
    _same(main, trials, rivals, others)
    known = dict(_covariate(frame, name, subject, trials, where) for name in covariates)
    group = not alone and len(trials) >= FEWEST
    if known and not group:
        raise UserError(
            f"covariates need a group of at least {FEWEST} people" + (" (not --alone)" if alone else "")
        )

    told = _teller(progress)

    fits = {}
    for one, rows in zip([main, *others], [trials, *rivals], strict=True):
        fits[one.name] = _fitted(one, rows, known, group, samples, seed, told(f"fitting {one.name}"))
    found, people = fits[model]
    evidence = _evidence(fits, [trials, *rivals], samples, seed) if others else {}
    theta = people.mean
    back = None
    if recovery:
        usual = int(np.median(trials.length))
        back = recover(main, recovery, usual, seed=seed, progress=told("recovering simulated people"))
    parts = {
        "/parameters": groups.parameters(main, found, back), "/people": groups.people(trials, people),
        "/estimates": groups.estimates(main, trials, people),
        "/check": xr.Dataset(
            {c: ("subject", v.to_numpy(float)) for c, v in check(main, trials, theta).items()},
            {"subject": list(trials.subjects)},
        ),
        "/course": groups.course(main, trials, theta),
    }  # fmt: skip
    if found is not None and known:
        parts["/effects"] = groups.effects(main, found)
    if others:
        parts["/comparison"] = groups.comparison(evidence, trials, seed)
    tree = xr.DataTree.from_dict(parts)
    tree.attrs = _attributes(
        "behaviour", main, seed, command or f"synsys.fit_behaviour({where!r}, {model!r})"
    )
    tree.attrs |= {
        "options": json.dumps(
            {"data": where, "against": list(against), "covariates": list(covariates),
             "rename": dict(rename or {}), "subject": subject, "block": block, "base": base, "keep": keep,
             "alone": alone, "recovery": recovery, "samples": samples}
        ),
        "digests": json.dumps({where: digest}),
        "methods": groups.methods(main, trials, found, back, samples),
        "notes": json.dumps(groups.notes(main, trials, people, found, back, len(frame))),
    }  # fmt: skip
    return tree


def recover_behaviour(
    model: str, against: Sequence[str] = (), subjects: int = 200, trials: int | None = None, seed: int = 0,
    progress: Progress | None = None, command: str = "",
) -> xr.DataTree:  # fmt: skip
    """Recover parameters of simulated people, and models against each other.

    Parameters
    ----------
    model : str
    against : sequence of str
        Models of the same task; with them, which model is found for people who follow each.
    subjects : int
    trials : int, optional
        The usual number of the task by default.
    seed : int
    progress : callable, optional
        Called with (what is done, part, parts).
    command : str

    Returns
    -------
    DataTree
        A result of kind ``recovery``.
    """
    main, others = model_named(model), [model_named(name) for name in against]
    if trials is not None and trials < 5:
        raise UserError(f"trials = {trials}: at least 5 are needed")

    told = _teller(progress)

    shares = None
    if others:
        shares = confusion([main, *others], max(20, subjects // 4), trials, seed, told("recovering models"))
    back = recover(main, subjects, trials, seed=seed, progress=told("recovering parameters"))
    names = [f"s{i:04d}" for i in range(subjects)]
    table = {c: ("parameter", back.table[c].to_numpy()) for c in back.table}
    parts = {
        "/parameters": xr.Dataset(
            {**table, "definition": ("parameter", [p.definition for p in main.parameters])},
            {"parameter": list(main.names)},
        ),
        "/people": xr.Dataset(
            {
                n: (("subject", "parameter"), getattr(back, n))
                for n in ("truth", "estimate", "low", "high", "rank")
            },
            {"subject": names, "parameter": list(main.names)},
        ),
    }
    if shares is not None:
        parts["/confusion"] = xr.Dataset(
            {"share": (("model", "found"), shares.to_numpy())},
            {"model": list(shares.index), "found": list(shares.columns)},
        )
    tree = xr.DataTree.from_dict(parts)
    tree.attrs = _attributes("recovery", main, seed, command or f"synsys.recover_behaviour({model!r})")
    tree.attrs |= {
        "options": json.dumps({"against": list(against), "subjects": subjects, "trials": trials}),
        "methods": (
            f"{subjects} people were drawn from the prior of {main.name}, performed the task "
            f"{main.task!r} ({trials or 'its usual number of'} trials) and were fitted one by one."
        ),
        "notes": json.dumps(groups.flagged(main, back)),
    }
    return tree


def _teller(progress: Progress | None) -> Callable[[str], Callable[[int, int], None] | None]:
    """A function that gives, for what is being done, the progress of its parts."""
    if progress is None:
        return lambda what: None
    return lambda what: lambda done, total: progress(what, done, total)


def _attributes(kind: str, model: Model, seed: int, command: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION, "kind": kind, "version": synsys.__version__, "command": command,
        "title": model.title, "model": model.name, "seed": seed, "created": created(),
        "references": json.dumps([model.citation]), "disclaimer": DISCLAIMER,
    }  # fmt: skip


def _opened(data: "pd.DataFrame | str | Path") -> tuple["pd.DataFrame", str, str]:
    """Table, its name and the digest of what it came from."""
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data, "table", hashlib.sha256(data.to_csv(index=False).encode()).hexdigest()
    path = Path(data)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    separator = "\t" if ".tsv" in path.suffixes else ","
    try:
        frame = pd.read_csv(path, sep=separator)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f"{path}: cannot be read as a table: {error}") from None
    return frame, path.name, hashlib.sha256(path.read_bytes()).hexdigest()


def _kept(frame: "pd.DataFrame", keep: str, where: str) -> "pd.DataFrame":
    if not keep:
        return frame
    try:
        which = np.asarray(frame.eval(keep))
    except Exception as error:  # whatever a query may raise is the user's
        raise UserError(f"--keep {keep!r}: {error}; columns: {', '.join(map(str, frame.columns))}") from None
    if which.dtype.kind != "b" or which.shape != (len(frame),):
        raise UserError(f"--keep {keep!r} is no condition, such as 'trial > 0'")
    if not which.any():
        raise UserError(f"{where}: no row is left with --keep {keep!r}")
    return frame.loc[which]


def _same(main: Model, trials: Trials, rivals: Sequence[Trials], others: Sequence[Model]) -> None:
    for rows, other in zip(rivals, others, strict=True):
        if other.choices != main.choices or other.task != main.task:
            raise UserError(f"{main.name} and {other.name} are models of different tasks or choices")
        if rows.subjects != trials.subjects or not np.array_equal(rows.length, trials.length):
            raise UserError(
                f"{other.name} reads other trials of this table, so the models cannot be compared"
            )


def _covariate(
    frame: "pd.DataFrame", name: str, subject: str, trials: Trials, where: str
) -> tuple[str, np.ndarray]:
    """Name and values (people,) of a covariate; of two labels, 1 for the second in the alphabet."""
    import pandas as pd

    if name not in frame.columns:
        raise unknown(f"covariate in {where}", name, map(str, frame.columns))
    if subject not in frame.columns:
        raise UserError(f"{where}: a covariate needs the column {subject!r}, which says who is who")
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column) and column.nunique() == 2:
        first, second = sorted(column.dropna().astype(str).unique())
        column = column.astype(str).map({first: 0.0, second: 1.0})
        label = f"{name}={second}"
    elif not pd.api.types.is_numeric_dtype(column):
        raise UserError(f"covariate {name} is text with {column.nunique()} values; two labels can be used")
    else:
        label = name
    values = column.groupby(frame[subject].astype(str).str.strip())
    if (values.nunique() > 1).any():
        raise UserError(f"covariate {name} changes within a person ({values.nunique().idxmax()})")
    return label, values.first().reindex(list(trials.subjects)).to_numpy(float)


def _evidence(
    fits: Mapping[str, tuple[Group | None, Posterior]], trials: Sequence[Trials], samples: int, seed: int
) -> dict[str, np.ndarray]:
    """Log-evidence of every person under each model's own prior, which was not fitted to these people."""
    out = {}
    for (name, (group, fit)), rows in zip(fits.items(), trials, strict=True):
        alone = fit if group is None else posterior(model_named(name), rows, None, samples, seed)
        out[name] = alone.evidence
    return out


def _fitted(
    model: Model, trials: Trials, covariates: dict[str, np.ndarray], group: bool, samples: int, seed: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Group | None, Posterior]:  # fmt: skip
    if group:
        found = fit_group(model, trials, covariates, samples, seed, progress)
        return found, found.posterior
    return None, posterior(model, trials, samples=samples, seed=seed, progress=progress)
