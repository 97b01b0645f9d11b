"""Write the output block and the picture of README.md from one real run, and constants into docs/model.md.

Usage: python tools/readme_output.py [--draws 32] [--check] [--constants]

The run is ``synsys cascade --perturb GRIN2B=0.7`` on the embedded brain. ``--constants`` only copies the
values of declared constants from the source into docs/model.md. ``--check`` writes nothing and exits with
1 if the block in README.md is not what the run prints.
"""

import argparse
import base64
import io
import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console

import synsys
from synsys.core.schema import print_result
from synsys.data.embedded import load_surface
from synsys.report.figures_brain import scale_end, surface_maps

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "img" / "cascade.png"
CHANGE = "GRIN2B=0.7"
MARKS = ("<!-- output: written by tools/readme_output.py -->", "<!-- end of output -->")
ROWS = 8
"""Most changed readouts that the block shows; the command shows more."""
HEALTHY, CHANGED = "#4d4d4d", "#b2182b"


def block(tree: xr.DataTree) -> str:
    """The fenced block: the command and what it prints in a terminal of 80 columns."""
    text = io.StringIO()
    print_result(tree, Console(file=text, width=80, color_system=None), most=ROWS)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    return "\n".join(["```console", f"$ synsys cascade --perturb {CHANGE}", *lines, "```"])


def picture(tree: xr.DataTree) -> bytes:
    """Surface, spectra and connectivity of both states, as PNG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    cortex = tree["regions"]["structure"].values == "cortex"
    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10}
    with rc_context(style):
        figure = Figure(figsize=(10, 6.0))
        top, bottom = figure.add_gridspec(2, 1, height_ratios=(1.0, 1.25), hspace=0.28, top=0.9, bottom=0.09,
                                          left=0.07, right=0.96)  # fmt: skip
        percent = 100 * np.expm1(tree["regions"]["rate_change"].values)
        limit = scale_end(percent[cortex])
        labels = tree["regions"]["region"].values
        values = dict(zip(labels[cortex], percent[cortex], strict=True))
        slots = top.subgridspec(1, 5, width_ratios=(1, 1, 1, 1, 0.06), wspace=0.04)
        for k, (title, data) in enumerate(surface_maps(values, limit, load_surface())):
            axes = figure.add_subplot(slots[k])
            axes.imshow(imread(io.BytesIO(base64.b64decode(data.split(",", 1)[1]))))
            axes.set_title(title, fontsize=8.5, color="#555555")
            axes.axis("off")
        scale = figure.add_subplot(slots[4])
        scale.imshow(
            np.linspace(1, -1, 64)[:, None], cmap="RdBu_r", aspect="auto", extent=(0, 1, -limit, limit)
        )
        scale.set_xticks([])
        scale.yaxis.tick_right()
        scale.set_title("%", fontsize=8.5)
        left, middle, right = bottom.subgridspec(1, 3, width_ratios=(1.35, 1, 1), wspace=0.35)
        spectra(figure.add_subplot(left), tree, cortex)
        fc = tree["fc"]["fc"].median("draw")
        before, after = fc.sel(state="reference").values, fc.sel(state="perturbed").values
        order = np.lexsort((labels, tree["regions"]["network"].values, ~cortex))
        for slot, matrix, title in (
            (middle, before, "BOLD FC, healthy"),
            (right, after - before, "change of FC"),
        ):
            axes = figure.add_subplot(slot)
            shown = matrix[np.ix_(order, order)].copy()
            np.fill_diagonal(shown, np.nan)
            end = np.nanpercentile(np.abs(shown), 99)
            image = axes.imshow(shown, cmap="RdBu_r", vmin=-end, vmax=end)
            axes.set(title=title, xticks=[], yticks=[])
            figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
        figure.suptitle(
            f"{CHANGE}: change of pyramidal firing rate ({tree.attrs['brain']}, {tree.attrs['draws']} draws)",
            x=0.02, ha="left", fontsize=11, fontweight="bold",
        )  # fmt: skip
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    return shrunk(buffer.getvalue())


def spectra(axes, tree: xr.DataTree, cortex: np.ndarray) -> None:
    """Cortical spectra of both states: median over draws, and the band of 90 % of them."""
    power = tree["spectra"]["power"]
    frequency = power["frequency"].values
    mean = np.log10(power.values[:, :, cortex]).mean(2)  # state, draw, frequency
    for k, (name, colour) in enumerate((("healthy", HEALTHY), (CHANGE, CHANGED))):
        low, middle, high = 10 ** np.nanpercentile(mean[k], (5, 50, 95), axis=0)
        axes.fill_between(frequency, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(frequency, middle, color=colour, label=name)
    axes.set(xscale="log", yscale="log", xlabel="Hz", ylabel="mV²/Hz", title="cortical spectrum")
    axes.set_xticks([1, 2, 4, 8, 13, 30, 60, 100], ["1", "2", "4", "8", "13", "30", "60", "100"])
    axes.minorticks_off()
    axes.legend(frameon=False)


def shrunk(data: bytes) -> bytes:
    """The same picture with a palette of 192 colours."""
    from PIL import Image

    image = Image.open(io.BytesIO(data)).convert("RGB").quantize(192, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def constants(text: str) -> str:
    """The table of declared constants of docs/model.md with the values that the source has."""

    def row(match: re.Match[str]) -> str:
        module, name = match[1].rsplit(".", 1)
        values = np.atleast_1d(getattr(import_module(module), name))
        return f"| `{match[1]}` | {', '.join(np.format_float_positional(v, trim='-') for v in values)} |"

    return re.sub(r"^\| `(synsys\.[\w.]+)` \| [\d., ]+ \|", row, text, flags=re.MULTILINE)


def main() -> int:
    """Run, then write or compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=32)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--constants", action="store_true")
    given = parser.parse_args()
    if not given.check:
        model = ROOT / "docs" / "model.md"
        model.write_text(constants(model.read_text(encoding="utf-8")), encoding="utf-8")
    if given.constants:
        return 0
    tree = synsys.cascade(CHANGE, draws=given.draws)
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    made = f"{MARKS[0]}\n{block(tree)}\n{MARKS[1]}"
    new = re.sub(f"{re.escape(MARKS[0])}.*?{re.escape(MARKS[1])}", lambda _: made, text, flags=re.DOTALL)
    if given.check:
        print("README.md is up to date" if new == text else "README.md is out of date")
        return int(new != text)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_bytes(picture(tree))
    readme.write_text(new, encoding="utf-8")
    print(f"README.md and {PICTURE.relative_to(ROOT)} ({PICTURE.stat().st_size / 1024:.0f} KiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
