"""What channels of a signal have in common, before anything else is asked of them."""

import numpy as np

from synsys.measures.signals import correlations


def test_correlations_are_pearsons_and_a_still_channel_has_none():
    x = np.random.default_rng(0).standard_normal((6, 300)) @ np.diag(np.linspace(1, 2, 300))
    x[1] += 0.5 * x[0]
    np.testing.assert_allclose(correlations(x), np.corrcoef(x), atol=1e-12)
    x[3] = 4.0
    r = correlations(x)
    assert r[3, 3] == 1
    assert (np.delete(r[3], 3) == 0).all()
