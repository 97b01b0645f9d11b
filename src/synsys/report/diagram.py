"""The cascade as a diagram: inputs, links of the tables, the simulated brain, the largest effects."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synsys.core import show
from synsys.core.schema import NEGLIGIBLE
from synsys.report.drawing import DOWN, HEALTHY, UP
from synsys.report.words import level_title, plain, sized

if TYPE_CHECKING:
    import pandas as pd

MOST_LINKS = 12
"""Links drawn, those that carry most; the others are counted below the diagram."""
PER_LEVEL = 3
"""Emergent readouts drawn per level."""
_LEFT = ("molecular", "synaptic", "cellular", "microcircuit", "oscillation", "circuit", "network",
         "task", "inference", "symptom", "behaviour")  # fmt: skip
_BOX, _HIGH, _GAP, _ROW = 168, 34, 58, 46
"""Width and height of a box of the tables, the room between columns, the least height of a row."""
_WIDE, _LOW, _STEP, _TITLE = 290, 24, 30, 26
"""Width and height of a box of an effect, height of its row and of a level's title."""
_ENGINE, _REACH = 92, 58
"""Width of the simulated brain, and of the arrows that leave it."""


@dataclass(frozen=True)
class Arrow:
    """An arrow between two named nodes; several links of one sign between them are one arrow."""

    source: str
    target: str
    sign: float
    strength: float
    grade: str
    where: str


def merge_links(links: pd.DataFrame) -> list[Arrow]:
    """Links as arrows, one per source, target and sign.

    Parameters
    ----------
    links : DataFrame
        The variables of `/links`.
    """
    found: dict[tuple[str, str, float], list[pd.Series]] = {}
    for _, row in links.iterrows():
        found.setdefault((row["source"], row["target"], float(row["sign"])), []).append(row)
    arrows = []
    for (source, target, sign), rows in found.items():
        places = [" ".join(x for x in (r["cell"], r["where"]) if x) for r in rows]
        arrows.append(
            Arrow(
                source, target, sign, max(abs(float(r["strength"])) for r in rows),
                max(r["grade"] for r in rows), "; ".join(dict.fromkeys(filter(None, places))),
            )
        )  # fmt: skip
    return arrows


def strongest(arrows: Sequence[Arrow], inputs: Sequence[str], most: int = MOST_LINKS) -> list[Arrow]:
    """The arrows that carry most, each reached from an input by arrows that are kept too.

    What an arrow carries is the largest product of strengths (at most 1 each) along a path to it.
    """
    reach = dict.fromkeys(inputs, 1.0)
    kept: list[Arrow] = []
    rest = list(arrows)
    while rest and len(kept) < most:
        open_ = [a for a in rest if a.source in reach]
        if not open_:
            break
        best = max(open_, key=lambda a: reach[a.source] * min(a.strength, 1.0))
        rest.remove(best)
        kept.append(best)
        carried = reach[best.source] * min(best.strength, 1.0)
        reach[best.target] = max(reach.get(best.target, 0.0), carried)
    return kept


def depths(arrows: Sequence[Arrow], inputs: Sequence[str]) -> dict[str, int]:
    """Column of each node: the longest path from an input; a loop does not lengthen it."""
    depth = dict.fromkeys(inputs, 0)
    for _ in range(len(arrows) + 1):
        changed = False
        for arrow in arrows:
            if arrow.source not in depth or arrow.target in inputs:
                continue
            new = depth[arrow.source] + 1
            if depth.get(arrow.target, -1) < new <= len(arrows):
                depth[arrow.target] = new
                changed = True
        if not changed:
            break
    ranks = {value: i for i, value in enumerate(sorted(set(depth.values())))}
    return {name: ranks[value] for name, value in depth.items()}


def top_effects(frame: pd.DataFrame) -> pd.DataFrame:
    """The largest emergent changes of each level, levels in their order."""
    rows = frame[frame["effect"].notna() & (frame["origin"] == "emergent")]
    size = rows["d"].abs().fillna(rows["log_ratio"].abs()).fillna(0.0)
    rows = rows.assign(size=size)[~show.is_negligible(rows, NEGLIGIBLE) & (size > 0)]
    parts = [
        rows[rows["level"] == level].nlargest(PER_LEVEL, "size")
        for level in dict.fromkeys([*_LEFT, *rows["level"]])
    ]
    import pandas as pd

    full = [part for part in parts if len(part)]
    return pd.concat(full) if full else rows


def cascade_diagram(frame: pd.DataFrame, links: pd.DataFrame) -> tuple[str, int]:
    """The cascade as inline SVG.

    Parameters
    ----------
    frame : DataFrame
        As from `core.schema.tabulate`.
    links : DataFrame
        The variables of `/links`.

    Returns
    -------
    svg : str
    omitted : int
        Links that are not drawn.
    """
    inputs = [str(name) for name in frame.index[frame["origin"] == "input"]]
    everything = merge_links(links)
    inputs = inputs or [a.source for a in everything if a.source not in {b.target for b in everything}]
    arrows = strongest(everything, inputs)
    column = depths(arrows, inputs)
    effects = top_effects(frame)
    canvas = _Canvas()

    columns: dict[int, list[str]] = {}
    for name, k in column.items():
        columns.setdefault(k, []).append(name)
    levels = list(dict.fromkeys(effects["level"]))
    tall = 30 + len(effects) * _STEP + len(levels) * _TITLE
    height = max(44 + max([len(names) for names in columns.values()] + [2]) * _ROW, tall)
    back = any(column[a.source] >= column[a.target] for a in arrows)
    left = 40.0 if back else 8.0  # room for arrows that turn back
    place: dict[str, tuple[float, float]] = {}
    for k, names in sorted(columns.items()):
        above = {
            name: [place[a.source][1] for a in arrows if a.target == name and a.source in place]
            for name in names
        }
        names.sort(key=lambda name: sum(above[name]) / len(above[name]) if above[name] else 0.0)
        step = (height - 44) / len(names)
        for i, name in enumerate(names):
            place[name] = (left + k * (_BOX + _GAP), 40 + step * (i + 0.5))
    engine = left + (max(columns, default=0) + 1) * (_BOX + _GAP) - 18
    for name, (x, _) in place.items():
        if not any(a.source == name for a in arrows):
            canvas.curve((x + _BOX, place[name][1]), (engine, place[name][1]), HEALTHY, 1.3, "")
    for arrow in arrows:
        (x0, y0), (x1, y1) = place[arrow.source], place[arrow.target]
        colour = UP if arrow.sign > 0 else DOWN
        told = f"{plain(arrow.source)} {'raises' if arrow.sign > 0 else 'lowers'} {plain(arrow.target)}"
        told += (
            f" ({arrow.where})" * bool(arrow.where) + f", strength {arrow.strength:g}, grade {arrow.grade}"
        )
        width = 1.0 + 2.2 * min(arrow.strength, 1.0)
        canvas.curve((x0 + _BOX, y0), (x1, y1), colour, width, told, arrow.grade, back=x1 <= x0)
    canvas.engine(engine, 26, _ENGINE, height - 34)

    leave, x = engine + _ENGINE, engine + _ENGINE + _REACH
    y = 26.0 + max(0.0, (height - 8 - tall) / 2)
    for level in levels:
        canvas.heading(x, y + 12, level_title(level))
        y += _TITLE
        for name, row in effects[effects["level"] == level].iterrows():
            colour = UP if row["effect"] > 0 else DOWN
            size = abs(row["d"]) if not math.isnan(row["d"]) else abs(row["size"])
            p = show.sign_probability(row)
            told = f"{plain(str(name))} {show.change(row)}, P of this sign {p:.2f}, grade {row['grade']}"
            middle = y + _LOW / 2 - 4
            canvas.line(leave, middle, x, colour, 1.0 + min(size, 3.0), told, row["grade"], p < 0.9)
            canvas.effect(x, middle, plain(str(name)), sized(row), colour)
            y += _STEP
    canvas.heading(12, 16, "Input")
    for name, (x, y) in place.items():
        known = frame.loc[name] if name in frame.index else None
        moved = known is not None and not math.isnan(known["effect"]) and known["effect"] != 0
        colour = HEALTHY if known is None or not moved else UP if known["effect"] > 0 else DOWN
        canvas.node(x, y, plain(name), show.change(known) if moved else "", colour, name in inputs)
    told = "; ".join(f"{plain(str(name))} {show.change(row)}" for name, row in effects.iterrows())
    summary = (
        f"Cascade from {', '.join(map(plain, inputs)) or 'nothing'} over {len(arrows)} links of the tables "
        f"through the simulated brain to: {told or 'no change above the negligible'}."
    )
    return canvas.close(summary, height + 6), len(everything) - len(arrows)


class _Canvas:
    """Pieces of an SVG drawing, arrows below nodes."""

    def __init__(self) -> None:
        self.below: list[str] = []
        self.above: list[str] = []
        self.width = 0.0

    def curve(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        colour: str,
        width: float,
        told: str,
        grade: str = "",
        back: bool = False,
    ) -> None:
        (x0, y0), (x1, y1) = start, end
        if back:  # from the left edge of the source to the nearer edge of the target
            x0 -= _BOX
            if x0 == x1:  # in the same column, round its left
                over, enter, mark = -26.0, x1 - 6, (x0 - 20, (y0 + y1) / 2)
            else:
                over, enter, mark = 0.4 * (x0 - x1 - _BOX), x1 + _BOX + 6, (x1 + _BOX + 20, y1)
            leave = x0 - abs(over)
            path = (
                f"M{x0:.0f},{y0:.0f} C{leave:.0f},{y0:.0f} {enter + over:.0f},{y1:.0f} {enter:.0f},{y1:.0f}"
            )
            self._arrow(path, colour, width, told, False)
            self._grade(*mark, grade, colour)
            return
        bend = max(30.0, 0.45 * abs(x1 - x0))
        path = f"M{x0:.0f},{y0:.0f} C{x0 + bend:.0f},{y0:.0f} {x1 - bend:.0f},{y1:.0f} {x1 - 6:.0f},{y1:.0f}"
        self._arrow(path, colour, width, told, False)
        if grade:
            near = 0.72
            self._grade(x0 + near * (x1 - x0), y0 + near**2 * (3 - 2 * near) * (y1 - y0), grade, colour)

    def line(
        self, x0: float, y: float, x1: float, colour: str, width: float, told: str, grade: str, unsure: bool
    ) -> None:
        self._arrow(f"M{x0:.0f},{y:.0f} H{x1 - 6:.0f}", colour, width, told, True, 0.45 if unsure else 1.0)
        self._grade(x0 + 20, y, grade, colour)

    def _arrow(
        self, path: str, colour: str, width: float, told: str, dashed: bool, opacity: float = 1.0
    ) -> None:
        tip = {UP: "up", DOWN: "down"}.get(colour, "plain")
        dash = ' stroke-dasharray="7 4"' if dashed else ""
        self.below.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:.1f}"{dash} '
            f'stroke-opacity="{opacity:g}" marker-end="url(#tip-{tip})">'
            f"<title>{html.escape(told)}</title></path>"
        )

    def _grade(self, x: float, y: float, grade: str, colour: str) -> None:
        if grade:
            self.above.append(
                f'<circle cx="{x:.0f}" cy="{y:.0f}" r="8.5" fill="#fff" stroke="{colour}"/>'
                f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle" class="g">'
                f"{html.escape(grade)}</text>"
            )

    def heading(self, x: float, y: float, text: str) -> None:
        self.above.append(f'<text x="{x:.0f}" y="{y}" class="h">{html.escape(text)}</text>')

    def engine(self, x: float, y: float, width: float, height: float) -> None:
        self.above.append(
            f'<rect x="{x:.0f}" y="{y}" width="{width}" height="{height:.0f}" rx="6" class="e"/>'
            f'<text x="{x + width / 2:.0f}" y="{y + height / 2 - 8:.0f}" text-anchor="middle" class="n">'
            f'simulated<tspan x="{x + width / 2:.0f}" dy="16">circuit and</tspan>'
            f'<tspan x="{x + width / 2:.0f}" dy="16">brain</tspan></text>'
        )
        self.width = max(self.width, x + width)

    def node(self, x: float, y: float, name: str, change: str, colour: str, is_input: bool = False) -> None:
        short = name if len(name) <= 24 else name[:23] + "…"
        self.width = max(self.width, x + _BOX)
        middle = y - 3 if change else y + 4
        self.above.append(
            f'<rect x="{x:.0f}" y="{y - _HIGH / 2:.0f}" width="{_BOX}" height="{_HIGH}" rx="5" '
            f'class="{"i" if is_input else "b"}" stroke="{colour}"><title>{html.escape(name)}</title></rect>'
            f'<text x="{x + 8:.0f}" y="{middle:.0f}" class="n">{html.escape(short)}</text>'
        )
        if change:
            self.above.append(
                f'<text x="{x + 8:.0f}" y="{y + 11:.0f}" class="c" fill="{colour}">'
                f"{html.escape(change)}</text>"
            )

    def effect(self, x: float, y: float, name: str, change: str, colour: str) -> None:
        """A wide, low box: name on the left, change on the right."""
        short = name if len(name) <= 34 else name[:33] + "…"
        self.width = max(self.width, x + _WIDE)
        self.above.append(
            f'<rect x="{x:.0f}" y="{y - _LOW / 2:.0f}" width="{_WIDE}" height="{_LOW}" rx="5" class="b" '
            f'stroke="{colour}"><title>{html.escape(name)}</title></rect>'
            f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" class="n">{html.escape(short)}</text>'
            f'<text x="{x + _WIDE - 8:.0f}" y="{y + 4:.0f}" text-anchor="end" class="c" fill="{colour}">'
            f"{html.escape(change)}</text>"
        )

    def close(self, summary: str, height: float) -> str:
        tips = "".join(
            f'<marker id="tip-{name}" viewBox="0 0 8 8" refX="3" refY="4" markerWidth="9" markerHeight="9" '
            f'markerUnits="userSpaceOnUse" orient="auto">'
            f'<path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
            for name, colour in (("up", UP), ("down", DOWN), ("plain", HEALTHY))
        )
        label = html.escape(summary, quote=True)
        width = self.width + 8
        return (
            f'<svg class="cascade" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'style="min-width:{0.8 * width:.0f}px;'
            f'max-width:{width:.0f}px" role="img" aria-label="{label}"><defs>{tips}</defs>'
            + "\n".join([*self.below, *self.above])
            + "</svg>"
        )
