"""The inverse by blocks is the inverse, also where blocks have none."""

import numpy as np
import pytest

from synsys.brain.inverse import CHUNK, invert


def matrices(count: int, n: int, size: float = 0.4) -> np.ndarray:
    rng = np.random.default_rng(n)
    noise = rng.standard_normal((count, n, n)) + 1j * rng.standard_normal((count, n, n))
    return np.eye(n) - size * noise / np.sqrt(n)


@pytest.mark.parametrize("n", [1, 2, 9, 13, 37, 88])
@pytest.mark.parametrize("count", [1, CHUNK + 3])
def test_inverse_and_determinant(n: int, count: int) -> None:
    a = matrices(count, n)
    inverse, log_det = invert(a)
    np.testing.assert_allclose(inverse, np.linalg.inv(a), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.exp(log_det), np.linalg.det(a), rtol=1e-10)


def test_blocks_without_an_inverse_leave_the_matrix_its_own() -> None:
    n = 40
    a = np.concatenate([matrices(3, n), np.roll(np.eye(n), n // 2, 1)[None], matrices(2, n)])
    assert np.linalg.matrix_rank(a[3, : n // 2, : n // 2]) == 0
    inverse, log_det = invert(a)
    np.testing.assert_allclose(inverse, np.linalg.inv(a), atol=1e-12)
    np.testing.assert_allclose(np.exp(log_det), np.linalg.det(a), rtol=1e-10)


def test_nearly_singular_blocks_are_noticed() -> None:
    a = matrices(1, 60)
    a[0, :30, :30] *= 1e-12
    np.testing.assert_allclose(a @ invert(a)[0], np.eye(60)[None], atol=1e-9)


def test_a_singular_matrix_is_an_error() -> None:
    a = matrices(1, 30)
    a[0, 3] = a[0, 4] = 0.0
    with pytest.raises(np.linalg.LinAlgError):
        invert(a)


def test_nothing_to_invert() -> None:
    inverse, log_det = invert(np.empty((4, 0, 0), complex))
    assert inverse.shape == (4, 0, 0)
    np.testing.assert_array_equal(log_det, 0.0)
