"""Directional claims put to the model: every distinct perturbation solved once, every row judged."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synsys.core.connectome import Connectome
from synsys.core.errors import UserError
from synsys.knowledge.facts import Claim
from synsys.knowledge.load import read_claims
from synsys.knowledge.symptoms import symptoms
from synsys.measures.systems import graph_nulls
from synsys.mind.readouts import available
from synsys.mind.symptoms import told_by
from synsys.scales import baselines as guess
from synsys.scales import scoring
from synsys.scales.answers import ON_THE_WAY, RATIOS, Answers, Plan, computed, solve_plan
from synsys.scales.cascade import open_brain
from synsys.scales.questions import Question, State, Tables, ask, causes_of
from synsys.scales.runs import Runner
from synsys.scales.scorecard import print_claims

SCHEMA_VERSION = "1"
SAMPLE = 16
"""Most perturbations that the baseline of other perturbations samples."""
SIGNED = 4
"""Draws from which the sign of a wired effect is read; a row of unknown sign takes both in the first two."""
__all__ = ["ClaimsResult", "Row", "check_claims", "print_claims", "to_json"]


@dataclass(frozen=True)
class Row:
    """A judged claim.

    Attributes
    ----------
    claim : Claim
    expected, predicted : str or None
        Change as the file gives it; sign of the model's median effect (``+1``, ``-1``, ``0``).
    p_sign : float or None
        Probability of the expected sign, (n + 1/2) / (N + 1).
    d : float or None
        Median effect in healthy between-person standard deviations; of the larger effect where a claim is
        run both ways.
    verdict : str
        One of `scoring.VERDICTS`.
    reason : str
    """

    claim: Claim
    expected: str
    predicted: str | None
    p_sign: float | None
    d: float | None
    verdict: str
    reason: str


@dataclass(frozen=True)
class ClaimsResult:
    """Verdicts on a file of claims.

    Attributes
    ----------
    source, brain : str
    seed, draws, solved : int
        `solved`: distinct perturbations that were solved.
    rows : tuple of Row
        In the order of the file.
    distinct : tuple of Guess
        Distinct claims that were scored and whose role is evidence.
    comparisons : dict of str to Comparison
    same_whatever : float or None
        How often other perturbations give the readout the sign the model gives it, mean over claims.
    """

    source: str
    brain: str
    seed: int
    draws: int
    solved: int
    rows: tuple[Row, ...]
    distinct: tuple[scoring.Guess, ...]
    comparisons: dict[str, scoring.Comparison]
    same_whatever: float | None

    @property
    def totals(self) -> dict[str, dict[str, int]]:
        """Verdicts counted by role."""
        out: dict[str, Counter[str]] = {}
        for row in self.rows:
            out.setdefault(row.claim.test_role or "no role", Counter())[row.verdict] += 1
        return {role: {v: n[v] for v in scoring.VERDICTS if n[v]} for role, n in out.items()}

    @property
    def best_baseline(self) -> str | None:
        """The most accurate baseline."""
        return scoring.best(self.comparisons)

    @property
    def skill(self) -> float | None:
        """Accuracy minus that of the best baseline on the distinct claims where they disagree."""
        name = self.best_baseline
        return self.comparisons[name].skill if name else None

    @property
    def hits(self) -> int:
        """Distinct claims whose expected sign the model is sure of."""
        return sum(g.model == g.expected for g in self.distinct)


def check_claims(
    path: str | Path,
    brain: Connectome | str | Path | None = None,
    draws: int = 128,
    seed: int = 0,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ClaimsResult:
    """Score directional claims against the model, beside baselines that know nothing of it.

    A change of +1 or -1 is a factor of 1.25 or 0.8 on quantities measured against health, else one unit
    step; *present* is a disorder's profile, and `disorder_any` every profile, judged by the sign of all
    pooled; *altered* is run both ways and not scored (32 draws do for what is not scored). The condition of
    a claim is not used: perturbations act on the healthy brain.

    Parameters
    ----------
    path : path
        CSV in the form of the claims table (`synsys.knowledge.load.read_claims`).
    brain : Connectome or path, optional
        The embedded brain by default.
    draws : int
        Joint samples of calibration, links, maps and sizes.
    seed : int
    jobs : int, optional
        Processes; all cores by default.
    progress : callable, optional
        Called with (draws done, draws).

    Raises
    ------
    UserError
        If the file is malformed (naming line and column), before any work starts.
    """
    rows = read_claims(path)
    if not rows:
        raise UserError(f"{path}: holds no claims")
    if draws < 2:
        raise UserError(f"draws = {draws}: at least 2 are needed for a probability")
    runner = Runner(open_brain(brain), draws, seed, fine=False, jobs=jobs)
    known, fc = computed(runner)
    tables = Tables(runner.model, runner.draws[:SIGNED])
    questions = [ask(claim, known, tables) for claim in rows]
    plan, sample = _plan(runner, questions, fc)
    answers = solve_plan(runner, plan, progress)
    judged = tuple(judge(question, answers) for question in questions)
    distinct, comparisons, same = _score(questions, judged, answers, sample)
    return ClaimsResult(
        str(path), runner.model.brain.name, seed, draws, len(plan.states), judged, distinct, comparisons, same
    )


def _plan(runner: Runner, questions: Sequence[Question], fc: np.ndarray) -> tuple[Plan, tuple[State, ...]]:
    """Distinct states to solve, and those sampled for the baseline of other perturbations.

    What the mind does for claims that are no evidence is asked of the first draws alone.
    """
    first: dict[State, set[str]] = {}
    later: dict[State, set[str]] = {}
    wanted: set[str] = set()
    for question in questions:
        for state in () if question.settled else question.states:
            needed = _needed(question.readout)
            first.setdefault(state, set()).update(needed)
            evidence = question.claim.test_role not in scoring.NOT_EVIDENCE
            wanted |= needed if evidence else set()
            if question.expected is not None and question.change is not None:
                later.setdefault(state, set()).update(needed if evidence else needed - available())
    states = tuple(first)
    chosen = sorted(np.random.default_rng(runner.seed).permutation(len(states))[:SAMPLE])
    sample = tuple(states[i] for i in chosen)
    everything = set().union(*first.values()) if first else set()
    for state in sample:
        first[state] = first[state] | wanted
    nulls = graph_nulls(fc, runner.atlas, seed=runner.seed) if everything & set(RATIOS) else None
    return Plan(
        states,
        tuple(frozenset(first[state]) for state in states),
        tuple(frozenset(later.get(state, ())) for state in states),
        nulls,
    ), sample


def _needed(readout: str) -> frozenset[str]:
    """What has to be computed for a readout; a symptom needs to know which of its scores were lost."""
    table = symptoms()
    return told_by(table.sources(readout)) if readout in table.rows else frozenset({readout})


def judge(question: Question, answers: Answers) -> Row:
    """Verdict on one claim."""
    claim, states = question.claim, question.states

    def row(verdict: str, reason: str, predicted: int | None = None, p: float | None = None,
            d: float = np.nan) -> Row:  # fmt: skip
        return Row(
            claim,
            claim.change_to,
            scoring.sign_text(predicted),
            p,
            scoring.number_or_none(d),
            verdict,
            reason,
        )

    if question.settled:
        return row(question.settled, question.reason, question.wired or None)
    if all(map(answers.inert, states)):
        return row(scoring.ABSENT, f"{question.cause} moves nothing in the circuit: no link leads to it")
    if not any(map(answers.enough, states)):
        share = max(map(answers.stable, states))
        return row(scoring.UNSTABLE, f"stable in {share:.0%} of draws; {answers.instability(states[0])}")
    found = answers.effect(question.readout, states)
    if not np.isfinite(found["effect"]):
        return row(scoring.ABSENT, f"{question.readout} is not defined in the perturbed brain")
    if question.expected is None or question.change is None:
        ways = {_named(question, s): answers.effect(question.readout, [s]) for s in states}
        if question.change is not None:
            ways = {question.cause: found}
        told = [f"{name}: {_told(way)}" for name, way in ways.items()]
        largest = max((way["d"] for way in ways.values()), key=lambda d: abs(d) if np.isfinite(d) else -1.0)
        return row(scoring.UNSIGNED, "; ".join(told), d=largest)
    p = scoring.probability_of(question.expected, found["p_sign"])
    label = scoring.verdict(p, found["d"])
    return row(label, _why(question, label, found, answers), _direction(found), p, found["d"])


def _why(question: Question, label: str, found: dict[str, Any], answers: Answers) -> str:
    """What happened on the way to a readout, and what limits the verdict."""
    parts, states = [], question.states
    if label in (scoring.FAIL, scoring.UNDECIDED):
        moved = {name: answers.effect(name, states) for name in ON_THE_WAY if name != question.readout}
        told = sorted(
            (-abs(e["d"]), f"{name} {_size(e)}") for name, e in moved.items() if abs(e["d"]) >= scoring.SMALL
        )
        way = ", ".join(text for _, text in told[:3]) or "nothing else moves"
        parts.append(f"{question.readout} {_size(found)}; on the way {way}")
    if label == scoring.NEGLIGIBLE:
        parts.append(f"|d| < {scoring.SMALL:g}")
    worst = min(states, key=answers.stable)
    if answers.stable(worst) < 1:
        parts.append(f"stable in {answers.stable(worst):.0%} of draws ({answers.instability(worst)})")
    if len(states) > 1:
        parts.append(f"{len(states)} disorder profiles pooled")
    if question.claim.test_role == "emergent_timing":
        parts.append("its timing is not tested")
    return "; ".join(parts)


def _named(question: Question, state: State) -> str:
    return question.cause if question.change == 0 else ", ".join(map(str, state))


def _direction(effect: dict[str, Any]) -> int:
    """Sign of a median effect."""
    return int(np.sign(effect["log_ratio"] if np.isfinite(effect["log_ratio"]) else effect["effect"]))


def _told(effect: dict[str, Any]) -> str:
    """An effect whose sign nobody predicted."""
    if not np.isfinite(effect["effect"]):
        return "unstable"
    d = f", d {effect['d']:+.2f}" if np.isfinite(effect["d"]) else ""
    return f"{_size(effect)}{d}, P(+) {effect['p_sign']:.2f}"


def _size(effect: dict[str, Any]) -> str:
    """An effect in percent, or in its unit."""
    if np.isfinite(effect["log_ratio"]):
        return f"{100 * np.expm1(effect['log_ratio']):+.1f} %"
    return f"{effect['effect']:+.3g}"


def _score(
    questions: Sequence[Question], rows: Sequence[Row], answers: Answers, sample: Sequence[State]
) -> tuple[tuple[scoring.Guess, ...], dict[str, scoring.Comparison], float | None]:
    """Model and baselines on the distinct scored claims whose role is evidence."""
    signed = [
        (q.key, q.readout, q.expected) for q in questions if q.expected is not None and q.change is not None
    ]
    causes: dict[State, set[str]] = {}
    for question in questions:
        for state in question.states:
            causes.setdefault(state, set()).add(question.cause)
    signs: dict[tuple[str, State], int] = {}
    guesses: dict[tuple, scoring.Guess] = {}
    shares = []
    for question, row in zip(questions, rows, strict=True):
        if row.verdict not in scoring.SCORED or row.claim.test_role in scoring.NOT_EVIDENCE:
            continue
        if question.key in guesses or question.expected is None:
            continue
        others = [s for s in sample if s not in question.states and question.cause not in causes[s]]
        for state in others:
            if (question.readout, state) not in signs:
                effect = answers.effect(question.readout, [state])
                signs[question.readout, state] = _direction(effect) if np.isfinite(effect["effect"]) else 0
        there = [signs[question.readout, state] for state in others]
        own = int(row.predicted or 0)
        shares += [sum(s == own for s in there) / len(there)] if own and there else []
        guesses[question.key] = scoring.Guess(
            question.expected,
            scoring.decided(row.verdict, question.expected),
            {
                guess.MAJORITY: guess.majority_sign(question.readout, question.key, signed),
                guess.PATHS: guess.path_sign(causes_of(question), question.readout),
                guess.OTHERS: guess.most(there),
            },
        )
    distinct = tuple(guesses.values())
    comparisons = {name: scoring.compare(distinct, name) for name in guess.BASELINES}
    return distinct, comparisons, float(np.mean(shares)) if shares else None


def to_json(result: ClaimsResult) -> str:
    """A result as JSON: ``schema_version, seed, rows, totals, baselines, skill``."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "seed": result.seed,
        "rows": [
            {
                "id": row.claim.id, "role": row.claim.test_role, "expected": row.expected,
                "predicted": row.predicted, "p_sign": row.p_sign, "d": row.d, "verdict": row.verdict,
                "reason": row.reason,
            }
            for row in result.rows
        ],
        "totals": result.totals,
        "baselines": {
            name: {
                "accuracy": c.accuracy, "answered": c.answered, "disagree": c.disagree,
                "model_accuracy_there": c.model_there, "baseline_accuracy_there": c.baseline_there,
                "skill": c.skill,
            }
            for name, c in result.comparisons.items()
        },
        "skill": result.skill,
    }  # fmt: skip
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
