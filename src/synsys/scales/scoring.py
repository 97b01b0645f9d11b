"""Verdicts on directional claims, and what a score is worth: pure functions of signs and probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, sqrt

PASS, FAIL, UNDECIDED, NEGLIGIBLE = "pass", "fail", "not significant", "negligible"
CONSTRUCTED, ABSENT, UNSTABLE = "by construction", "not represented", "unstable"
CIRCULAR = "by construction: circular"
"""The cause is itself a source of the symptom that it is said to bring about."""
UNSIGNED, UNSCORED = "not scored: unsigned", "not scored"
VERDICTS = (PASS, FAIL, UNDECIDED, NEGLIGIBLE, CONSTRUCTED, CIRCULAR, ABSENT, UNSTABLE, UNSIGNED, UNSCORED)
SCORED = (PASS, FAIL, UNDECIDED, NEGLIGIBLE)
"""Verdicts on a sign that the model computed and was free to miss."""
SURE = 0.9
"""P(expected sign) from which a claim passes; at 1 - SURE and below it fails."""
SMALL = 0.1
"""|d| below which an effect is negligible, whatever its sign."""
NOT_EVIDENCE = ("wiring", "prior_only", "definitional", "symptom_map")
"""Roles that never count as validation: inputs of the model, definitions, and circular symptom maps."""


def sign_of(text: str) -> int | None:
    """+1 or -1 for a change given as a sign, None for any other text."""
    plain = text.strip().replace("\N{MINUS SIGN}", "-")
    return {"+1": 1, "1": 1, "-1": -1}.get(plain)


def sign_text(sign: int | None) -> str | None:
    """A sign as claims write it: ``+1``, ``-1`` or ``0``."""
    return None if sign is None else {1: "+1", -1: "-1", 0: "0"}[sign]


def verdict(p: float, d: float) -> str:
    """Verdict on a signed claim.

    Parameters
    ----------
    p : float
        Probability of the expected sign, 0 to 1.
    d : float
        Effect in healthy between-person standard deviations; NaN where that spread is unknown, and then
        nothing is called negligible.
    """
    if abs(d) < SMALL:
        return NEGLIGIBLE
    if p >= SURE:
        return PASS
    return FAIL if p <= 1 - SURE + 1e-12 else UNDECIDED


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a binomial proportion (Wilson 1927, J Am Stat Assoc 22:209); (0, 1) at n = 0."""
    if n == 0:
        return 0.0, 1.0
    share, extra = hits / n, z * z / n
    middle = (share + extra / 2) / (1 + extra)
    half = z * sqrt(share * (1 - share) / n + extra / (4 * n)) / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Guess:
    """One distinct claim that was scored, with what the model and each baseline say.

    Parameters
    ----------
    expected : {-1, +1}
    model : {-1, 0, +1}
        Sign the model is sure of; 0 where it is negligible or not significant.
    baselines : mapping of str to {-1, 0, +1}
        0 where a baseline has nothing to say.
    """

    expected: int
    model: int
    baselines: Mapping[str, int]


def decided(label: str, expected: int) -> int:
    """The sign behind a verdict: the expected one, its opposite, or 0."""
    return {PASS: expected, FAIL: -expected}.get(label, 0)


def accuracy(signs: Sequence[int], expected: Sequence[int]) -> float | None:
    """Share of signs that are as expected; no sign (0) counts as wrong; None for nothing to score."""
    if not expected:
        return None
    return sum(s == e for s, e in zip(signs, expected, strict=True)) / len(expected)


@dataclass(frozen=True)
class Comparison:
    """A baseline beside the model, on the same distinct claims.

    Parameters
    ----------
    accuracy : float or None
        Of the baseline, over all claims.
    answered : int
        Claims on which the baseline gives a sign.
    disagree : int
        Claims on which model and baseline give different answers.
    model_there, baseline_there : float or None
        Accuracy of each on those.
    """

    accuracy: float | None
    answered: int
    disagree: int
    model_there: float | None
    baseline_there: float | None

    @property
    def skill(self) -> float | None:
        """Accuracy of the model minus that of the baseline where they disagree."""
        if self.model_there is None or self.baseline_there is None:
            return None
        return self.model_there - self.baseline_there


def compare(guesses: Sequence[Guess], baseline: str) -> Comparison:
    """Set a baseline against the model."""
    apart = [g for g in guesses if g.model != g.baselines[baseline]]
    return Comparison(
        accuracy([g.baselines[baseline] for g in guesses], [g.expected for g in guesses]),
        sum(g.baselines[baseline] != 0 for g in guesses),
        len(apart),
        accuracy([g.model for g in apart], [g.expected for g in apart]),
        accuracy([g.baselines[baseline] for g in apart], [g.expected for g in apart]),
    )


def best(comparisons: Mapping[str, Comparison]) -> str | None:
    """The most accurate baseline; the first of equals, None if nothing was scored."""
    known = {name: c.accuracy for name, c in comparisons.items() if c.accuracy is not None}
    return max(known, key=lambda name: known[name]) if known else None


def probability_of(expected: int, p_up: float) -> float:
    """P(expected sign) from the probability that the effect is positive."""
    return p_up if expected > 0 else 1.0 - p_up


def number_or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return None if isnan(value) else float(value)
