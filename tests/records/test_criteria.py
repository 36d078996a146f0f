"""Baseline and regions of practical equivalence, as a user writes them."""

from __future__ import annotations

import math

import msgspec
import pytest

from optbench.errors import ConfigError
from optbench.records import BOARD_NAMES, REGIONS, USUAL_REGIONS, Criteria
from optbench.records.criteria import parse_region


def test_the_usual_regions_are_written_as_they_are() -> None:
    """What help texts name as usual is what counts when nothing is given."""
    parts = dict(part.split("=") for part in USUAL_REGIONS.split(", "))
    assert {name: parse_region(name, value) for name, value in parts.items()} == REGIONS
    assert {name: Criteria().region(name) for name in BOARD_NAMES} == REGIONS


def test_a_region_is_a_number_or_a_percentage() -> None:
    """On the speed board it is a share of the time, whose unit is a power of two."""
    assert parse_region("final-loss", "5%") == parse_region("final-loss", 0.05) == 0.05
    assert parse_region("speed", "100%") == 1.0
    assert parse_region("speed", 0.2) == math.log2(1.2)


@pytest.mark.parametrize("value", ["", "0", "-0.1", "nan", "inf", "1.01", "200%", "wide", "%"])
def test_a_region_that_makes_no_sense_is_refused(value: str) -> None:
    """With the value and what is allowed."""
    with pytest.raises(ConfigError, match=f"region speed={value} is not allowed; a number above 0"):
        parse_region("speed", value)


def test_unknown_names_are_answered_with_the_nearest_one() -> None:
    """Boards and baselines alike."""
    with pytest.raises(ConfigError, match="unknown board of a region 'sped'; did you mean 'speed'"):
        parse_region("sped", 0.1)
    with pytest.raises(ConfigError, match="for the baseline 'adm'; did you mean 'adam'"):
        Criteria(baseline="adm").check_baseline(["adam", "sgd"])
    Criteria().check_baseline([])


def test_a_change_keeps_what_is_not_given() -> None:
    """Regions board by board; an empty baseline removes it."""
    criteria = Criteria().change("adam", {"speed": 1}).change(regions={"stability": 0.1})
    assert criteria == Criteria(baseline="adam", regions={"speed": 1.0, "stability": 0.1})
    assert criteria.change("").baseline == ""
    assert msgspec.json.decode(msgspec.json.encode(criteria), type=Criteria) == criteria
