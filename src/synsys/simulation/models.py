"""Reference models: what the field compares against."""

import numpy as np

from synsys.simulation.model import Model, Parameter

P = Parameter
NEAR = 1e-3
"""Argument (Hz) of the transfer function below which it is held, where the formula turns to 0 / 0; the rate
is right there to 1 in 10^4."""


def _transfer(current, a, b, d):
    """Rate (Hz) of an input current (nA): (a I - b) / (1 - exp(-d (a I - b)))."""
    y = a * current - b
    y = np.where(np.abs(y) < NEAR, NEAR, y)
    return y / (1.0 - np.exp(-d * y))


def _ww_rates(x, p, coupling):
    excitatory = p.W_E * p.I_0 + p.w_plus * p.J_NMDA * x.S_E + p.G * p.J_NMDA * coupling - p.J_I * x.S_I
    inhibitory = p.W_I * p.I_0 + p.J_NMDA * x.S_E - x.S_I
    return _transfer(excitatory, p.a_E, p.b_E, p.d_E), _transfer(inhibitory, p.a_I, p.b_I, p.d_I)


def _ww_observed(x, p, u):
    r_e, r_i = _ww_rates(x, p, u.S_E)
    return {"S_E": x.S_E, "S_I": x.S_I, "rate_E": r_e, "rate_I": r_i}


def _ww_drift(x, p, u):
    r_e, r_i = _ww_rates(x, p, u.S_E)
    return (
        -x.S_E / p.tau_E + (1.0 - x.S_E) * p.gamma * r_e * 1e-3,
        -x.S_I / p.tau_I + r_i * 1e-3,
    )


wong_wang = Model(
    name="wong_wang",
    states={"S_E": 0.16, "S_I": 0.04},
    parameters={
        "G": P(1.0, "", "global coupling"),
        "J_I": P(1.0, "nA", "inhibitory onto excitatory"),
        "sigma": P(0.01, "1/sqrt(ms)", "noise on both gates"),
        "w_plus": P(1.4, "", "local recurrence"),
        "J_NMDA": P(0.15, "nA", "excitatory coupling"),
        "I_0": P(0.382, "nA", "external input"),
        "W_E": P(1.0, "", "share of it to excitatory cells"),
        "W_I": P(0.7, "", "to inhibitory cells"),
        "a_E": P(310.0, "1/nC"),
        "b_E": P(125.0, "Hz"),
        "d_E": P(0.16, "s"),
        "a_I": P(615.0, "1/nC"),
        "b_I": P(177.0, "Hz"),
        "d_I": P(0.087, "s"),
        "gamma": P(0.641, "", "kinetic factor"),
        "tau_E": P(100.0, "ms", "NMDA"),
        "tau_I": P(10.0, "ms", "GABA"),
    },
    drift=_ww_drift,
    emits=lambda x, p: {"S_E": x.S_E},
    observed=_ww_observed,
    noise={"S_E": "sigma", "S_I": "sigma"},
    bounds={"S_E": (0.0, 1.0), "S_I": (0.0, 1.0)},
)
"""Reduced Wong-Wang model with excitatory and inhibitory populations (Deco et al. 2014, J Neurosci 34:7886,
eqs. 1-10)."""


def _hopf_drift(x, p, u):
    size = p.a - x.x**2 - x.y**2
    turn = 2e-3 * np.pi * p.frequency
    return (
        p.pace * size * x.x - turn * x.y + p.G * (u.x - p.strength * x.x),
        p.pace * size * x.y + turn * x.x + p.G * (u.y - p.strength * x.y),
    )


hopf = Model(
    name="hopf",
    states={"x": 0.1, "y": 0.0},
    parameters={
        "a": P(-0.02, "", "bifurcation parameter"),
        "frequency": P(0.05, "Hz"),
        "pace": P(1e-3, "1/ms", "rate of the local dynamics"),
        "G": P(0.0, "1/ms", "global coupling"),
        "strength": P(1.0, "", "summed weights onto each region, which diffusive coupling takes away"),
        "sigma": P(0.02 / 1e3**0.5, "1/sqrt(ms)"),
    },
    drift=_hopf_drift,
    emits=lambda x, p: {"x": x.x, "y": x.y},
    observed=lambda x, p, u: {"x": x.x, "y": x.y},
    noise={"x": "sigma", "y": "sigma"},
)
"""Normal form of a supercritical Hopf bifurcation with diffusive coupling (Deco et al. 2017, Sci Rep 7:3095,
eqs. 2-3)."""


def _kuramoto_drift(x, p, u):
    pull = np.cos(x.phase) * u.sine - np.sin(x.phase) * u.cosine
    return (2e-3 * np.pi * p.frequency + p.G * pull,)


kuramoto = Model(
    name="kuramoto",
    states={"phase": 0.0},
    parameters={
        "frequency": P(10.0, "Hz"),
        "G": P(0.0, "1/ms", "global coupling"),
        "sigma": P(0.0, "rad/sqrt(ms)"),
    },
    drift=_kuramoto_drift,
    emits=lambda x, p: {"sine": np.sin(x.phase), "cosine": np.cos(x.phase)},
    observed=lambda x, p, u: {"sine": np.sin(x.phase), "cosine": np.cos(x.phase), "phase": x.phase},
    noise={"phase": "sigma"},
    periodic={"phase": 2 * np.pi},
)
"""Phase oscillators, dtheta_i = 2 pi f_i + G sum_j W_ij sin(theta_j - theta_i) (Kuramoto 1984; the sine of a
difference as products of sines and cosines, so that regions send two numbers each)."""

MODELS = {model.name: model for model in (wong_wang, hopf, kuramoto)}
