"""Promises of reading another library's signature: names, types and ranges, and back again."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from optbench.contracts import hyper
from optbench.errors import ConfigError
from optbench.registry.signatures import Arguments, read_signature


def family(
    params: Any,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0,
    steps: int = 5,
    amsgrad: bool = False,
    form: Literal["sum", "mean"] | None = "sum",
    note: str = "free",
    resets: tuple[int, ...] = (2,),
    limit: float = float("inf"),
    foreach: bool | None = None,
) -> None:
    """A function with every kind of parameter that optimizers have."""


def read() -> Arguments:
    return read_signature(family, skip=("params",))


def defaults(found: Arguments) -> dict[str, Any]:
    return {name: declared.default for name, declared in found.hypers.items()}


def test_numbers_booleans_strings_and_tuples_become_hyperparameters() -> None:
    """A value that can be written in brackets is a hyperparameter, with the library's default."""
    assert defaults(read()) == {
        "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, "steps": 5,
        "amsgrad": False, "form": "sum", "note": "free", "reset1": 2,
    }  # fmt: skip


def test_other_defaults_are_left_to_the_function() -> None:
    """None and infinity are left to the library, and named."""
    assert read().left_out == ("limit", "foreach")
    assert read().missing == ()


def test_a_default_of_0_stays_a_float_where_the_name_is_known() -> None:
    """Also without an annotation: a decay of weights that could only be whole is of no use."""

    def bare(params, lr=0.1, weight_decay=0):  # type: ignore[no-untyped-def]
        """Have no annotations."""

    declared = read_signature(bare, skip=("params",)).hypers["weight_decay"]
    assert declared.check(0.01) == 0.01


def test_a_float_with_a_default_written_as_0_is_a_float() -> None:
    """weight_decay=0.01 is allowed although the library writes its default as 0."""
    hypers = read().hypers
    assert hypers["weight_decay"].check(0.01) == 0.01
    with pytest.raises(ConfigError, match="a whole number"):
        hypers["steps"].check(0.5)
    with pytest.raises(ConfigError, match="one of sum, mean"):
        hypers["form"].check("product")


def test_only_what_differs_is_passed_on_and_tuples_are_put_together() -> None:
    """The function keeps its own defaults."""
    found = read()
    values = defaults(found)
    assert found.bind(values) == {"lr": 1e-3}
    changed = found.bind(values | {"lr": 0.5, "beta2": 0.9, "reset1": 3, "form": "mean"})
    assert changed == {"lr": 0.5, "betas": (0.9, 0.9), "resets": (3,), "form": "mean"}


@pytest.mark.parametrize(
    ("default", "expected", "span"),
    [
        (1e-3, 1e-3, (1e-5, 1e-1)),
        (1.0, 1.0, (0.01, 10.0)),
        (None, 1e-3, (1e-5, 1e-1)),
        (0, 1e-5, (1e-7, 1e-4)),
    ],
)
def test_the_learning_rate_is_called_lr_and_searched_around_its_default(
    default: Any, expected: float, span: tuple[float, float]
) -> None:
    """Schedules and tuning find the learning rate, whatever its name and default."""

    def function(learning_rate: Any = default) -> None: ...

    found = read_signature(function)
    lr = found.hypers["lr"]
    assert lr.default == expected
    assert lr.search == pytest.approx(span)
    assert found.bind({"lr": 7.0}) == {"learning_rate": 7.0}


def test_the_learning_rate_is_marked_as_the_rate() -> None:
    """Whatever it is called in the library; a function without one has none."""

    def function(step_size: float = 0.1, decay: float = 0.2) -> None: ...

    found = read_signature(function, lr_names=("step_size",))
    assert {name for name, declared in found.hypers.items() if declared.rate} == {"lr"}
    assert not read_signature(function).hypers["step_size"].rate


def test_knowledge_gives_ranges_unless_it_contradicts_the_default() -> None:
    """A range by name is used if the default lies in it."""

    def function(decay: float = 0.9, momentum: float = 2.0, required: int = ...) -> None: ...

    known = {"decay": hyper(0.0, "decay", low=0, high=1, one_minus_log_range=(0.1, 0.5))}
    found = read_signature(function, known=known)
    assert (found.hypers["decay"].search, found.hypers["decay"].default) == ((0.1, 0.5), 0.9)
    assert found.hypers["momentum"].search is None


def test_parameters_without_a_default_are_named() -> None:
    """An adapter can say what it cannot fill in."""

    def function(model: Any, size: int, lr: float = 0.1) -> None: ...

    assert read_signature(function).missing == ("model", "size")


def test_a_name_that_steppers_use_themselves_gets_an_underscore() -> None:
    """A class made with these hyperparameters keeps its own attributes."""

    def function(variant: str = "sps", step: int = 3) -> None: ...

    found = read_signature(function)
    assert list(found.hypers) == ["variant_", "step_"]
    assert found.bind({"variant_": "other", "step_": 3}) == {"variant": "other"}


def test_what_is_known_of_a_name_is_its_meaning_of_any_type() -> None:
    """Of numbers, truth values and words; a default of another type is left alone."""

    def planted(params: Any, slow: float = 0.5, fast: bool = False, form: str = "a") -> None: ...

    known = {
        "slow": hyper(0.0, "a number", low=0, high=1),
        "fast": hyper(True, "a switch"),
        "form": hyper("b", "a word", choices=("a", "b")),
    }
    hypers = read_signature(planted, skip=("params",), known=known).hypers
    assert [each.meaning for each in hypers.values()] == ["a number", "a switch", "a word"]
    assert [each.default for each in hypers.values()] == [0.5, False, "a"]
    assert hypers["slow"].high == 1
    assert hypers["form"].choices == ("a", "b")
    other = {"fast": hyper(1.0, "a number"), "slow": hyper(True, "a switch")}
    hypers = read_signature(planted, skip=("params",), known=other).hypers
    assert {each.meaning for each in hypers.values()} == {"argument of planted"}


def test_a_call_is_the_way_back_to_the_library() -> None:
    """The line has every hyperparameter in braces, and the values of a tuple in one argument."""
    line = (
        read().call("record", "params").format(**{n: repr(v) for n, v in defaults(read()).items()})
    )
    given = eval(line, {"record": lambda params, **given: given, "params": None})
    assert given == {
        "lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "steps": 5,
        "amsgrad": False, "form": "sum", "note": "free", "resets": (2,),
    }  # fmt: skip
