"""Shared fixtures."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
DEV_DATA = Path(os.environ.get("SYNSYS_DEV_DATA", REPOSITORY.parent / "shared"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """Development data folder; tests that need it are skipped where it is absent."""
    if not DEV_DATA.is_dir():
        pytest.skip(f"development data folder {DEV_DATA.name!r} is absent (set SYNSYS_DEV_DATA)")
    return DEV_DATA
