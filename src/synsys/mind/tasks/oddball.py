"""Auditory oddball: mismatch negativity from adaptation of afferents and from a learned prediction.

Frequent and rare tones arrive over afferents of their own. Two things set a standard apart from a deviant,
both needed to explain the human response, and ketamine acts on the second (Schmidt et al. 2012, Cereb
Cortex 23:2394):

- *Adaptation.* Each tone uses the fraction U of the transmitter that its afferents hold, which recovers
  with time constant tau (Tsodyks & Markram 1997, PNAS 94:719). From tone to tone,
  x' = 1 - (1 - x (1 - U)) exp(-interval / tau), whose fixed point is x = (1 - k) / (1 - (1 - U) k).
- *Prediction.* Repetition teaches NMDA synapses onto inhibitory cells to expect the standard (prediction
  learned by NMDA receptors and exerted through inhibition: Wacongne et al. 2012, J Neurosci 32:3665;
  inhibitory cells hold back responses to frequent tones: Natan et al. 2015, eLife 4:e09868). With the
  expected tone they bring `PREDICTION` times the NMDA conductance that E cells of the region bring to these
  cells at rest. This coupling is ours (grade C); that it is learned is taken for granted.

Each tone is an integration of the state's own equation (`circuit.drift`) for auditory cortex, input from all
other regions held at rest. The potential of E cells is scored. At the scalp its sign is that of the dipole
(negative over the front); here a larger response to the deviant is positive.
"""

import numpy as np

from synsys.brain.state import State
from synsys.circuit.drift import STATE, drift, sigmoid
from synsys.circuit.linear import SLOW
from synsys.measures.systems import Atlas
from synsys.mind.tasks.auditory import AuditoryCortex, auditory_cortex, parameters_of
from synsys.mind.tasks.record import Score, Task

ONSET, TONE = 10.0, 100.0
"""Onset in the epoch and length of a tone, ms (declared; usual 50 to 100)."""
INTERVAL = 500.0
"""From onset to onset, ms (declared; usual)."""
RARE = 0.1
"""Share of deviants (declared; usual)."""
ADDED = 20e-3
"""Rate that a tone adds to relay cells before adaptation, 1/ms (declared)."""
RAMP = 2.0
"""Steepness of rise and fall of that rate, ms (declared)."""
RELEASED = 0.5
"""U: fraction of transmitter that a tone uses (Tsodyks & Markram 1997)."""
RECOVERY = 800.0
"""Time constant of its recovery, ms (Tsodyks & Markram 1997)."""
PREDICTION = 1.0
"""Learned NMDA conductance onto inhibitory cells, multiples of that of local E cells at rest (declared)."""
INHIBITORY = np.array([0.0, 1.0, 1.0])
"""Cells that a prediction drives: PV and SST."""
EPOCH, STEP = 160.0, 1.0
"""Length and step of the integration, ms; responses are means from onset to its end."""


def run(state: State, atlas: Atlas, seed: int = 0) -> dict[str, float]:
    """Scores of one state; empty if this brain has no auditory cortex. Nothing is random in it.

    Repetition suppression is absent where even rare tones are not answered with more than rest.
    """
    cortex = auditory_cortex(state, atlas)
    if cortex is None:
        return {}
    fresh, worn = left(cortex, RARE), left(cortex, 1.0 - RARE)
    waves = evoked(cortex, np.array([fresh, worn, worn]), np.array([0.0, 0.0, PREDICTION]))
    deviant, unpredicted, standard = size(waves)
    scores = {
        "mmn_amplitude": float(deviant - standard),
        "mmn_prediction": float(unpredicted - standard),
        "repetition_suppression": float(1.0 - standard / deviant) if deviant > 0 else float("nan"),
    }
    return {name: value for name, value in scores.items() if np.isfinite(value)}


def left(cortex: AuditoryCortex, share: float, released: float = RELEASED) -> float:
    """Transmitter that afferents hold when a tone of some share among all tones arrives, of 1 when rested.

    Tones of one kind come `INTERVAL` / share apart, evenly spaced. Release probability follows the state's
    own release from relay cells.
    """
    p, healthy = cortex.state.parameters, cortex.state.healthy.state.parameters
    relative = (p.release[cortex.relay, 0] / healthy.release[cortex.relay, 0]).mean()
    used = min(released * float(relative), 1.0)
    kept = np.exp(-INTERVAL / share / RECOVERY)
    return float((1 - kept) / (1 - (1 - used) * kept))


def evoked(
    cortex: AuditoryCortex,
    transmitter: np.ndarray,
    prediction: np.ndarray,
    added: float = ADDED,
    step: float = STEP,
) -> np.ndarray:
    """Potential of E cells of auditory cortex after tones, minus rest, mean over its regions.

    Parameters
    ----------
    cortex : AuditoryCortex
    transmitter : ndarray, (K,)
        What the afferents of each tone hold.
    prediction : ndarray, (K,)
        How strongly each is predicted, multiples of the NMDA conductance of E onto inhibitory cells at rest.
    added : float
        Rate that a tone adds to relay cells, 1/ms.
    step : float
        Of the integration (Heun's method), ms.

    Returns
    -------
    ndarray, (K, times)
        mV, every `step` from the start of the epoch; not finite where cortex runs away.
    """
    state, nodes, lead = cortex.state, cortex.nodes, len(transmitter)
    p, p_from = parameters_of(state.parameters, nodes), state.parameters.tau_slow[nodes, :1]
    rest, u0 = state.point.x[nodes], state.point.u[:, nodes]
    expected = p.g_slow[:, :, 0] * INHIBITORY * rest[:, SLOW, :1]  # (n, 3)
    shape = envelope(np.arange(0.0, EPOCH, step))[:, None]
    target = cortex.steady((added * shape * transmitter)[..., None])  # (2, T, K, s)
    told = (shape * prediction)[..., None, None]  # (T, K, 1, 1)
    decay = cortex.decay[:, None]
    x = [np.repeat(rest[None, :, k], lead, 0) for k in range(len(STATE))]
    # after the state: gating of relay cells, and of the prediction's NMDA receptors at each node
    x += [np.zeros((2, lead, target.shape[-1])), np.zeros((lead, len(nodes), 1))]

    def change(x: list[np.ndarray], t: int) -> list[np.ndarray]:
        u = u0 + cortex.conductance(x[-2])
        u[:, 1] += x[-1] * expected
        return [*drift(tuple(x[:-2]), p, u), (target[:, t] - x[-2]) / decay, (told[t] - x[-1]) / p_from]

    out = np.empty((lead, len(shape)))
    with np.errstate(over="ignore", invalid="ignore"):  # where cortex runs away
        for t in range(len(shape)):
            out[:, t] = (x[0][..., 0] - rest[:, 0, 0]).mean(-1)
            first = change(x, t)
            then = change([a + step * d for a, d in zip(x, first, strict=True)], min(t + 1, len(shape) - 1))
            x = [a + step / 2 * (d + e) for a, d, e in zip(x, first, then, strict=True)]
    return out


def envelope(times: np.ndarray) -> np.ndarray:
    """Course of a tone, from 0 to 1 and back."""
    return np.asarray(sigmoid(times, ONSET, RAMP) - sigmoid(times, ONSET + TONE, RAMP))


def size(waves: np.ndarray) -> np.ndarray:
    """Mean of each wave (K, times) from the onset of the tone to the end of the epoch, mV, (K,)."""
    return waves[:, round(waves.shape[1] * ONSET / EPOCH) :].mean(-1)


TASK = Task(
    "oddball",
    (
        Score("mmn_amplitude", 0.0, None, 1),
        Score("mmn_prediction", 0.0, None, 1),
        Score("repetition_suppression", 0.0, 1.0, 0),
    ),
    run,
    "Standard and deviant tones every 500 ms, one in ten deviant: response to the deviant minus that to the "
    "standard, the part of it that a learned prediction makes, and how much smaller the standard's is.",
    "Umbricht and Krljes 2005 Schizophr Res 76:1; Wacongne et al. 2012 J Neurosci 32:3665",
)
