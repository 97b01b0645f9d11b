"""Tones that one makes oneself: N100 suppression as a prediction error that an efference copy makes smaller.

A press promises a tone. Silence is expected with precision 1, the efference copy tells of a tone (1) with
precision p; what is expected before the tone is the mean of both, k = p / (1 + p) (the posterior of one
cause, `predictive_coding.posterior`). The tone's prediction error is then 1 - k of that of a tone that nobody
promised. With A the N100 of played-back tones and M what the press adds by itself (in uV, N100 negative),

    press and tone:  A (1 - k) + M,       playback:  A,       press alone:  M,

and P = -k A is the suppression in uV. If the promise is learned with rate a over presses (the first is a
surprise), k grows as k (1 - (1 - a)^(t - 1)) over trials t; adaptation is another account, in which all tones
of a block are answered less and less.
"""

from dataclasses import dataclass, field

import numpy as np

from synsys.mind.predictive_coding import Hierarchy, posterior

PRESS_TONE, PLAYBACK, PRESS = 1, 2, 3
"""Conditions."""
FADING = 20.0
"""Trials over which responses adapt within a block, in the account by adaptation (declared)."""


def promised(precision: np.ndarray | float) -> np.ndarray:
    """Tone that is expected after a press, k, from the efference copy's precision relative to silence."""
    p = np.atleast_1d(np.asarray(precision, float))[..., None]
    silence = Hierarchy([np.eye(1)], [p, np.ones(1)], np.zeros((*p.shape[:-1], 1)))
    return posterior(silence, np.ones_like(p)).states[0][..., 0]


def relative_precision(share: np.ndarray | float) -> np.ndarray:
    """Precision of the efference copy that gives a share of suppression, its inverse: k / (1 - k)."""
    share = np.asarray(share, float)
    return share / (1.0 - share)


@dataclass(frozen=True)
class Account:
    """An account of the three conditions as a design for `single_trials`.

    Attributes
    ----------
    name : str
    prediction : {"none", "own", "one"}
        No suppression; each person's own (uV); or one share k for everybody.
    motor : bool
        Whether a press adds a potential of its own.
    rate : float or None
        Learning rate of the promise; None: known from the start.
    adapting : bool
        Whether responses to tones adapt over trials.
    share : float
        k, where it is one for everybody.
    """

    name: str
    prediction: str = "none"
    motor: bool = True
    rate: float | None = None
    adapting: bool = False
    share: float = field(default=0.0)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        own = self.prediction == "own"
        return ("tone", *("motor",) * self.motor, *("prediction",) * own, *("adaptation",) * self.adapting)

    def design(self, condition: np.ndarray, trial: np.ndarray) -> np.ndarray:
        """Design of trials (n,) of given conditions and numbers (from 1), (n, q)."""
        both, tone = condition == PRESS_TONE, condition != PRESS
        known = np.ones(len(trial)) if self.rate is None else 1.0 - (1.0 - self.rate) ** (trial - 1.0)
        share = self.share if self.prediction == "one" else 0.0
        out = [np.where(tone, 1.0 - share * both * known, 0.0)]
        if self.motor:
            out.append((condition != PLAYBACK).astype(float))
        if self.prediction == "own":
            out.append(both * known)
        if self.adapting:
            out.append(tone * np.exp(-(trial - 1.0) / FADING))
        return np.stack(out, -1)
