"""Tasks, beliefs and symptoms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.report.drawing import DOWN, HEALTHY, INK, PALE, UP, figure, svg
from synsys.report.words import plain

if TYPE_CHECKING:
    import pandas as pd

    from synsys.mind.coupling import Inference


def symptom_profile(frame: pd.DataFrame) -> str:
    """Symptoms with their intervals, in healthy sd; the largest on top.

    Parameters
    ----------
    frame : DataFrame
        Rows of symptoms, columns ``value``, ``lo90``, ``hi90``, ``origin``, and where they are known
        ``people_lo90``, ``people_hi90``.
    """
    rows = frame.sort_values("value")
    names = [plain(str(n)).replace(" dimension", " (dimension)") for n in rows.index]
    with figure(6.6, 0.19 * len(rows) + 0.9) as page:
        axes: Any = page.subplots()
        for y, (_, row) in enumerate(rows.iterrows()):
            colour = UP if row["value"] > 0 else DOWN
            people = [row.get("people_lo90", np.nan), row.get("people_hi90", np.nan)]
            if np.isfinite(people).all():
                axes.fill_betweenx([y - 0.5, y + 0.5], *people, color=PALE, alpha=0.35, linewidth=0)
            axes.plot([row["lo90"], row["hi90"]], [y, y], color=colour, linewidth=1.4, alpha=0.6)
            face = colour if row["origin"] == "emergent" else "white"
            axes.plot(row["value"], y, "o", color=colour, markerfacecolor=face, markersize=4.5)
        axes.axvline(0, color=HEALTHY, linewidth=0.8)
        axes.set_yticks(range(len(rows)), names, fontsize=7.5)
        axes.set(
            xlabel="change from health (healthy sd); grey: 90 % of healthy people",
            ylim=(-0.7, len(rows) - 0.3),
        )
        page.tight_layout(pad=0.4, rect=(0.04, 0, 1, 1))
        return svg(page, "symptoms", "Symptoms in healthy standard deviations with 90 % intervals")


@dataclass(frozen=True)
class Scored:
    """A score between chance and ceiling, over draws.

    Attributes
    ----------
    name : str
    chance, ceiling : float
    healthy, perturbed : ndarray, (draws,)
    """

    name: str
    chance: float
    ceiling: float
    healthy: np.ndarray
    perturbed: np.ndarray

    def share(self, values: np.ndarray) -> np.ndarray:
        """Share of the way from chance to ceiling."""
        return (values - self.chance) / (self.ceiling - self.chance)


def task_scores(scores: list[Scored]) -> str:
    """Scores of tasks on the way from chance (0) to ceiling (1), median and 90 % of draws."""
    with figure(6.6, 0.34 * len(scores) + 0.9) as page:
        axes: Any = page.subplots()
        for y, score in enumerate(reversed(scores)):
            for shift, values, colour, mark in (
                (0.14, score.healthy, HEALTHY, "s"), (-0.14, score.perturbed, UP, "o"),
            ):  # fmt: skip
                known = score.share(values[np.isfinite(values)])
                if len(known):
                    low, middle, high = np.percentile(known, (5, 50, 95))
                    axes.plot([low, high], [y + shift] * 2, color=colour, linewidth=1.4, alpha=0.6)
                    label = ("healthy" if mark == "s" else "perturbed") if y == 0 else None
                    axes.plot(middle, y + shift, mark, color=colour, markersize=4.5, label=label)
        for x in (0, 1):
            axes.axvline(x, color=INK, linewidth=0.8, linestyle=":")
        axes.set_yticks(range(len(scores)), [plain(s.name) for s in reversed(scores)], fontsize=7.5)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["chance", "", "", "", "ceiling"])
        axes.set(ylim=(-0.7, len(scores) - 0.3))
        axes.legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        page.tight_layout(pad=0.4, rect=(0.04, 0, 1, 1))
        told = "Scores of tasks between chance and ceiling, healthy and perturbed"
        return svg(page, "tasks", told)


def belief_course(healthy: Inference, perturbed: Inference, seed: int) -> str:
    """Expectations of one sequence of numbers, and of threat, with the medians of parameters of inference."""
    from synsys.mind.believing import follow, shocks, threat

    with figure(7.2, 2.5) as page:
        left, right = page.subplots(1, 2, width_ratios=(2, 1))
        for who, colour, style, label in (
            (healthy, HEALTHY, "-", "healthy"), (perturbed, UP, "--", "perturbed"),
        ):  # fmt: skip
            course = follow(who, seed)
            left.plot(course.expectation[:, 0], style, color=colour, linewidth=1.3, label=label)
            right.plot(threat(who, seed)[0].mean(1), style, color=colour, linewidth=1.3)
        left.plot(course.outcome[:, 0], ".", color=PALE, markersize=3, zorder=0)
        left.plot(course.mean[:, 0], color=INK, linewidth=0.6, zorder=0)
        left.set(title="Expected number", xlabel="trial", ylabel="sd of outcomes")
        left.legend(frameon=False, fontsize=7.5, loc="upper left", ncols=2)
        right.axhline(shocks(seed).mean(), color=INK, linewidth=0.6)
        right.set(title="Expected threat", xlabel="trial", ylabel="probability", ylim=(0, None))
        page.tight_layout(pad=0.4)
        return svg(page, "beliefs", "Expectations of a healthy and of the perturbed observer over trials")
