"""What the tests of the adapters have in common.

An adapter runs optimizers of another library. Its tests subclass `AdapterPromises`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pytest

import optbench
from optbench import Array, StepContext, Stepper, Values
from optbench.conformance.metadata_checks import search_ends
from optbench.registry import default_registry
from optbench.registry.fingerprints import fingerprint
from optbench.tuning.search_points import search_points
from optbench.tuning.space import SearchSpace

WORKLOAD: dict[str, Any] = {"dataset": "digits", "epochs": 2, "dtype": "float64", "hidden": (16, 8)}
COMMANDS = (["--help"], ["list"], ["plugins"], ["show", "adam"])
"""Commands that have no need of the library."""
SIZES = (64, 32, 32, 10)
"""Widths of the network on which the cost of a step is measured."""
LAYERS = ((0, 1), (2, 3), (4, 5))
"""Index pairs of its weights and biases."""


ANY_NUMBER = ("ns_coeff", "f_min", "lower_bound")
"""Hyperparameters that may be any number: coefficients of a polynomial, and bounds of a loss."""


@dataclass(frozen=True)
class Adapter:
    """An adapter under test.

    Attributes:
        distribution: Its distribution.
        prefix: First part of the names of its optimizers, with the colon.
        adapt: Returns the Stepper class for a name.
        listed: Names that it lists.
        libraries: Modules that it must not import before one of its optimizers is used.
        version: Version of the library.
    """

    distribution: str
    prefix: str
    adapt: Callable[[str], type[Stepper]]
    listed: Collection[str]
    libraries: tuple[str, ...]
    version: str


class AdapterPromises:
    """Promises of every adapter; the test class of an adapter sets `adapter`."""

    adapter: ClassVar[Adapter]

    def test_another_version_of_the_library_is_another_optimizer(self) -> None:
        """Runs of an older version are not taken for runs of this one."""
        adam = self.adapter.adapt(f"{self.adapter.prefix}adam")
        assert self.adapter.version in adam.version
        older = type(adam.__name__, (adam,), {"version": "0.1"})
        assert fingerprint(adam) != fingerprint(older)

    def test_the_listed_names_come_through_the_entry_point(self) -> None:
        """Installing the distribution is all it takes."""
        listed = default_registry().listed("optimizers")
        assert set(self.adapter.listed) <= set(listed)
        assert listed[f"{self.adapter.prefix}adam"].distribution == self.adapter.distribution

    @pytest.mark.parametrize("arguments", COMMANDS)
    def test_the_library_is_not_imported_unless_it_is_needed(self, arguments: list[str]) -> None:
        """The command line stays fast with the library installed."""
        code = (
            "import sys, contextlib\n"
            "from optbench.cli import main\n"
            f"with contextlib.suppress(SystemExit): main({arguments!r})\n"
            f"sys.exit(any(name in sys.modules for name in {self.adapter.libraries!r}))"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    def test_divergence_is_a_status(self) -> None:
        """Numbers that are not finite end a run, not the study."""
        optimizer = f"{self.adapter.prefix}sgd[lr=1000]"
        assert optbench.train(optimizer, dataset="digits", epochs=2).status == "diverged"

    def test_a_division_by_zero_is_blamed_on_eps(self) -> None:
        """The verdict and its reason are those of the built-in optimizer."""
        theirs, ours = (
            optbench.train(f"{prefix}adam[eps=0]", dataset="digits", epochs=2)
            for prefix in (self.adapter.prefix, "")
        )
        assert theirs.status == "diverged"
        assert theirs.reason == ours.reason
        assert "eps=0" in theirs.reason

    def test_every_hyperparameter_has_a_meaning_and_a_range(self) -> None:
        """Of every listed optimizer; what may be any number at all says so in `ANY_NUMBER`.

        The default is that of the framework, and one of the trials wherever it is tuned.
        """
        for name in self.adapter.listed:
            for key, declared in self.adapter.adapt(name).hypers().items():
                where = f"{name}: {key}"
                assert declared.check(declared.default) == declared.default, where
                assert declared.meaning, where
                assert "argument of" not in declared.meaning, where
                is_any = declared.describe_range() in ("a number", "a whole number", "a word")
                assert not is_any or key.startswith(ANY_NUMBER), where
                if declared.search:
                    assert declared.low <= np.min(search_ends(declared)), where
                    assert declared.high >= np.max(search_ends(declared)), where
                    assert declared.meaning[:1].islower(), where

    def test_the_default_is_the_first_trial(self) -> None:
        """Also where all hyperparameters are tuned."""
        adam = self.adapter.adapt(f"{self.adapter.prefix}adam")
        first = search_points(SearchSpace(adam, {}, "full"), 4, "planted")[0]
        assert first == {key: declared.default for key, declared in adam.hypers().items()}

    def test_names_with_another_prefix_are_not_answered(self) -> None:
        """Another adapter's optimizers are not this one's business."""
        with pytest.raises(optbench.ConfigError, match="no installed plugin knows the prefix"):
            default_registry().optimizer("nobody:adam")


def curve_difference(one: str, other: str) -> float:
    """Return the largest difference between two optimizers' curves of training loss."""
    first, second = (optbench.train(name, **WORKLOAD).curve for name in (one, other))
    return float(np.abs(first["train_loss"] - second["train_loss"]).max())


def check_refusal(
    adapt: Callable[[str], type[Stepper]], name: str, error: type[Exception], reason: str
) -> None:
    """Check that a name is refused in one line that gives the reason."""
    with pytest.raises(error, match=reason) as caught:
        adapt(name)
    assert "\n" not in str(caught.value)


def cases(parametrized: pytest.MarkDecorator, wanted: Callable[[Any, Any], bool]) -> Sequence[Any]:
    """Return the cases of `parametrize_with_checks` that are wanted, by item and check."""
    return [case for case in parametrized.args[1] if wanted(*case.values)]


def buffers(seed: int) -> list[Array]:
    """Return arrays of the shapes of the network's parameters, float32."""
    rng = np.random.default_rng(seed)
    shapes: list[tuple[int, ...]] = [s for a, b in pairwise(SIZES) for s in ((a, b), (b,))]
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def adapted_step(cls: type[Stepper]) -> Callable[[], Any]:
    """Return a function that takes one step of an adapted optimizer on the harness's buffers."""
    stepper, params, grads = cls(), buffers(0), buffers(1)
    h = Values({key: declared.default for key, declared in cls.hypers().items()})
    context = StepContext(0, h, cls.needs, layers=LAYERS)
    state = stepper.init(params, context)
    return lambda: stepper.step(params, grads, state, context)
