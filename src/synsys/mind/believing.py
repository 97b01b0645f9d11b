"""An observer with given parameters of inference in simulated worlds: numbers, news, threat, rewards, tones.

Worlds and their trials come from a seed and are the same for every observer. The observer's parameters are
factors on those of a healthy one (`mind.coupling.Inference`); constants below are declared, chosen for the
performance of healthy people that is named beside them.
"""

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import numpy as np

from synsys.mind import hgf
from synsys.mind.coupling import Inference
from synsys.mind.model import sigmoid

PEOPLE = 16
"""Sequences of trials over which a score is averaged."""
BLOCK, SHIFTED, EVERY = 80, 3.0, 16
"""Trials of each block; size of the jumps of the mean in the volatile block, sd of outcomes; trials between
them."""
SENSES = 0.25
"""Variance that healthy senses add to an outcome of variance 1 (declared)."""
OMEGA, THETA = -6.0, 0.3
"""Tonic log volatility and variance of the steps of log volatility of a healthy observer (declared: among the
most accurate in this world, with learning rates of about 0.2 in the stable and 0.3 in the volatile block;
people learn faster in volatile worlds, Behrens et al. 2007, Nat Neurosci 10:1214)."""
GENERAL = 0.2
"""Precision of what is generally expected, whatever was seen, per variance of outcomes (declared)."""


@dataclass(frozen=True)
class Course:
    """What an observer of numbers believed, (T, `PEOPLE`) each.

    Attributes
    ----------
    outcome, mean : ndarray
        What happened, and what it varied about.
    expectation : ndarray
        Before each outcome.
    error, weight : ndarray
        Prediction error, and the share of it that the belief took over.
    """

    outcome: np.ndarray
    mean: np.ndarray
    expectation: np.ndarray
    error: np.ndarray
    weight: np.ndarray

    @property
    def log_score(self) -> float:
        """Mean log density of outcomes under normal predictions at the expectations, with their own sd."""
        return float(-0.5 * (np.log(2 * np.pi * ((self.outcome - self.expectation) ** 2).mean()) + 1.0))


@cache
def world(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, outcomes and errors of the senses (unit variance) of a stable, then a volatile block, (T, P)."""
    rng = np.random.default_rng((seed, 11))
    start = rng.integers(0, 2, PEOPLE)
    jumps = (np.arange(BLOCK)[:, None] // EVERY + start) % 2
    mean = np.concatenate([np.zeros((BLOCK, PEOPLE)), SHIFTED * (2.0 * jumps - 1.0)])
    outcome = mean + rng.standard_normal(mean.shape)
    return mean, outcome, rng.standard_normal(mean.shape)


def follow(found: Inference, seed: int) -> Course:
    """Predict a number that is stable, then jumps (Nassar et al. 2010, J Neurosci 30:12366).

    A continuous filter of two levels (`mind.hgf`, eHGF) tracks the mean. The ratio of sensory to prior
    precision scales the precision that it gives to inputs; a general expectation of precision `GENERAL`,
    `prior_bias` below zero, is combined with what was learned. The senses add noise.
    """
    mean, outcome, noise = world(seed)
    seen = outcome + np.sqrt(SENSES * found.sensory_noise) * noise
    trust = found.sensory_precision / found.prior_precision
    p = SimpleNamespace(**{
        **hgf.CONTINUOUS, "pi_u": trust / (1.0 + SENSES), "omega1": OMEGA + found.tonic_volatility,
        "theta": THETA, "sa1_0": 0.5, "sa2_0": 0.5, "mu2_0": 3.0,
    })  # fmt: skip
    s = SimpleNamespace(**{k: np.full(PEOPLE, v) for k, v in hgf.continuous_start(p).items()})
    columns = []
    for u in seen:
        hat = hgf.continuous_prediction(s, p)
        share = hat.pihat1 / (hat.pihat1 + GENERAL)
        expected = share * hat.muhat1 - (1.0 - share) * found.prior_bias
        columns.append((expected, u - expected, p.pi_u / (hat.pihat1 + p.pi_u)))
        s = SimpleNamespace(**hgf.continuous_update(s, u, p, enhanced=True))
    expectation, error, weight = (np.array(c) for c in zip(*columns, strict=True))
    return Course(outcome, mean, expectation, error, weight)


def update_rates(course: Course) -> tuple[float, float]:
    """Share of prediction errors that the expectation takes over, in the stable and in the volatile block.

    Slope through the origin of the change of the expectation on the error.
    """
    change, error = np.diff(course.expectation, axis=0), course.error[:-1]
    blocks = slice(10, BLOCK - 1), slice(BLOCK, None)
    return tuple(float((change[b] * error[b]).sum() / (error[b] ** 2).sum()) for b in blocks)  # type: ignore[return-value]


NEWS = np.array([0.5, 1.0, 1.5])
"""Distance of news from the truth about average, in sd of what people estimate."""
RELIABLE, LOOSE = 0.8, 25.0
"""Prior probability that news is reliable; variance of news that is not (declared)."""
EVIDENCE = 0.6
"""Odds of the share of an estimate that healthy people change on news (about 0.4; Sharot et al. 2011, Nat
Neurosci 14:1475, from memory)."""


def news(found: Inference) -> tuple[float, float]:
    """Share of good and of bad news that goes into an estimate.

    An estimate N(-bias, 1) meets news u. If it is reliable, the share EVIDENCE/(1 + EVIDENCE) in health is
    taken over, its odds scaled with the ratio of sensory to prior precision and with the learning rate for
    its sign; news that is hard to believe from where one stands may not be reliable (Gershman 2019, Psychon
    Bull Rev 26:13; the tipping point of Kube et al. 2022, Clin Psychol Sci, doi 10.1177/21677026211024644).
    """
    shares = []
    trust = found.sensory_precision / found.prior_precision
    for sign, rate in ((1, found.reward_learning_rate), (-1, found.punishment_learning_rate)):
        odds = EVIDENCE * trust * rate
        distance = (sign * NEWS + found.prior_bias) * np.sqrt(found.prior_precision)
        near, far = (np.exp(-0.5 * distance**2 / v) / np.sqrt(v) for v in (1.0 + 1.0 / EVIDENCE, 1.0 + LOOSE))
        believed = RELIABLE * near / (RELIABLE * near + (1.0 - RELIABLE) * far)
        shares.append(float((believed * odds / (1.0 + odds)).mean()))
    return shares[0], shares[1]


SHOCKS, CERTAIN, FEARED = 0.25, 8.0, 0.5
"""Share of cues that a shock follows; weight, in trials, of what a healthy person expects of a new cue; and
that expectation (declared)."""
TOLERATED, SHARPNESS = 0.4, 10.0
"""Expected threat at which a cue is avoided as often as not; slope of avoidance (declared)."""
TRIALS = 40


@cache
def shocks(seed: int) -> np.ndarray:
    """Shocks after a cue, (TRIALS, PEOPLE), in shuffled order: the same number for everybody."""
    rng = np.random.default_rng((seed, 12))
    order = rng.permuted(np.tile(np.arange(TRIALS)[:, None], (1, PEOPLE)), axis=0)
    return np.asarray(order < SHOCKS * TRIALS, float)


def threat(found: Inference, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected threat, weight of each error and probability of avoidance, (TRIALS, PEOPLE).

    A Beta belief of the weight CERTAIN in health, scaled by the precision of threat priors; `prior_bias`
    raises what is expected.
    """
    happened = shocks(seed)
    weight = CERTAIN * found.threat_prior_precision
    start = np.clip(FEARED + 0.1 * found.prior_bias, 0.01, 0.99)
    seen = np.arange(TRIALS)[:, None]
    before = np.cumsum(happened, axis=0) - happened
    expected = (weight * start + before) / (weight + seen)
    rate = np.broadcast_to(1.0 / (weight + seen + 1.0), expected.shape)
    slope = SHARPNESS * found.inverse_temperature
    return expected, rate, sigmoid(slope * (expected - TOLERATED))


RELEVANT, IRRELEVANT = (0.875, 0.125), (0.5, 0.5)
"""Reward after either feature of the relevant and of the irrelevant dimension (Roiser et al. 2009,
Psychol Med 39:199)."""
LEARNING = 0.15
"""Odds of the share of a prediction error of reward that healthy people learn (declared)."""
CUES = 64


@cache
def _rewards(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features shown on both dimensions and rewards, (CUES, people)."""
    rng = np.random.default_rng((seed, 13))
    first, second = (rng.integers(0, 2, (CUES, 8 * PEOPLE)) for _ in range(2))
    reward = rng.random(first.shape) < np.array(RELEVANT)[first]
    return first, second, reward.astype(float)


def rates(found: Inference) -> tuple[float, float]:
    """Learning rates of rewards better and worse than expected."""
    trust = found.sensory_precision / found.prior_precision
    odds = LEARNING * trust * np.array([found.reward_learning_rate, found.punishment_learning_rate])
    better, worse = odds / (1.0 + odds)
    return float(better), float(worse)


def salience(found: Inference, seed: int) -> tuple[float, float]:
    """Salience of irrelevant features, and how clearly relevant ones stand out.

    Values of every feature are learned from reward (Rescorla-Wagner, two rates). Aberrant salience is the
    absolute difference of values of the irrelevant features over the second half, in units of a reward;
    clearness the mean difference of the relevant ones over its standard deviation.
    """
    better, worse = rates(found)
    value = np.full((2, 2, 8 * PEOPLE), 0.5)
    people, kept = np.arange(8 * PEOPLE), []
    first, second, reward = _rewards(seed)
    for a, b, r in zip(first, second, reward, strict=True):
        for dimension, feature in enumerate((a, b)):
            error = r - value[dimension, feature, people]
            value[dimension, feature, people] += np.where(error > 0, better, worse) * error
        kept.append(value[:, 0] - value[:, 1])
    late = found.reward_gain * np.array(kept[CUES // 2 :])
    relevant = late[:, 0]
    return float(np.abs(late[:, 1]).mean()), float(relevant.mean() / relevant.std())


CHOICES, BETTER = 60, (0.75, 0.25)
SENSITIVITY = 4.0
"""Inverse temperature of healthy choices per unit of reward (declared)."""


@cache
def _luck(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng((seed, 14))
    return rng.random((CHOICES, 8 * PEOPLE)), rng.random((CHOICES, 2, 8 * PEOPLE))


def bandit(found: Inference, seed: int) -> float:
    """Share of choices of the better of two options, rewarded in 75 and 25 % of trials (chance 0.5)."""
    better, worse = rates(found)
    chooses, pays = _luck(seed)
    value, people, good = np.full((2, 8 * PEOPLE), 0.5), np.arange(8 * PEOPLE), 0.0
    slope = SENSITIVITY * found.inverse_temperature * found.reward_gain
    for u, paid in zip(chooses, pays, strict=True):
        taken = (u > sigmoid(slope * (value[0] - value[1]))).astype(int)
        reward = paid[taken, people] < np.array(BETTER)[taken]
        error = reward - value[taken, people]
        value[taken, people] += np.where(error > 0, better, worse) * error
        good += float((taken == 0).mean())
    return good / CHOICES


HEARD, EXPECTED_WEIGHT = 1.5, 0.5
"""Strength of a tone at threshold in sd of healthy hearing (three of four are heard without bias); weight of
what a cue predicts against what is heard, in health (declared)."""
CRITERION, JITTER = 0.5, 0.3
"""Percept that is reported as a tone, share of the strength of one (the criterion between tone and silence
that favours neither); sd of the criterion (declared)."""
PAIRS = 60


@cache
def tones(seed: int) -> np.ndarray:
    """Whether a tone followed the cue, (PAIRS, PEOPLE): in three of four trials, in shuffled order."""
    rng = np.random.default_rng((seed, 15))
    order = rng.permuted(np.tile(np.arange(PAIRS)[:, None], (1, PEOPLE)), axis=0)
    return np.asarray(order < 0.75 * PAIRS, float)


def hallucination(found: Inference, seed: int) -> tuple[float, float]:
    """Probability to report an absent tone after its cue, and weight of the expected against the heard.

    A binary filter (`mind.hgf`) learns how often the tone follows its cue. What is perceived is the mean of
    what is heard and what is expected, weighted by their precisions; hearing is noisy, and so is report.
    """
    weight = EXPECTED_WEIGHT * found.prior_precision / found.sensory_precision
    p = SimpleNamespace(**{**hgf.DEFAULTS, "omega2": -2.5 + found.tonic_volatility})
    s = SimpleNamespace(**{k: np.full(PEOPLE, v) for k, v in hgf.binary_start(p, 2).items()})
    happened, reported = tones(seed), []
    spread = np.hypot(
        np.sqrt(found.sensory_noise) / (1.0 + weight), JITTER / np.sqrt(found.inverse_temperature)
    )
    for heard in happened:
        expected = HEARD * hgf.binary_prediction(s, p).muhat1
        percept = weight / (1.0 + weight) * expected
        reported.append(_above((percept - CRITERION * HEARD) / spread))
        s = SimpleNamespace(**hgf.binary_update(s, heard, p))
    silent = happened == 0
    return float(np.array(reported)[silent].mean()), float(weight)


def _above(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(ndtr(z))
