"""Colours that everyone can tell apart."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from optbench.registry import default_registry
from optbench.report.format.palette import (
    COLOURS,
    DASHES,
    _well_known,
    assign_looks,
)

VISION = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
"""Machado, Oliveira & Fernandes 2009, full severity, on linear RGB."""


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    to_lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return to_lab @ np.cbrt(np.clip(to_lms @ rgb, 0, None))


@pytest.mark.parametrize("vision", VISION)
def test_any_two_colours_differ_for_everyone(vision: str) -> None:
    """No two of the eight look alike, with colour blindness either (grey steps of 0.1 differ)."""
    seen = [oklab(VISION[vision] @ linear(c)) for c in COLOURS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.1


@pytest.mark.parametrize("paper", ["#ffffff", "#14171c"])
def test_colours_stand_out_from_light_and_dark_pages(paper: str) -> None:
    """A line is seen on white and on near-black."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    page = float(linear(paper) @ weights)
    for colour in COLOURS:
        ink = float(linear(colour) @ weights)
        assert (max(ink, page) + 0.05) / (min(ink, page) + 0.05) > 3


def test_a_label_has_one_look_whatever_the_order() -> None:
    """Order and repetition of the labels change nothing."""
    assert assign_looks(["sgd", "adam", "lion"]) == assign_looks(["lion", "sgd", "adam", "sgd"])


def test_a_colour_does_not_depend_on_the_study() -> None:
    """A well-known optimizer has its colour among any others, and with a value of the user."""
    alone = {name: assign_looks([name])[name].colour for name in ("adam", "sgd", "momentum")}
    together = assign_looks([*alone, "mine", "yours", "zeta", "adam[lr=0.1]", "muon"])
    assert {name: together[name].colour for name in alone} == alone
    assert assign_looks(["sgd[lr=0.1]", "adam"])["sgd[lr=0.1]"].colour == alone["sgd"]


def test_unknown_names_share_no_colour_while_one_is_free() -> None:
    """The hash of a name decides where it starts, and those that collide move on."""
    names = ["nanny", "boom"]
    assert len({assign_looks([name])[name].colour for name in names}) == 1
    for others in ([], ["adam"], ["adam", "sgd", "momentum", "rmsprop", "adagrad", "adamw"]):
        looks = assign_looks([*others, *names])
        assert looks == assign_looks([*reversed(names), *others])
        assert len({look.colour for look in looks.values()}) == len(looks)


def test_labels_of_one_colour_have_different_markers() -> None:
    """Also where two labels are as many places apart as there are markers."""
    for size in (2, 13, 30, 96):
        looks = assign_looks([f"optimizer-{i:02}" for i in range(size)]).values()
        assert len({(look.colour, look.marker) for look in looks}) == size


def test_the_variants_of_an_optimizer_differ_in_colour() -> None:
    """Up to eight entrants of one optimizer have colours of their own."""
    looks = assign_looks(["adam", *(f"adam[lr=0.{i}]" for i in range(1, 8))])
    assert len({look.colour for look in looks.values()}) == 8


def test_the_table_has_registered_optimizers_only() -> None:
    """A renamed optimizer is renamed in the table too; the classics differ in colour."""
    registered = set(default_registry().entries("optimizers"))
    assert set(_well_known()) <= registered
    classics = ("sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw", "nadam", "lion")
    assert len({_well_known()[name] for name in classics}) == 8
    assert max(Counter(_well_known().values()).values()) <= len(DASHES)


def test_many_labels_stay_apart() -> None:
    """Past eight labels no two share colour and dash."""
    found = assign_looks([f"optimizer-{i:02}" for i in range(30)])
    assert len({(look.colour, look.dash) for look in found.values()}) == 30
