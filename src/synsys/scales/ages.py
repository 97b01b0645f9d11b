"""The healthy brain of one draw at any age, and how open its developmental windows are."""

from functools import cached_property

import numpy as np

from synsys.brain.draws import Draw
from synsys.brain.model import BrainModel
from synsys.brain.modulation import Modulation
from synsys.brain.state import HealthyBrain
from synsys.core.scenario import Scenario
from synsys.knowledge.load import vocabulary
from synsys.signaling.development import norms, regional_rate
from synsys.signaling.network import Network

REBUILT = 0.02
"""Change of an age norm (log, or mV over 50) after which the healthy brain is built anew."""
BIRTH = 0.0
"""Age, years, before which the fast brain is not simulated: the slow brain hears health from it."""


class Ages:
    """One draw of a scenario along the age axis.

    Parameters
    ----------
    model : BrainModel
    draw : Draw
    scenario : Scenario
        Its `development` decides whether age matters at all.
    late : float
        Years by which pruning comes late in the perturbed brain (`pruning_timing`).
    window : str
        When excess pruning strikes (`synsys.signaling.development.PRUNING_WINDOWS`).
    """

    def __init__(
        self,
        model: BrainModel,
        draw: Draw,
        scenario: Scenario,
        late: float = 0.0,
        window: str = "adolescence",
    ) -> None:
        self.model, self.draw, self.scenario = model, draw, scenario
        self.late, self.window = late, window
        self._built: tuple[dict[str, np.ndarray], HealthyBrain] | None = None

    @cached_property
    def adult(self) -> HealthyBrain:
        """Healthy brain at the reference age."""
        return HealthyBrain(self.model, self.draw)

    def born(self, days: float) -> bool:
        """Whether there is a fast brain to simulate."""
        return not self.scenario.development or float(self.scenario.age_at(days)) >= BIRTH

    def healthy(self, days: float) -> HealthyBrain:
        """Healthy brain at a time of the scenario; the same object while age norms hardly change."""
        if not self.scenario.development:
            return self.adult
        age = max(float(self.scenario.age_at(days)), BIRTH)
        now = self.norms(age)
        if self._built is None or _apart(now, self._built[0]) > REBUILT:
            self._built = now, HealthyBrain(self.model, self.draw, self.factors(now))
        return self._built[1]

    def norms(self, age: float, late: float = 0.0) -> dict[str, np.ndarray]:
        """Age norms on populations, (N, 3) each."""
        return norms(age, self.model.places.mask, pruning_timing=late)

    def factors(self, now: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What age norms do to the numbers of the circuit, carried along the links."""
        held = Modulation(self.model.places, self.model.densities(self.draw))
        everywhere = np.ones((len(self.model.wiring.nodes), 3), bool)
        for name, value in now.items():
            held.move(name, everywhere, np.log(value) if vocabulary()[name].multiplies else value)
        held.propagate(self.draw.strength, self.draw.factors)
        return {name: held.value(name) for name in held.touched if name in vocabulary()}

    def delay(self, days: float) -> np.ndarray | None:
        """Logarithm of spines against the norm where pruning is late, (N, 3); None where it is not."""
        if not self.late or not self.scenario.development:
            return None
        age = max(float(self.scenario.age_at(days)), BIRTH)
        return np.log(self.norms(age, self.late)["spine_density"] / self.norms(age)["spine_density"])

    def rates(self, network: Network, days: float) -> tuple[np.ndarray, np.ndarray]:
        """How open windows are: rate of every node (S, N), of every edge (E, N); adult without age."""
        if not self.scenario.development:
            return network.rate, network.window
        age = float(self.scenario.age_at(days))

        def mask(where: tuple[str, ...]) -> np.ndarray:
            return np.asarray(self.model.places.mask((), where).any(1))

        return network.openness(lambda name: regional_rate(name, age, mask, self.late, self.window))


def _apart(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> float:
    """Largest difference of two sets of age norms."""
    return max(
        float(np.abs(np.log(a[k] / b[k]) if vocabulary()[k].multiplies else (a[k] - b[k]) / 50.0).max())
        for k in a
    )
