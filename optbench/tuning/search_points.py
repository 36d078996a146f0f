"""The configurations that tuning tries: points of a scrambled Sobol sequence.

Every entrant has the same number of trials, however many hyperparameters it has. The trials are
the first points of the sequence, which are also the first of any larger budget, so raising a budget
repeats no run. The default configuration is not one of them: trials are then exchangeable, which
budget curves rely on, and no optimizer profits from defaults that happen to suit a suite. The
ruleset ``defaults`` exists for that. A budget of 1 tunes nothing and uses the defaults.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from optbench.contracts import Array, Value
from optbench.data.cache import kept_arrays
from optbench.errors import ConfigError
from optbench.tuning.space import Dimension, Edges, SearchSpace

STREAM = 0x50B01
"""Separates the random stream of search points from the streams of training."""


def sobol_points(space: SearchSpace, budget: int, seed: int = 0) -> list[dict[str, Value]]:
    """Return the configurations to try; each has a value for every hyperparameter.

    Args:
        space: What is tuned.
        budget: Number of trials, at least 1.
        seed: Seed of the scrambling. With one seed for all entrants, those that search a single
            hyperparameter search it at the same positions of their ranges.

    Returns:
        `budget` configurations, or only the default one when there is nothing to tune.

    Raises:
        ConfigError: The budget is below 1.
    """
    if budget < 1:
        raise ConfigError(f"budget={budget} is not allowed; a whole number >= 1")
    dimensions, choices = space.dimensions(), space.choices()
    if budget == 1 or not (dimensions or choices):
        return [space.values_at()]
    points = scrambled_sobol(len(dimensions) + len(choices), budget, seed)
    return _configurations(space, dimensions, choices, points)


def widened_points(
    space: SearchSpace,
    budget: int,
    edges: Edges,
    widened: Sequence[Edges] = (),
    seed: int = 0,
) -> list[dict[str, Value]]:
    """Return more configurations to try, in the part by which the ranges at `edges` are extended.

    A range is extended by half of its declared width, as far as values are valid; the others are
    searched as before. There are half as many points as the budget (at least 2).

    Args:
        space: What is tuned.
        budget: Number of trials before any widening.
        edges: The edges found now (`optbench.tuning.trials.find_edges`).
        widened: The edges found before each earlier widening.
        seed: As for `sobol_points`.
    """
    dimensions = [_beyond(old, edges.get(old.name, "")) for old in space.dimensions(widened)]
    if not any(d.name in edges for d in dimensions):
        return []
    choices = space.choices()
    n_dims = len(dimensions) + len(choices)
    points = scrambled_sobol(n_dims, max(budget // 2, 2), seed, 1 + len(widened))
    return _configurations(space, dimensions, choices, points)


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


@functools.lru_cache(maxsize=256)
def scrambled_sobol(n_dims: int, n: int, *seeds: int) -> Array:
    """Return the first n points of a scrambled Sobol sequence.

    They are cached on disk, because importing scipy.stats takes longer than everything else in a
    study whose runs are already stored.

    Args:
        n_dims: Number of dimensions, at least 1.
        n: Number of points, at least 1.
        *seeds: Seeds of the scrambling.

    Returns:
        Points in [0, 1), shape (n, n_dims).
    """
    power = max(math.ceil(math.log2(n)), 0)

    def draw() -> list[Array]:
        from scipy.stats import qmc

        rng = np.random.default_rng([STREAM, *(s % 2**32 for s in seeds)])
        return [qmc.Sobol(n_dims, scramble=True, seed=rng).random_base2(power)]

    versions = f"scipy{version('scipy')}-numpy{np.__version__}"
    name = "-".join(map(str, (versions, n_dims, power, *seeds)))
    return kept_arrays(f"sobol/{name}", draw)[0][:n]
