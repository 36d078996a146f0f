"""The configurations that tuning tries: the default one, then points of a Sobol sequence.

Every entrant has the same number of trials, however many hyperparameters it has. The first trial is
the default configuration, so that tuning never does worse on its own data than not tuning. The
others are the first points of a scrambled Sobol sequence, which are also the first of any larger
budget, so raising a budget repeats no run. A budget of 1 tunes nothing and uses the defaults.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from optbench.contracts import Array, Value
from optbench.data.cache import kept_arrays
from optbench.errors import ConfigError
from optbench.tuning.space import Dimension, Edges, SearchSpace

SOBOL_BITS = 30
"""Binary digits of a coordinate of the unscrambled sequence."""
BITS = 53
"""Binary digits of a coordinate of a scrambled point: all those of a float64 in [0, 1)."""


def search_points(space: SearchSpace, budget: int, stream: str = "") -> list[dict[str, Value]]:
    """Return the configurations to try; each has a value for every hyperparameter.

    Args:
        space: What is tuned.
        budget: Number of trials, at least 1.
        stream: Any text; another text gives other points. With one text for all entrants, those
            that search the same number of hyperparameters search them at the same positions of
            their ranges.

    Returns:
        `budget` configurations, the default one first, or only that one if there is nothing to
        tune.

    Raises:
        ConfigError: The budget is below 1.
    """
    if budget < 1:
        raise ConfigError(f"budget={budget} is not allowed; a whole number >= 1")
    default = space.values_at()
    if not is_searched(space, budget):
        return [default]
    dimensions, choices = space.dimensions(), space.choices()
    points = scrambled_sobol(len(dimensions) + len(choices), budget - 1, f"{stream} | 0")
    return [default, *_configurations(space, dimensions, choices, points)]


def is_searched(space: SearchSpace, budget: int) -> bool:
    """Return whether there is anything to tune, and more than one trial to do it.

    Args:
        space: What is tuned.
        budget: Number of trials, at least 1.
    """
    return budget > 1 and bool(space.dimensions() or space.choices())


def widened_points(
    space: SearchSpace,
    budget: int,
    edges: Edges,
    widened: Sequence[Edges] = (),
    stream: str = "",
) -> list[dict[str, Value]]:
    """Return more configurations to try, in the part by which the ranges at `edges` are extended.

    A range is extended by half of its declared width, as far as values are valid; the others are
    searched as before. There are half as many points as the budget (at least 2).

    Args:
        space: What is tuned.
        budget: Number of trials before any widening.
        edges: The edges found now (`optbench.tuning.trials.find_edges`).
        widened: The edges found before each earlier widening.
        stream: As for `search_points`.
    """
    dimensions = [_beyond(old, edges.get(old.name, "")) for old in space.dimensions(widened)]
    if not any(d.name in edges for d in dimensions):
        return []
    choices = space.choices()
    n_dims = len(dimensions) + len(choices)
    stage = 1 + len(widened)
    points = scrambled_sobol(n_dims, max(budget // 2, 2), f"{stream} | {stage}")
    return _configurations(space, dimensions, choices, points)


def refined_points(
    space: SearchSpace, budget: int, count: int, best: Mapping[str, Value], stream: str = ""
) -> list[dict[str, Value]]:
    """Return more configurations to try, close to the best one so far.

    In each searched hyperparameter they lie within half the spacing of the search points on either
    side of the best one, evenly spaced: two points lie a quarter of the spacing below and above it.
    Valid values beyond the range are used. Choices are those of the best configuration.

    Args:
        space: What is tuned.
        budget: Number of trials before any widening, on which the spacing depends.
        count: Number of points.
        best: The best configuration so far.
        stream: As for `search_points`.

    Returns:
        `count` configurations, or none if no hyperparameter that is tuned has a range.
    """
    dimensions = space.dimensions()
    if not dimensions or not count:
        return []
    spacing = max(budget - 1, 1) ** (-1 / len(dimensions))
    boxes = [d.around(d.coordinate_of(best), spacing / 2) for d in dimensions]
    strata = 2 ** max(math.ceil(math.log2(count)), 1)
    points = scrambled_sobol(len(dimensions), count, f"{stream} | refined")
    centers = (np.floor(points * strata) + 0.5) / strata
    choices = {name: str(best[name]) for name in space.choices()}
    return [space.values_at(boxes, point, choices) for point in centers.tolist()]


def _beyond(old: Dimension, side: str) -> Dimension:
    """Return only the part by which a range is extended, or the range if it is not."""
    new = old.widen(side)
    if new.low < old.low:
        return replace(new, high=old.low)
    if new.high > old.high:
        return replace(new, low=old.high)
    return new


def _configurations(
    space: SearchSpace,
    dimensions: Sequence[Dimension],
    choices: Mapping[str, tuple[str, ...]],
    points: Array,
) -> list[dict[str, Value]]:
    configurations = []
    for point in points.tolist():
        chosen = {
            name: options[min(int(u * len(options)), len(options) - 1)]
            for (name, options), u in zip(choices.items(), point[len(dimensions) :], strict=True)
        }
        configurations.append(space.values_at(dimensions, point[: len(dimensions)], chosen))
    return configurations


def scrambled_sobol(n_dims: int, n: int, stream: str) -> Array:
    """Return the first n points of a scrambled Sobol sequence.

    The first 2^k points of each coordinate lie one in each of 2^k equal intervals. The digits of
    the first coordinate are only shifted, so its first 2^k points are evenly spaced; those of the
    others are first multiplied by random lower triangular matrices, because single coordinates of
    the plain sequence begin alike. Each point is uniform.

    Args:
        n_dims: Number of dimensions, at least 1.
        n: Number of points, at least 1.
        stream: Any text; the scrambling depends on it, and on nothing else.

    Returns:
        Points in [0, 1), shape (n, n_dims).

    Source:
        Matousek (1998), "On the L2-discrepancy for anchored boxes", J. Complexity 14: linear matrix
        scrambling with a digital shift.
    """
    points = _plain_sobol(n_dims, max(math.ceil(math.log2(n)), 0))[:n]
    random = hashlib.shake_128(stream.encode()).digest(8 * n_dims * (1 + BITS))
    words = np.frombuffer(random, dtype="<u8").reshape(n_dims, 1 + BITS) >> np.uint64(64 - BITS)
    digits = [points[:, :1], *(_multiply(points[:, [d]], words[d, 1:]) for d in range(1, n_dims))]
    return np.asarray((np.hstack(digits) ^ words[:, 0]) / 2.0**BITS)


def _multiply(digits: Array, words: Array) -> Array:
    """Multiply binary digits by a random lower triangular matrix with ones on its diagonal.

    Args:
        digits: Coordinates as `BITS`-digit whole numbers, shape (n, 1).
        words: Random bits of the rows of the matrix, from the most significant digit on.
    """
    place = np.arange(BITS - 1, -1, -1, dtype=np.uint64)
    one = np.uint64(1)
    rows = (words >> place | one) << place
    return np.bitwise_or.reduce(
        (np.bitwise_count(digits & rows).astype(np.uint64) & one) << place, axis=1, keepdims=True
    )


@functools.lru_cache(maxsize=64)
def _plain_sobol(n_dims: int, power: int) -> Array:
    """Return the first 2^power points of the sequence as `BITS`-digit whole numbers.

    They are cached on disk, because importing scipy.stats takes longer than everything else in a
    study whose runs are already stored.
    """

    def draw() -> list[Array]:
        from scipy.stats import qmc

        return [qmc.Sobol(n_dims, scramble=False, bits=SOBOL_BITS).random_base2(power)]

    name = f"sobol/scipy{version('scipy')}-plain-{n_dims}-{power}"
    (points,) = kept_arrays(name, draw)
    return (points * 2.0**BITS).astype(np.uint64)
