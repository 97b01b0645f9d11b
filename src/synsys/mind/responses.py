"""Response models: from beliefs and values to the log-probabilities of options."""

import numpy as np

from synsys.mind.model import Array, log_softmax


def unit_square(belief: Array, zeta: Array) -> Array:
    """Unit-square sigmoid: choice of 0 or 1 from the probability that 1 is right.

    p(1) = b^zeta / (b^zeta + (1 - b)^zeta) (Mathys et al. 2011, Front Hum Neurosci 5:39).

    Parameters
    ----------
    belief : array
        b, between 0 and 1.
    zeta : array, > 0
        Inverse decision temperature.

    Returns
    -------
    array, (2, ...)
        Log-probabilities.
    """
    b = np.minimum(np.maximum(belief, 1e-12), 1.0 - 1e-12)
    return log_softmax(np.stack([zeta * np.log(1.0 - b), zeta * np.log(b)]))


def unit_square_odds(odds: Array, zeta: Array) -> Array:
    """The same from the log odds of the belief, x = log(b / (1 - b)): p(1) = 1 / (1 + exp(-zeta x)).

    Parameters
    ----------
    odds : array
        x.
    zeta : array, > 0

    Returns
    -------
    array, (2, ...)
        Log-probabilities.
    """
    z = zeta * odds
    rest = np.log(1.0 + np.exp(-np.absolute(z)))
    return np.stack([np.minimum(-z, 0.0) - rest, np.minimum(z, 0.0) - rest])


def softmax(values: Array, beta: Array, last: Array = 0.0, stickiness: Array = 0.0) -> Array:
    """Softmax of values, with a bonus for the option taken last.

    Parameters
    ----------
    values : array, (options, ...)
    beta : array
        Inverse temperature.
    last : array, (options, ...)
        1 for the option of the trial before.
    stickiness : array
        Bonus of that option, in units of log odds.
    """
    return log_softmax(beta * values + stickiness * last)


def with_lapse(log_p: Array, lapse: Array) -> Array:
    """Log-probabilities if a share `lapse` of choices is random, (options, ...)."""
    return np.log((1.0 - lapse) * np.exp(log_p) + lapse / len(log_p))
