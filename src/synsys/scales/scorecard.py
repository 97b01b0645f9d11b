"""A score of claims as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synsys.core.schema import DISCLAIMER
from synsys.scales import baselines, scoring

if TYPE_CHECKING:
    from rich.console import Console

    from synsys.scales.claims import ClaimsResult, Row

HEADINGS = {
    scoring.PASS: "pass", scoring.FAIL: "fail", scoring.UNDECIDED: "n.s.", scoring.NEGLIGIBLE: "small",
    scoring.CONSTRUCTED: "by constr.", scoring.CIRCULAR: "cir- cular", scoring.ABSENT: "not repr.",
    scoring.UNSTABLE: "un- stable", scoring.UNSIGNED: "un- signed", scoring.UNSCORED: "not scored",
}  # fmt: skip
NOTES = (
    "pass: P(expected sign) >= 0.9; fail: <= 0.1; n.s., not significant: between; small, negligible: "
    "|d| < 0.1; by constr.: by construction; circular: the symptom is read from its cause; not repr.: not "
    "represented in the model; unsigned: not scored. * no evidence: wiring and prior_only rows are inputs, "
    "definitional rows hold by definition, symptom_map rows are circular. A claim stated in several rows "
    "counts once in accuracy and skill."
)


def print_claims(result: ClaimsResult, console: Console | None = None) -> None:
    """Print verdicts by role, accuracy, baselines, skill and every miss with the model's reason.

    Parameters
    ----------
    result : ClaimsResult
    console : Console, optional
        Where to print; the terminal by default.
    """
    from rich.console import Console
    from rich.table import Table

    out = console or Console()
    out.print(
        f"[bold]{len(result.rows)} claims[/] of {result.source}: {result.brain}, {result.solved} "
        f"perturbations, {result.draws} draws, seed {result.seed}",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("role", no_wrap=True)
    shown = [v for v in HEADINGS if any(v in counts for counts in result.totals.values())]
    for verdict in shown:
        table.add_column(HEADINGS[verdict], justify="right")
    for role, counts in sorted(result.totals.items(), key=lambda item: item[0] in scoring.NOT_EVIDENCE):
        name = role.replace("emergent_", "").replace("_", " ") + ("*" if role in scoring.NOT_EVIDENCE else "")
        table.add_row(name, *(str(counts.get(verdict, "")) for verdict in shown))
    out.print(table)
    for text in summary(result):
        out.print(text, highlight=False, markup=False)
    for title, verdict in (("Failed", scoring.FAIL), ("Not significant", scoring.UNDECIDED),
                           ("Unstable", scoring.UNSTABLE)):  # fmt: skip
        rows = [row for row in result.rows if row.verdict == verdict]
        if rows:
            out.print(f"[bold]{title}[/] ({len(rows)})", highlight=False)
        for row in rows:
            out.print("  " + line(row), highlight=False, markup=False)
    out.print(NOTES, style="dim", highlight=False)
    out.print(DISCLAIMER, style="dim", highlight=False)


def summary(result: ClaimsResult) -> list[str]:
    """Accuracy, baselines and skill in one line each."""
    n = len(result.distinct)
    if not n:
        return ["No claim of the file was scored."]
    sure = sum(g.model != 0 for g in result.distinct)
    low, high = scoring.wilson(result.hits, n)
    lines = [
        f"Accuracy: {result.hits} of {n} distinct scored claims ({_percent(result.hits / n)}, 95 % interval "
        f"{100 * low:.0f} to {100 * high:.0f} %); {result.hits} of the {sure} on which the model is sure."
    ]
    for name, c in result.comparisons.items():
        apart = (
            f"where they disagree ({c.disagree}): model {_percent(c.model_there)}, baseline "
            f"{_percent(c.baseline_there)}"
        )
        lines.append(
            f"Baseline {name}: {_percent(c.accuracy)} (answers {c.answered} of {n}); {apart}. "
            f"It is {baselines.BASELINES[name]}."
        )
    if result.same_whatever is not None:
        lines.append(
            "Other perturbations give a readout the sign that the claim's own gives it in "
            f"{_percent(result.same_whatever)} of cases."
        )
    skill = "not defined" if result.skill is None else f"{result.skill:+.2f}"
    lines.append(
        f"Skill (accuracy minus the best baseline, {result.best_baseline}, where they differ): {skill}."
    )
    return lines


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.0f} %"


def line(row: Row) -> str:
    """A judged claim in one line."""
    claim = row.claim
    numbers = "" if row.p_sign is None else f" P {row.p_sign:.2f}"
    numbers += "" if row.d is None else f", d {row.d:+.2f}"
    return (
        f"{claim.id} ({claim.test_role or 'no role'}) {claim.entity_from} {claim.change_from} -> "
        f"{claim.entity_to} {claim.change_to}:{numbers}; {row.reason}"
    )
