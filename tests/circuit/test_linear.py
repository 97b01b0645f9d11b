"""Jacobian and elimination are exact."""

import numpy as np
import pytest

from synsys.circuit.drift import SIZE, SLOTS, STATE, drift, inverse_firing, steady_gates
from synsys.circuit.linear import CALCIUM, FAST, KINDS, SLOW, inverse3, jacobian, local_transfer
from synsys.circuit.templates import cells, healthy, with_background

NAMES = list(cells())


@pytest.fixture(scope="module")
def point():
    """Every template off its state of rest, with conductance arriving."""
    rng = np.random.default_rng(0)
    p = healthy(NAMES)
    u = rng.uniform(0.0, 0.3, (3, len(NAMES), SLOTS))
    p, _ = with_background(p, u)
    x = steady_gates(inverse_firing(p.rate, p) + rng.normal(0, 2, p.tau.shape), p)
    x[:, CALCIUM] += rng.uniform(0, 1, p.tau.shape)
    return x, p, u


OMEGA = 2e-3 * np.pi * np.array([0.05, 1.0, 10.0, 40.0, 300.0])


def test_complex_step_equals_central_differences(point) -> None:
    x, p, u = point
    jac = jacobian(x, p, u)
    for k in range(SIZE):
        h = 1e-6
        e = np.zeros((8, SLOTS))
        e[k // SLOTS, k % SLOTS] = h
        want = (drift(x + e, p, u) - drift(x - e, p, u)).reshape(len(NAMES), SIZE) / (2 * h)
        np.testing.assert_allclose(jac.full[:, :, k], want, rtol=1e-5, atol=1e-7)
    for k in range(len(KINDS)):
        e = np.zeros_like(u)
        e[k] = 1e-6
        want = (drift(x, p, u + e) - drift(x, p, u - e)) / 2e-6
        np.testing.assert_allclose(jac.input_v[:, k], want[:, 0], rtol=1e-6)
        np.testing.assert_allclose(jac.input_c[:, k], want[:, CALCIUM], rtol=1e-6, atol=1e-9)
        others = [r for r in range(8) if r not in (0, CALCIUM)]
        assert not want[:, others].any()


def test_elimination_equals_the_dense_solution(point) -> None:
    x, p, u = point
    jac = jacobian(x, p, u)
    got = local_transfer(jac, OMEGA)
    for f, omega in enumerate(OMEGA):
        for n in range(len(NAMES)):
            inverse = np.linalg.inv(1j * omega * np.eye(SIZE) - jac.full[n])
            for k in range(len(KINDS)):
                entry = np.zeros((SIZE, SLOTS))
                entry[range(SLOTS), range(SLOTS)] = jac.input_v[n, k]
                entry[CALCIUM * SLOTS + np.arange(SLOTS), range(SLOTS)] = jac.input_c[n, k]
                want = inverse @ entry
                np.testing.assert_allclose(got.transfer[f, n, :, k], want[:SLOTS], rtol=1e-8, atol=1e-12)
                for row, gate in ((FAST, got.fast), (SLOW, got.slow)):
                    here = slice(row * SLOTS, (row + 1) * SLOTS)
                    np.testing.assert_allclose(
                        want[here], gate[f, n][:, None] * want[:SLOTS], rtol=1e-7, atol=1e-12
                    )


def test_determinant_is_the_characteristic_polynomial(point) -> None:
    x, p, u = point
    jac = jacobian(x, p, u)
    got = local_transfer(jac, OMEGA).det
    for f, omega in enumerate(OMEGA):
        s = 1j * omega
        for n in range(len(NAMES)):
            gates = np.diag(jac.full[n])[SLOTS:]
            want = np.linalg.det(s * np.eye(SIZE) - jac.full[n]) / np.prod(s - gates) / (s + 0.1) ** 3
            assert got[f, n] == pytest.approx(want, rel=1e-8)


def test_determinant_tends_to_one_and_gates_decay(point) -> None:
    x, p, u = point
    jac = jacobian(x, p, u)
    np.testing.assert_allclose(local_transfer(jac, np.array([1e5])).det, 1.0, atol=1e-4)
    rate = np.diagonal(jac.full, axis1=1, axis2=2)[:, SLOTS:]
    assert (rate < 0).all()  # so that every unstable mode is a zero of the determinant


def test_laplace_variable_off_the_axis(point) -> None:
    x, p, u = point
    jac = jacobian(x, p, u)
    s = 0.01 + 0.2j
    got = local_transfer(jac, np.array([s / 1j])).transfer[0, 0, :, 0]
    entry = np.zeros((SIZE, SLOTS))
    entry[range(SLOTS), range(SLOTS)] = jac.input_v[0, 0]
    want = np.linalg.solve(s * np.eye(SIZE) - jac.full[0], entry)[:SLOTS]
    np.testing.assert_allclose(got, want, rtol=1e-9)


def test_jacobian_has_the_zeros_that_the_elimination_leaves_out(point) -> None:
    x, p, u = point
    full = jacobian(x, p, u).full.reshape(-1, len(STATE), SLOTS, len(STATE), SLOTS)
    own = np.eye(SLOTS, dtype=bool)
    used = np.zeros((len(STATE), SLOTS, len(STATE), SLOTS), bool)
    for k in range(len(STATE)):
        used[k, :, k] = used[k, :, 0] = used[0, :, k] = own
    used[0, :, FAST] = used[0, :, SLOW] = used[CALCIUM, :, SLOW] = True
    assert not full[:, ~used].any()


def test_inverse_by_cofactors() -> None:
    rng = np.random.default_rng(2)
    a = rng.standard_normal((5, 4, 3, 3)) + 1j * rng.standard_normal((5, 4, 3, 3))
    inverse, det = inverse3(a)
    np.testing.assert_allclose(inverse @ a, np.broadcast_to(np.eye(3), a.shape), atol=1e-10)
    np.testing.assert_allclose(det, np.linalg.det(a), rtol=1e-10)


def test_static_response_is_the_shift_of_the_state_of_rest(point) -> None:
    _, p, u = point
    rest = with_background(p, u)[0]
    at = steady_gates(inverse_firing(rest.rate, rest), rest)
    jac = jacobian(at, rest, u)
    slow = local_transfer(jac, np.array([1e-9])).transfer[0, :, :, 0, 0].real
    for n in range(len(NAMES)):
        e = np.zeros(SIZE)
        e[0], e[CALCIUM * SLOTS] = jac.input_v[n, 0, 0], jac.input_c[n, 0, 0]
        np.testing.assert_allclose(slow[n], -np.linalg.solve(jac.full[n], e)[:SLOTS], rtol=1e-5, atol=1e-12)
