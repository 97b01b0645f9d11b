"""The pages of a fit of behaviour and of a recovery: parameters, beliefs over trials, what was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synsys.core import show
from synsys.core.schema import attribute, tabulate, validate
from synsys.core.show_mind import effects_of
from synsys.report.drawing import INK, PALE, UP, figure, svg
from synsys.report.page import environment

if TYPE_CHECKING:
    import xarray as xr

COLUMNS = 3
"""Panels side by side."""
BELIEFS = ("belief", "mu2", "mu3", "v")
"""Quantities of a trajectory that are shown; where there is none, how well choices were predicted."""
SMOOTH = 15
"""Trials over which the probability of what was chosen is averaged."""
_BLUE, _GREEN = "#2166ac", "#1b7837"


def render_behaviour(tree: xr.DataTree) -> str:
    """A fit or a recovery as one HTML page.

    Parameters
    ----------
    tree : DataTree
        A result of kind behaviour or recovery.

    Raises
    ------
    SchemaError
        If the tree is no result.
    """
    validate(tree)
    context = _fitted(tree) if tree.attrs["kind"] == "behaviour" else _recovered(tree)
    return environment().get_template("behaviour.html").render(context)


def _shared(tree: xr.DataTree) -> dict[str, Any]:
    names = ("options", "notes", "references")
    return {
        "attrs": dict(tree.attrs), **{name: attribute(tree, name) for name in names},
        "digests": attribute(tree, "digests") if tree.attrs["kind"] == "behaviour" else {},
    }  # fmt: skip


def _fitted(tree: xr.DataTree) -> dict[str, Any]:
    frame = tabulate(tree)
    people = tree["people"].sizes["subject"]
    rows = [
        [str(name), str(r.trust) or str(r.definition), show.number(r.group), _range(r.group_lo, r.group_hi),
         show.number(r.people_median), _range(r.people_lo, r.people_hi), show.number(r.recovery_r, 2)]
        for name, r in frame.iterrows()
    ]  # fmt: skip
    return {
        **_shared(tree),
        "heading": f"{tree.attrs['title']}: {people} people",
        "heads": ["parameter", "", "group", "90 % of group", "median of people", "90 % of people",
                  "recovery r"],
        "rows": rows,
        "pictures": [
            (_people(tree), "Every person's parameters, ordered: posterior mean and 90 % interval. Shaded: "
             "90 % of the group at the mean of all covariates; line: its centre."),
            (_courses(tree), "Three people: the one whom the model predicts worst, one in the middle, and "
             "the best. What it believed, trial by trial, or, where it holds no belief, the probability that "
             "it gave to what was chosen."),
            *([(_checks(tree), "Repeated choices, one trial ahead: observed against expected. Red: beyond "
                "95 % of what the model expects. Parameters are fitted to the same choices, so that points "
                "lie nearer to the line than they should.")] if "z_repeats" in tree["check"] else []),
            *([(_models(tree), "Models against each other: expected share of people (bars) and protected "
                "exceedance probability (dots); at the right the log-evidence of each person relative to the "
                "first model.")] if "comparison" in tree.children else []),
        ],
        "effects": _effects(tree),
    }  # fmt: skip


def _range(low: float, high: float) -> str:
    return f"{show.number(low)} to {show.number(high)}" if np.isfinite(low) else ""


def _effects(tree: xr.DataTree) -> list[list[str]]:
    count = len(effects_of(tree))
    return [
        [str(c), _flagged(tree, str(p)), show.number(r.coefficient, signed=True),
         show.number(r.error), f"{r.z:+.2f}", show.number(r.p, 2), show.number(min(1.0, count * r.p), 2)]
        for c, p, r in effects_of(tree)
    ]  # fmt: skip


def _flagged(tree: xr.DataTree, parameter: str) -> str:
    trust = str(tree["parameters"]["trust"].sel(parameter=parameter).values)
    return f"{parameter} ({trust})" if trust else parameter


def _axes(drawn: Any, count: int) -> list[Any]:
    columns = min(COLUMNS, count)
    return [drawn.add_subplot(-(-count // columns), columns, k + 1) for k in range(count)]


def _people(tree: xr.DataTree) -> str:
    found, groups = tree["estimates"], tree["parameters"]
    names = [str(n) for n in found["parameter"].values]
    with figure(9.0, 2.3 * -(-len(names) // COLUMNS)) as drawn:
        for axes, name in zip(_axes(drawn, len(names)), names, strict=True):
            value, low, high = (found[v].sel(parameter=name).values for v in ("value", "lo90", "hi90"))
            order = np.argsort(value)
            x = np.arange(len(value))
            group = groups.sel(parameter=name)
            if np.isfinite(float(group["group"])):
                axes.axhspan(float(group["group_lo"]), float(group["group_hi"]), color=PALE, alpha=0.5, lw=0)
                axes.axhline(float(group["group"]), color=INK, lw=0.8)
            axes.vlines(
                x, low[order], high[order], color=_BLUE, lw=max(0.3, min(2.0, 60 / len(x))), alpha=0.6
            )
            axes.plot(x, value[order], ".", color=INK, markersize=max(1.5, min(5.0, 150 / len(x))))
            flag = str(group["trust"].values)
            axes.set_title(name + (" (does not recover)" if flag.startswith("does") else ""), fontsize=9)
            axes.set_xlabel("people")
            axes.set_xticks([])
        drawn.tight_layout()
        return svg(drawn, "people", "Parameters of every person with intervals, against the group")


def _courses(tree: xr.DataTree) -> str:
    course = tree["course"]["value"]
    quantities = [str(q) for q in course["quantity"].values]
    shown = [q for q in BELIEFS if q in quantities]
    fit = course.sel(quantity="log_p").mean("trial").values
    order = np.argsort(fit)
    chosen = list(dict.fromkeys([int(order[0]), int(order[len(order) // 2]), int(order[-1])]))
    colours = (INK, UP, _BLUE, _GREEN, "#762a83", "#b35806")
    with figure(9.0, 1.9 * len(chosen)) as drawn:
        for k, i in enumerate(chosen):
            axes = drawn.add_subplot(len(chosen), 1, k + 1)
            used = np.isfinite(course.values[i, :, quantities.index("log_p")])
            trial = course["trial"].values[used]
            if not shown:
                taken = np.exp(course.values[i, used, quantities.index("log_p")])
                axes.plot(trial, taken, ".", color=PALE, markersize=3, label="probability of what was chosen")
                kernel = np.ones(SMOOTH)
                mean = np.convolve(taken, kernel, "same") / np.convolve(np.ones_like(taken), kernel, "same")
                axes.plot(trial, mean, color=INK, lw=1.2, label=f"mean over {SMOOTH} trials")
                axes.set_ylim(0, 1.02)
            for q, colour in zip(shown, colours, strict=False):
                axes.plot(trial, course.values[i, used, quantities.index(q)], color=colour, lw=0.9, label=q)
            subject = course["subject"].values[i]
            axes.set_title(f"{subject}: mean log-probability {fit[i]:.2f} a trial", fontsize=9)
            axes.set_xlim(1, trial[-1])
            if k == 0:
                axes.legend(frameon=False, fontsize=7, ncols=max(2, len(shown)), loc="lower right")
        axes.set_xlabel("trial")
        drawn.tight_layout()
        return svg(drawn, "course", "Beliefs or probabilities of options over trials in three people")


def _checks(tree: xr.DataTree) -> str:
    found = tree["check"]
    titles = {"win_stay": "after a choice that paid", "lose_stay": "after one that did not"}
    with figure(9.0, 3.0) as drawn:
        for k, (name, title) in enumerate(titles.items()):
            axes = drawn.add_subplot(1, 2, k + 1)
            off = np.abs(found[f"z_{name}"].values) > 1.96
            both = found[f"expected_{name}"].values, found[name].values
            axes.plot([0, 1], [0, 1], color=PALE)
            axes.plot(both[0][~off], both[1][~off], ".", color=INK, markersize=4)
            axes.plot(both[0][off], both[1][off], ".", color=UP, markersize=5)
            axes.set(xlabel="repeats expected", ylabel="repeats observed", xlim=(0, 1), ylim=(0, 1))
            axes.set_title(title)
        drawn.tight_layout()
        return svg(drawn, "check", "Predicted and observed repeats of every person")


def _models(tree: xr.DataTree) -> str:
    found = tree["comparison"]
    names = [str(m) for m in found["model"].values]
    x = np.arange(len(names))
    with figure(9.0, 2.8) as drawn:
        axes = drawn.add_subplot(1, 2, 1)
        axes.bar(x, found["frequency"].values, color=PALE, edgecolor=INK, lw=0.5)
        axes.plot(x, found["protected"].values, "o", color=UP)
        axes.axhline(1 / len(names), color=INK, lw=0.6, ls=":")
        axes.set(xticks=x, xticklabels=names, ylim=(0, 1.02), ylabel="share, probability")
        axes.tick_params(axis="x", labelrotation=20)
        axes = drawn.add_subplot(1, 2, 2)
        apart = found["evidence"].values - found["evidence"].values[:1]
        for k in range(1, len(names)):
            axes.plot(np.sort(apart[k]), np.arange(apart.shape[1]), ".", markersize=4, label=names[k])
        axes.axvline(0, color=INK, lw=0.6)
        axes.set(xlabel=f"log-evidence relative to {names[0]}", ylabel="people, ordered", yticks=[])
        axes.legend(frameon=False, fontsize=7)
        drawn.tight_layout()
        return svg(drawn, "models", "Random-effects comparison of models")


def _recovered(tree: xr.DataTree) -> dict[str, Any]:
    frame = tabulate(tree)
    rows = [
        [str(n), str(r.definition), show.number(r.r, 2), show.number(r.bias, 2), show.number(r.rmse, 2),
         f"{100 * r.coverage:.0f} %", show.number(r.rank_p, 2), "" if r.recovered else "does not recover"]
        for n, r in frame.iterrows()
    ]  # fmt: skip
    pictures = [
        (_truth(tree), "What people were given against what was estimated, on the fitted scale, with 90 % "
         "intervals."),
        (_ranks(tree), "Rank of the truth in its posterior: uniform (shaded: 95 % of counts) if intervals "
         "are calibrated."),
    ]  # fmt: skip
    if "confusion" in tree.children:
        pictures.append((_confusion(tree), "Share of people for whom each model has the most evidence."))
    return {
        **_shared(tree),
        "heading": f"Recovery of {tree.attrs['model']}: {tree['people'].sizes['subject']} people",
        "heads": ["parameter", "", "r", "bias, sd", "error, sd", "90 % covers", "ranks, P", ""],
        "rows": rows, "pictures": pictures, "effects": [],
    }  # fmt: skip


def _truth(tree: xr.DataTree) -> str:
    found = tree["people"]
    names = [str(n) for n in found["parameter"].values]
    r = tree["parameters"]["r"]
    with figure(9.0, 2.7 * -(-len(names) // COLUMNS)) as drawn:
        for axes, name in zip(_axes(drawn, len(names)), names, strict=True):
            one = found.sel(parameter=name)
            x = one["truth"].values
            axes.vlines(x, one["low"].values, one["high"].values, color=PALE, lw=0.6)
            axes.plot(x, one["estimate"].values, ".", color=INK, markersize=3)
            ends = [x.min(), x.max()]
            axes.plot(ends, ends, color=UP, lw=0.8)
            axes.set_title(f"{name}, r {float(r.sel(parameter=name)):.2f}", fontsize=9)
            axes.set(xlabel="truth", ylabel="estimate")
        drawn.tight_layout()
        return svg(drawn, "truth", "Truth against estimate of every parameter")


def _ranks(tree: xr.DataTree) -> str:
    from scipy.stats import binom

    rank = tree["people"]["rank"]
    names = [str(n) for n in rank["parameter"].values]
    people, bins = rank.sizes["subject"], 10
    low, high = binom.ppf([0.025, 0.975], people, 1 / bins)
    with figure(9.0, 2.0 * -(-len(names) // COLUMNS)) as drawn:
        for axes, name in zip(_axes(drawn, len(names)), names, strict=True):
            axes.axhspan(low, high, color=PALE, alpha=0.5, lw=0)
            axes.hist(rank.sel(parameter=name).values, bins, range=(0, 1), histtype="step", color=INK)
            axes.set_title(name, fontsize=9)
            axes.set(xlim=(0, 1), ylim=(0, None))
        drawn.tight_layout()
        return svg(drawn, "ranks", "Ranks of the truth in the posterior of every parameter")


def _confusion(tree: xr.DataTree) -> str:
    share = tree["confusion"]["share"]
    names = [str(m) for m in share["model"].values]
    with figure(4.5, 3.4) as drawn:
        axes = drawn.add_subplot()
        axes.imshow(share.values, vmin=0, vmax=1, cmap="Blues")
        for i, j in np.ndindex(share.shape):
            value = float(share.values[i, j])
            axes.text(j, i, f"{100 * value:.0f}", ha="center", va="center", color="w" if value > 0.5 else INK)
        axes.set_xticks(range(len(names)), names, rotation=20)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="found", ylabel="people follow")
        drawn.tight_layout()
        return svg(drawn, "confusion", "Which model is found for people who follow each")
