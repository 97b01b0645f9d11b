"""The two clocks: slow molecules integrated over days, the fast brain at rest with them at every step.

At each step the slow state is frozen, the state of rest of the fast brain found, and its averages drive
the slow equations on (heterogeneous multiscale method: E & Engquist 2003, Commun Math Sci 1:87). The steps
are those of `synsys.signaling.rest.Step`, whose approximate Jacobian holds what comes back through the
circuit, so that homeostasis does not force them to be short.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from synsys.brain.modulation import Modulation
from synsys.brain.settle import told
from synsys.brain.state import HealthyBrain, State
from synsys.core.scenario import Scenario
from synsys.scales.ages import Ages
from synsys.signaling.rest import Step, worst

TOLERANCE = 1e-2
"""Accepted error of one step, by default."""
LEAST, RESOLUTION, GROWTH = 3e-3, 2e-4, 3.0
"""First and smallest step: in days, and as a share of the scenario, whichever is longer; and the most by
which one step outgrows the one before."""
ROUGH = 1e-4
"""What potentials may still move by between report times, mV."""
SHARES, LOUDEST = (1.0, 0.5, 0.2, 0.05), 2.0
"""Shares of a deviation from health that are tried until the fast brain has a state of rest, and the largest
logarithm of a signal that is then heard."""
UNHEARD = 1e-3
"""Change of what the circuit reads (log or unit) below which the fast brain is not solved again."""


@dataclass
class Course:
    """What happened in one draw.

    Attributes
    ----------
    time : list of float
        Accepted steps, days.
    levels : list of ndarray, (S,)
        Effective levels of the signaling network, mean over the brain.
    reports : dict of float to ndarray
        Effective levels (S, N) at report times, just before what happens then.
    steps, rejected, forced, solved : int
        Steps accepted and rejected; accepted at the shortest length although their error was larger than
        asked for; times the fast brain was solved.
    restless : list of (float, str)
        Times at which it found no state of rest, and why.
    """

    time: list[float] = field(default_factory=list)
    levels: list[np.ndarray] = field(default_factory=list)
    reports: dict[float, np.ndarray] = field(default_factory=dict)
    steps: int = 0
    rejected: int = 0
    forced: int = 0
    solved: int = 0
    restless: list[tuple[float, str]] = field(default_factory=list)


class TwoClocks:
    """One draw of a scenario.

    Parameters
    ----------
    scenario : Scenario
    ages : Ages
    tolerance : float
        Accepted error of one step: of the logarithm of fold nodes, of deviations of the others.
    """

    def __init__(
        self,
        scenario: Scenario,
        ages: Ages,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.tolerance = tolerance
        self.scenario, self.ages = scenario, ages
        self.changes = [event.perturbation for event in scenario.events]
        self.slow = ages.model.slow_brain
        self.network = self.slow.network
        adult = ages.adult
        self.advance = Step(
            self.network,
            adult.kinetics,
            adult.kept_heard if scenario.recursive else adult.carried_heard,
            regional=True,
        )
        self.course = Course()
        self.least = max(LEAST, RESOLUTION * scenario.duration)
        self._state: State | None = None
        self._read: np.ndarray | None = None
        self._owner: HealthyBrain | None = None
        self._signals: dict[str, np.ndarray] = {}

    def run(
        self,
        report: Callable[[float, State | None], None] | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Course:
        """Integrate from day 0 to the end.

        Parameters
        ----------
        report : callable, optional
            Called with (day, state of rest) at every report time.
        progress : callable, optional
            Called with the share of the steps between breakpoints that is done.
        """
        stops = self.scenario.breakpoints()
        wanted = set(self.scenario.report)
        jumps = self._jumps(stops)
        t, y, step = 0.0, self.network.healthy(), self.least
        moved = self._moved(t, True)
        heard = self._heard(t, y, moved)
        self._record(t, y, moved)
        for number, stop in enumerate(stops):
            while t < stop:
                now = min(step, stop - t)
                if stop - t - now < 0.05 * now:
                    now = stop - t
                y, heard, moved, taken, step = self._step(t, y, heard, moved, now)
                t = stop if taken == stop - t else t + taken
                self._record(t, y, moved)
            if t in wanted:
                self._report(t, y, moved, report)
            if t in jumps:
                moved = self._moved(t, False)
                self._read = None
                heard = self._heard(t, y, moved)
                step = min(step, self.least)
                self._record(t + 1e-9, y, moved)
            if progress:
                progress((number + 1) / len(stops))
        return self.course

    def _step(
        self, t: float, y: np.ndarray, heard: np.ndarray, moved: Modulation, days: float
    ) -> tuple[np.ndarray, np.ndarray, Modulation, float, float]:
        """One accepted step: levels, what is heard, what is moved after it, its length, the next length.

        What is heard at the end is that of the first stage, which is within the error of the second.
        """
        slow = self.slow
        start = self._state, self._signals, self._read, self._owner
        met = len(self.course.restless)
        while True:
            after = self._moved(t + days, True)
            answer = heard

            def hear(levels: np.ndarray, end: float = t + days, moves: Modulation = after) -> np.ndarray:
                nonlocal answer
                answer = self._heard(end, levels, moves)
                return answer

            openness = self.ages.rates(self.network, t + 0.5 * days)
            new, apart = self.advance(y, slow.change(moved), slow.change(after), heard, hear, days, openness)
            error = worst(apart)
            if error <= self.tolerance or days <= self.least:
                break
            self.course.rejected += 1
            del self.course.restless[met:]
            self._state, self._signals, self._read, self._owner = start
            days = max(days * max(0.1, 0.8 * np.sqrt(self.tolerance / error)), self.least)
        self.course.steps += 1
        self.course.forced += error > self.tolerance
        growth = min(GROWTH, max(0.3, 0.8 * np.sqrt(self.tolerance / max(error, 1e-12))))
        return new, answer, after, days, max(days * growth, self.least)

    def _moved(self, t: float, left: bool) -> Modulation:
        """What events move at a time (just before it, if `left`)."""
        level = [float(event.course.level(t, left)) for event in self.scenario.events]
        moved = self.ages.healthy(t).moved(self.changes, level=level)
        late = self.ages.delay(t)
        if late is not None:
            moved.move("spine_density", np.ones(late.shape, bool), late)
        return moved

    def _heard(self, t: float, y: np.ndarray, moved: Modulation) -> np.ndarray:
        """What the slow brain hears: solved anew if what the circuit reads has moved, else as before."""
        healthy = self.ages.healthy(t)
        applied = self.slow.applied(moved, y)
        if not self.ages.born(t):
            self._state, self._signals = None, {}
        elif self.scenario.recursive:
            read = self._reading(applied)
            same = self._read is not None and self._owner is healthy
            if not same or float(np.abs(read - self._read).max(initial=0.0)) > UNHEARD:
                self._solve(t, healthy, applied)
                self._read, self._owner = read, healthy
        if self._state is not None and self._state.carried is not None:
            carried = self._state.carried
        else:
            carried = applied.copy()
            carried.propagate(self.ages.draw.strength, self.ages.draw.factors)
        return self.slow.inputs(carried, self._signals)

    def _reading(self, applied: Modulation) -> np.ndarray:
        """Everything that links may carry to the circuit, at every node."""
        names = self.network.names + [change.name for change in self.changes]
        return applied.moved(*names)

    def _solve(self, t: float, healthy: HealthyBrain, applied: Modulation) -> None:
        """State of rest under what is applied, and what it tells.

        Where there is none (activity runs away or breaks down), the largest share of the deviation from
        health that leaves one is solved, and its signals are taken to grow in proportion: homeostasis
        hears which way it has gone.
        """
        near = self._state if self._state is not None and self._state.point.converged else None
        self._state = None
        for share in SHARES:
            part = applied if share == 1.0 else applied.scaled(share)
            state = healthy.with_modulation(part, near if share == 1.0 else None, ROUGH)
            self.course.solved += 1
            if not state.point.converged:
                if share == 1.0:
                    self.course.restless.append((t, state.restless))
                continue
            found = told(state, self.ages.adult.kept)
            self._signals = {n: np.clip(v / share, -LOUDEST, LOUDEST) for n, v in found.items()}
            if share == 1.0:
                self._state = state
            return
        self._signals = {}  # none has: nothing is known, health is heard

    def _record(self, t: float, y: np.ndarray, moved: Modulation) -> None:
        z = self.network.effective(y, self.slow.change(moved))
        self.course.time.append(t)
        self.course.levels.append(z @ self.network.share)

    def _report(
        self, t: float, y: np.ndarray, moved: Modulation, report: Callable[[float, State | None], None] | None
    ) -> None:
        state = None
        if self.ages.born(t):
            state = self.ages.healthy(t).with_modulation(self.slow.applied(moved, y), self._state)
        z = self.network.effective(y, self.slow.change(moved))
        self.course.reports[t] = z
        if report:
            report(t, state)

    def _jumps(self, stops: np.ndarray) -> set[float]:
        """Breakpoints at which the level of an event jumps."""
        out = set()
        for event in self.scenario.events:
            before, after = event.course.level(stops, True), event.course.level(stops, False)
            out |= set(stops[before != after].tolist())
        return out
