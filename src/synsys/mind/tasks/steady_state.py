"""Auditory steady-state response: entrainment of auditory cortex to trains of clicks.

Clicks make the rate of relay cells follow the train, r(t) = r + 2 a cos(w t) + ..., with a the mean rate
that the clicks add (the fundamental of a train of brief volleys). To first order auditory cortex then
oscillates as v(t) = Re(A exp(i w t)), with A from the linear whole brain, exact with delays.

A trial of length T gives the Fourier coefficient A/2 + n, where n is circular complex Gaussian with
E|n|^2 = S(w) / T for ongoing activity of two-sided density S, that of the brain and of muscles. With
rho = |A/2|^2 T / S, the resultant of its phases over many trials (inter-trial coherence, phase-locking
factor; Tallon-Baudry et al. 1996, J Neurosci 16:4240) is the mean cosine of a phase of Rice's distribution,

    ITC = sqrt(pi rho) / 2 exp(-rho / 2) [I0(rho / 2) + I1(rho / 2)].
"""

import numpy as np
from scipy.special import i0e, i1e

from synsys.brain.linear import angular
from synsys.brain.spectra import Response, respond
from synsys.brain.state import State
from synsys.circuit.linear import LocalTransfer
from synsys.measures.systems import Atlas
from synsys.mind.tasks.auditory import AuditoryCortex, auditory_cortex
from synsys.mind.tasks.record import Score, Task

FREQUENCIES = np.array([20.0, 40.0, 80.0])
"""Click rates, Hz (Parker et al. 2019; 20 to 40 Hz in Kwon et al. 1999)."""
CLICKS = 2e-3
"""Mean rate that clicks add to relay cells, 1/ms (declared)."""
MUSCLE = 0.055
"""Two-sided density of what muscles add to a recording, mV^2 / Hz at the source (declared): ten times the
median healthy density of auditory cortex at 40 Hz. Most of the scalp's EEG above 20 Hz is of muscles;
paralysis lowers it 10- to 200-fold (Whitham et al. 2007, Clin Neurophysiol 118:1877)."""
TRIAL = 500.0
"""Length of a train, ms (500 ms, for example Parciauskaite et al. 2019, PLoS ONE 14:e0223127)."""


def run(state: State, atlas: Atlas, seed: int = 0) -> dict[str, float]:
    """Scores of one state; empty if this brain has no auditory cortex. Nothing is random in it."""
    cortex = auditory_cortex(state, atlas)
    if cortex is None:
        return {}
    response = respond(state.linear, FREQUENCIES)
    amplitude = entrained(cortex, response)
    power = 0.5 * np.abs(amplitude) ** 2  # mean square of the oscillation
    locking = phase_locking(amplitude, ongoing(cortex, response) + MUSCLE)
    at = {f: float(np.exp(np.log(row).mean())) for f, row in zip(FREQUENCIES, power, strict=True)}
    return {
        "assr_power": at[40.0],
        "assr_phase_locking": float(locking[FREQUENCIES == 40.0].mean()),
        "assr_20hz_power": at[20.0],
        "assr_80hz_power": at[80.0],
    }


def entrained(cortex: AuditoryCortex, response: Response, clicks: float = CLICKS) -> np.ndarray:
    """Amplitude of the potential of E cells of auditory cortex, (F, n), mV, complex.

    Parameters
    ----------
    cortex : AuditoryCortex
    response : Response
        Of its state, at the click rates.
    clicks : float
        Mean rate that the clicks add, 1/ms.
    """
    at = np.searchsorted(response.core_sources, cortex.sources)
    own = alone(cortex, response.local, response.frequency, clicks)
    return (response.inverse[:, at[:, None], at] @ own[..., None])[..., 0]


def alone(
    cortex: AuditoryCortex, local: LocalTransfer, frequency: np.ndarray, clicks: float = CLICKS
) -> np.ndarray:
    """The same of each region by itself, without what other regions send back, (F, n), mV, complex."""
    omega = angular(frequency)
    slope = cortex.steady(1e-30j).imag / 1e-30  # gating per rate, (2, s)
    gating = 2 * clicks * slope[:, None] / (1 + 1j * omega[:, None] * cortex.decay[:, None])  # (2, F, s)
    into = (local.enter[:, cortex.nodes] * cortex.conductance(gating).swapaxes(1, 2)).sum(2)  # (F, n, 3)
    return (local.inv[:, cortex.nodes, 0] * into).sum(-1)


def ongoing(cortex: AuditoryCortex, response: Response) -> np.ndarray:
    """Two-sided density of the ongoing potential of the same cells, (F, n), mV^2 / Hz."""
    weights = np.zeros((len(cortex.sources), len(cortex.state.healthy.wiring.source_node)))
    weights[np.arange(len(cortex.sources)), cortex.sources] = 1.0
    return response.power(weights)


def phase_locking(amplitude: np.ndarray, density: np.ndarray, trial: float = TRIAL) -> np.ndarray:
    """Inter-trial coherence of an oscillation in Gaussian noise, between 0 and 1.

    Parameters
    ----------
    amplitude : ndarray
        Of the oscillation, any unit; may be complex.
    density : ndarray
        Two-sided density of the noise at its frequency, unit^2 / Hz.
    trial : float
        Length of a trial, ms.
    """
    rho = 0.25 * np.abs(amplitude) ** 2 * 1e-3 * trial / density
    return np.sqrt(np.pi * rho) / 2 * (i0e(rho / 2) + i1e(rho / 2))


TASK = Task(
    "steady_state",
    (
        Score("assr_power", 0.0, None, 1),
        Score("assr_phase_locking", 0.0, 1.0, 1),
        Score("assr_20hz_power", 0.0, None, 0),
        Score("assr_80hz_power", 0.0, None, 0),
    ),
    run,
    "Trains of clicks at 20, 40 and 80 Hz, 500 ms each; evoked power and phase locking across trials at the "
    "click rate, of the potential of pyramidal cells of auditory cortex as recorded from the scalp.",
    "Kwon et al. 1999 Arch Gen Psychiatry 56:1001; Thuné et al. 2016 JAMA Psychiatry 73:1145",
)
