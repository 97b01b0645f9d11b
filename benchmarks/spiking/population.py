"""The population side: one cortical region as the model has it, in health and with two lesions.

The region is cut out of the embedded brain (nothing arrives from elsewhere; the background makes up for it),
with one member of the calibration ensemble. `exported` hands all its numbers to the spiking network.
"""

import sys
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.noise import noise_covariance
from synsys.brain.simulate import Push, simulate
from synsys.brain.state import HealthyBrain, State
from synsys.circuit.drift import SIZE, SLOTS, STATE
from synsys.circuit.linear import FAST, SLOW, local_transfer
from synsys.core.perturbation import Perturbation
from synsys.data.embedded import load_embedded

REGION = "L.superiorfrontal"
MEMBER = 1
"""The first member whose region alone has a clear gamma peak (0.4 or more above its flanks, log10)."""
CELLS = ("E", "PV", "SST")
COUNT = (3200, 400, 400)
"""Cells of each population of the spiking network."""
CONDITIONS: dict[str, dict[str, float]] = {
    "health": {},
    "NMDA x 0.8": {"nmda_conductance": 0.8},
    "PV GABA-A x 0.8": {"gabaa_pv_conductance": 0.8},
}
"""What is multiplied: every NMDA conductance, background included; GABA-A synapses of PV cells."""
FREQUENCY = np.arange(2.0, 101.0)


@cache
def healthy(member: int = MEMBER) -> HealthyBrain:
    """The region alone."""
    return HealthyBrain(BrainModel(load_embedded().part((REGION,))), Draw(member), feedback=False)


def state(condition: str, member: int = MEMBER) -> State:
    """The region at rest under a condition, at once (nothing regulates itself)."""
    changes = [Perturbation(name, factor) for name, factor in CONDITIONS[condition].items()]
    return healthy(member).perturbed(changes, sized=False, phase="acute")


def spectrum(at: State, frequency: np.ndarray = FREQUENCY, finite: bool = False) -> np.ndarray:
    """Power of the potential of E cells by the linear theory, mV^2 / Hz (two-sided).

    With ``finite`` the noise of a finite number of Poisson cells is added: each synaptic gate then hears
    its N cells with a density of 1 / (N r0) times r / r0.
    """
    omega = frequency * 2e-3 * np.pi
    system = at.linear
    power = noise_covariance(system, local_transfer(system.jacobian, omega), omega)[:, 0, 0, 0].real
    if finite:
        p, jac = at.parameters, system.jacobian.full[0]
        into = np.zeros((SIZE, SLOTS))
        relative = 1e-3 * at.rates[0] / p.rate[0]
        size = np.sqrt(1e-3 * relative / (p.rate[0] * np.array(COUNT)))  # per Hz, of r / r0
        saturated = (1 + p.saturation[0] * p.rate[0]) / (1 + p.saturation[0] * p.rate[0] * relative) ** 2
        for a in range(SLOTS):
            into[FAST * SLOTS + a, a] = size[a] / p.tau_fast[0, a]
            into[SLOW * SLOTS + a, a] = size[a] * saturated[a] / p.tau_slow[0, a]
        left = 1j * omega[:, None, None] * np.eye(SIZE) - jac
        answer = np.linalg.solve(left, into.astype(complex))[:, STATE.index("V") * SLOTS]
        power = power + (np.abs(answer) ** 2).sum(-1)
    return power


def welch(potential: np.ndarray) -> np.ndarray:
    """Two-sided density at `FREQUENCY` of a potential sampled each ms (Hann windows of 1 s, overlapping)."""
    window = np.hanning(1001)[:-1]
    parts = [potential[k : k + 1000] for k in range(0, len(potential) - 999, 500)]
    power = np.mean([np.abs(np.fft.rfft((x - x.mean()) * window)) ** 2 for x in parts], 0)
    return power[FREQUENCY.astype(int)] * 1e-3 / (window**2).sum()


def gamma(power: np.ndarray) -> tuple[float, float, float]:
    """Frequency of the highest power per octave within 25-90 Hz (spectrum smoothed by 2 Hz, sd), NaN where
    that is no peak; mean power within 30-60 Hz, and within 2-10 Hz (mV^2 / Hz).
    """
    near = np.exp(-0.5 * ((FREQUENCY[:, None] - FREQUENCY) / 2.0) ** 2)
    smooth = FREQUENCY * (near @ power) / near.sum(1)
    band = np.flatnonzero((FREQUENCY >= 25) & (FREQUENCY <= 90))
    i = band[smooth[band].argmax()]
    a, b, c = np.log(smooth[i - 1 : i + 2])
    peak = b >= max(a, c)
    return (
        float(FREQUENCY[i] + 0.5 * (a - c) / (a - 2 * b + c)) if peak else np.nan,
        float(power[(FREQUENCY >= 30) & (FREQUENCY <= 60)].mean()), float(power[FREQUENCY <= 10].mean()),
    )  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A simulated population.

    Attributes
    ----------
    potential : ndarray, (T, 1)
        Potential of E cells each millisecond, mV.
    rate : ndarray, (3,)
        Mean rates, Hz.
    """

    potential: np.ndarray
    rate: np.ndarray


def noise(at: State, seconds: float, seed: int, dt: float) -> np.ndarray:
    """Background and slow conductances of the three populations at every step, (T, 3 kinds, 3)."""
    sys.path.insert(0, str(Path(__file__).parent))
    from series import Noise

    source = Noise(at, dt, [seed])
    return np.stack([source.step()[0, :, 0] for _ in range(round(1e3 * seconds / dt))])


def simulated(at: State, seconds: float, seed: int, warm_up: float = 2.0) -> Run:
    """The stochastic population model with the noise of `noise(at, ..., seed)`."""
    sources = np.flatnonzero(at.linear.wiring.source_node == 0)[:1]
    given = noise(at, warm_up + seconds + 1.0, seed, 0.2)
    pushes = [
        Push(0, (kind, slot), lambda t, k=kind, s=slot: given[np.rint(t / 0.2).astype(int), k, s])
        for kind in range(3)
        for slot in range(SLOTS)
    ]
    done = simulate(
        at, seconds, [seed], dt=0.2, every=5, warm_up=warm_up, noise=0.0, pushes=pushes, sources=sources
    )
    return Run(done.potential[0].reshape(-1, 1), done.mean_rate[0])


def exported(at: State) -> dict:
    """Every number of the region as plain lists, for a program without synsys."""
    p = at.parameters
    return {f.name: np.asarray(getattr(p, f.name))[0].tolist() for f in fields(p)}
