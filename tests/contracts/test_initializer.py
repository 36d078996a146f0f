"""Promises of the base class of initializers."""

from __future__ import annotations

import numpy as np
import pytest

from optbench import Initializer, PluginError, Values


def test_an_initializer_without_a_method_says_so() -> None:
    """The error names the missing methods."""

    class Nothing(Initializer):
        """Nothing."""

        name = "nothing"

    with pytest.raises(PluginError, match=r"'nothing' defines neither `weight` nor `initialize`"):
        Nothing().weight(np.random.default_rng(0), 2, 3, Values({}))
