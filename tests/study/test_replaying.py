"""Comparison of a run with the same run trained again."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import pytest

from optbench.study.replaying import bit_differences
from tests.store.results import NEWER, make_result


def test_the_same_numbers_are_no_difference() -> None:
    """NaN equals NaN."""
    assert bit_differences(make_result(), make_result()) == []


@pytest.mark.parametrize("name", NEWER)
def test_what_an_older_store_lacks_is_compared_where_both_know_it(name: str) -> None:
    """A value that only one of the two has measured is not a difference."""
    before = make_result()
    changed, unknown = (replace(before, **cast(Any, {name: value})) for value in (7.5, math.nan))
    (difference,) = bit_differences(before, changed)
    assert difference.startswith(name.replace("_", " "))
    assert difference.endswith("is 7.5")
    assert bit_differences(unknown, before) == []
