"""`world`: an empty account in memory, with every setting at its default."""

from __future__ import annotations

import pytest

from tests.rules.world import World


@pytest.fixture
def world() -> World:
    return World()
