"""Reference values of measures in time, from other implementations in an environment of their own.

Needs specparam, antropy, mne-connectivity and tensorpac, which the package itself does not; run it from the
root of the repository with the root on the path: ``PYTHONPATH=. python tools/reference_measures.py``.
"""

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tests.measures import known_signals as known

OUT = Path("tests/measures")
COMMAND = "PYTHONPATH=. python tools/reference_measures.py"


def write(name: str, tool: str, columns: str, rows: Iterable[tuple]) -> None:
    """One table with a first line that says where it is from."""
    lines = [f"# {tool} {version(tool)}: {COMMAND}", columns]
    lines += [",".join(v if isinstance(v, str) else repr(float(v)) for v in row) for row in rows]
    (OUT / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def entropies() -> Iterable[tuple]:
    """Sample and permutation entropy and Lempel-Ziv complexity, by series."""
    import antropy

    for name, x in known.series().items():
        above = (x > np.median(x)).astype(int)
        yield (
            name,
            antropy.sample_entropy(x, 2, 0.2 * x.std()),
            antropy.perm_entropy(x, 3, 1, normalize=True),
            antropy.perm_entropy(x, 4, 2, normalize=True),
            antropy.lziv_complexity("".join(map(str, above)), normalize=True),
        )


def couplings() -> Iterable[tuple]:
    """Four measures of each pair of channels at each frequency."""
    from mne_connectivity import spectral_connectivity_epochs

    methods = ["coh", "plv", "wpli", "wpli2_debiased"]
    found = spectral_connectivity_epochs(
        known.trials(), method=methods, mode="fourier", sfreq=known.RATE, fmin=8, fmax=20, verbose=False
    )
    dense = [one.get_data("dense") for one in found]
    for k, frequency in enumerate(found[0].freqs):
        for a in range(4):
            for b in range(a):
                yield (frequency, b, a, *(matrix[a, b, k] for matrix in dense))


def modulations() -> Iterable[tuple]:
    """Modulation index of each channel."""
    from tensorpac.methods import modulation_index

    phase, amplitude = known.phase_and_amplitude()
    for k in range(3):
        yield k, modulation_index(phase[None, k : k + 1], amplitude[None, k : k + 1], 18).item()


def slopes() -> Iterable[tuple]:
    """Offset, exponent, knee, and centre, height and bandwidth of the peaks, by spectrum."""
    from specparam import SpectralModel

    for name, power in known.spectra().items():
        model = SpectralModel(
            peak_width_limits=(1, 12), max_n_peaks=8, min_peak_height=0.05, peak_threshold=2.0,
            aperiodic_mode="knee" if name == "knee" else "fixed", verbose=False,
        )  # fmt: skip
        model.fit(known.FREQUENCIES, power)
        slope = model.get_params("aperiodic")
        offset, knee, exponent = slope if name == "knee" else (slope[0], 0.0, slope[1])
        for peak in np.atleast_2d(model.get_params("peak")):
            yield (name, offset, exponent, knee, *peak)


if __name__ == "__main__":
    write("known_entropies.csv", "antropy", "series,sample,order3,order4_delay2,lempel_ziv", entropies())
    write("known_coupling.csv", "mne-connectivity", "frequency,first,second,coh,plv,wpli,dwpli2", couplings())
    write("known_modulation.csv", "tensorpac", "channel,index", modulations())
    write("known_spectra.csv", "specparam", "spectrum,offset,exponent,knee,centre,height,bandwidth", slopes())
