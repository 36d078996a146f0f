"""Defaults that come from the suite of ``optbench run``."""

from __future__ import annotations

from optbench.suites.defaults import default_dataset


def test_the_default_dataset_is_the_first_of_the_default_suite() -> None:
    """Pictures of signals and sweeps are on real data unless a dataset is named."""
    assert default_dataset() == "digits"
