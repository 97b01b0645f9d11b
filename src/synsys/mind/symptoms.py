"""Symptom dimensions: weighted means of what tasks, inference and networks changed, in healthy sd.

    symptom = sum_i w_i S(z_i) / sum_i |w_i|,   z_i = change of readout i / its spread between healthy people

over the readouts of a declared table (`synsys.knowledge.symptoms`) that a draw gives. No diagnosis enters.
S(z) = c tanh(z / c) saturates at `MOST` = c sd, as scales of symptoms do, so that one readout in which
healthy people hardly differ does not make a symptom alone. A score that a performed task no longer gives, as
the drift of a memory that is lost, counts as the worst (`lost`), not as unknown. A healthy person has a value
too, so that a symptom has a spread between people, and an effect size.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from synsys.knowledge.symptoms import SymptomTable
from synsys.mind.tasks.registry import tasks

LEAST = 0.5
"""Least share of the declared weight that a brain must give; a symptom of which less is known is absent."""
MOST = 5.0
"""Healthy sd at which what a readout adds to a symptom saturates (declared)."""


@dataclass(frozen=True)
class Change:
    """Change of one readout against the reference of the same draw.

    Attributes
    ----------
    patient, people : ndarray, (draws,)
        Of the perturbed state and of another healthy person: of the logarithm, or of the value; NaN where not
        solved, infinite where the score is lost.
    """

    patient: np.ndarray
    people: np.ndarray

    def standardised(self, sd: float) -> "Change":
        """In units of the spread between people, saturating."""
        return Change(*(MOST * np.tanh(x / (MOST * sd)) for x in (self.patient, self.people)))

    def where(self, kept: np.ndarray) -> "Change":
        """The same in some draws, NaN in others."""
        return Change(np.where(kept, self.patient, np.nan), np.where(kept, self.people, np.nan))


def read_symptoms(
    table: SymptomTable, changes: Mapping[str, Change], spread: Callable[[np.ndarray], float]
) -> dict[str, Change]:
    """Every symptom that can be read.

    Parameters
    ----------
    table : SymptomTable
    changes : mapping of str to Change
        Of the readouts that the brain gives; readouts in which people do not differ are left out.
    spread : callable
        Standard deviation of people.

    Returns
    -------
    dict
        Symptom -> change from health, in healthy sd; absent where less than `LEAST` of the weight is known.
    """
    z: dict[str, Change] = {}
    out: dict[str, Change] = {}

    def known(name: str) -> bool:
        if name not in z and name in changes:
            sd = spread(changes[name].people)
            if sd > 0:
                z[name] = changes[name].standardised(sd)
        return name in z

    for symptom, rows in table.rows.items():
        held = [row for row in rows if known(row.source)]
        weight = sum(abs(row.weight) for row in held)
        if not held or weight < LEAST * sum(abs(row.weight) for row in rows):
            continue
        weights = np.array([row.weight for row in held])
        least = LEAST * sum(abs(row.weight) for row in rows)
        out[symptom] = Change(
            _mean(np.array([z[row.source].patient for row in held]), weights, least),
            _mean(np.array([z[row.source].people for row in held]), weights, least),
        )
        sd = spread(out[symptom].people)
        if sd > 0:
            z[symptom] = out[symptom].standardised(sd)
    return out


def lost(
    changes: Mapping[str, Change], values: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> dict[str, Change]:
    """Changes with those of scores that a performed task no longer gives: infinite in the bad direction.

    Such a score saturates at `MOST` healthy sd in a symptom. Scores of which neither more nor less is better
    stay absent, as do all scores of a task that was not performed, and what had nothing to score
    (`Score.needs`).

    Parameters
    ----------
    changes : mapping of str to Change
    values : mapping of str to (reference, patient, people), (draws,) each
        Readouts, NaN where not given; of scores also those that `told_by` names.
    """
    out = dict(changes)
    for task in tasks().values():
        every = [score.name for score in task.scores if score.name in values]
        for score in task.scores:
            if not score.better or score.name not in changes or score.name not in values:
                continue
            needed = [score.needs] if score.needs else every
            before, *now = (np.isfinite(column) for column in values[score.name])
            performed = (
                np.any([np.isfinite(values[n][who]) for n in needed if n in values], axis=0) for who in (1, 2)
            )
            gone = [before & ~given & there for given, there in zip(now, performed, strict=True)]
            old = (changes[score.name].patient, changes[score.name].people)
            worst = -score.better * np.inf
            out[score.name] = Change(*(np.where(g, worst, x) for g, x in zip(gone, old, strict=True)))
    return out


def told_by(names: Collection[str]) -> frozenset[str]:
    """Readouts with the scores of the same tasks, which say whether one that is missing was lost."""
    same = (
        score.name
        for task in tasks().values()
        if any(score.name in names for score in task.scores)
        for score in task.scores
    )
    return frozenset(names) | frozenset(same)


def _mean(z: np.ndarray, weights: np.ndarray, least: float) -> np.ndarray:
    """Weighted mean of what is known in each draw; NaN where that holds less weight than `least`."""
    known = np.isfinite(z)
    total = np.abs(weights) @ known
    value = weights @ np.where(known, z, 0.0) / np.where(total > 0, total, 1.0)
    return np.where(total >= least, value, np.nan)


def readable(table: SymptomTable, known: Collection[str]) -> frozenset[str]:
    """Symptoms of which enough is known, if every known readout differs between people."""
    found: set[str] = set()
    for symptom, rows in table.rows.items():
        weight = sum(abs(row.weight) for row in rows if row.source in found or row.source in known)
        if weight > 0 and weight >= LEAST * sum(abs(row.weight) for row in rows):
            found.add(symptom)
    return frozenset(found)


def similarity(profile: Mapping[str, float], others: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Cosine of a vector of effect sizes with each of others, over what both hold; never a diagnosis.

    Parameters
    ----------
    profile : mapping of str to float
        Effect size by symptom.
    others : mapping of str to such a mapping

    Returns
    -------
    dict
        Name -> cosine, the largest first; NaN where nothing is shared or a vector is 0.
    """
    found = {}
    for name, other in others.items():
        shared = [k for k in profile if k in other and np.isfinite(profile[k]) and np.isfinite(other[k])]
        a, b = (np.array([v[k] for k in shared]) for v in (profile, other))
        size = float(np.linalg.norm(a) * np.linalg.norm(b)) if shared else 0.0
        found[name] = float(a @ b) / size if size > 0 else float("nan")
    return dict(sorted(found.items(), key=lambda item: -item[1] if item[1] == item[1] else np.inf))
