"""``adam[lr=0.01,schedule=cosine]``: valid values are read back, all others are one clear line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from optbench import trajectory
from optbench.contracts import Hyper
from optbench.engine.specs import make_entrant
from optbench.errors import ConfigError
from optbench.hyperparameters import (
    CONTROL_HYPERS,
    check_values,
    complete,
    parse_spelling,
    split_control,
)
from optbench.records import StepControl, changed, spell
from optbench.registry import default_registry

REGISTRY = default_registry()
CONTROLS = {
    **CONTROL_HYPERS,
    "schedule": Hyper("constant", choices=tuple(REGISTRY.entries("schedules")), name="schedule"),
}
"""Options of every optimizer, with the registered schedules."""
OPTIMIZERS = sorted(REGISTRY.entries("optimizers"))
INITIALIZERS = sorted(REGISTRY.entries("initializers"))


def allowed(declared: Hyper) -> st.SearchStrategy[Any]:
    """Draw values that a hyperparameter allows."""
    if declared.choices:
        return st.sampled_from(declared.choices)
    if declared.kind is bool:
        return st.booleans()
    low = None if declared.low == -math.inf else declared.low
    high = None if declared.high == math.inf else declared.high
    if declared.kind is int:
        most = 2**53
        return st.integers(
            max(math.ceil(low), -most) if low is not None else -most,
            min(math.floor(high), most) if high is not None else most,
        )
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


def refused(declared: Hyper) -> st.SearchStrategy[Any]:
    """Draw values that it refuses: out of range, not a number, or of another type."""
    wrong: st.SearchStrategy[Any] = st.sampled_from(
        [math.nan, math.inf, -math.inf, "fast", "1e", "", None, [], {}, 1j, b"1", object, 10**400]
    )
    if declared.kind is str and not declared.choices:
        return wrong.filter(lambda value: not isinstance(value, str)) | st.floats()
    if declared.choices or declared.kind is bool:
        return wrong | st.floats()
    if declared.kind is int:
        wrong |= st.sampled_from([0.5, 2**53 + 1.5, True])
    if declared.low > -math.inf:
        wrong |= st.floats(max_value=declared.low, exclude_max=True)
    if declared.high < math.inf:
        wrong |= st.floats(min_value=declared.high, exclude_min=True)
    return wrong


def some(hypers: dict[str, Hyper]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw values for some of these hyperparameters."""
    return st.fixed_dictionaries({}, optional={name: allowed(h) for name, h in hypers.items()})


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(data=st.data())
def test_values_of_an_optimizer_are_read_back(name: str, data: Any) -> None:
    """Every digit of every value survives, with schedule and clipping beside them."""
    optimizer = REGISTRY.optimizer(name)
    own = optimizer.hypers()
    controls = {key: h for key, h in CONTROLS.items() if key not in own}
    if "lr" not in own:
        controls = {key: controls[key] for key in controls.keys() & {"clip_norm", "final"}}
    given_values = data.draw(some(own))
    control = StepControl(**data.draw(some(controls)))
    text = spell(name, {**given_values, **changed(control)})
    parsed_name, values = parse_spelling(text)
    assert parsed_name == name
    assert split_control(optimizer, values) == (given_values, control)
    all_values = complete(optimizer, given_values)
    assert complete(optimizer, parse_spelling(spell(name, all_values))[1]) == all_values


@pytest.mark.parametrize("name", INITIALIZERS)
@given(data=st.data())
def test_values_of_an_initializer_are_read_back(name: str, data: Any) -> None:
    """Every digit of every value survives."""
    initializer = REGISTRY.initializer(name)
    given_values = data.draw(some(initializer.hypers()))
    parsed_name, values = parse_spelling(spell(name, given_values))
    assert (parsed_name, check_values(initializer, values)) == (name, given_values)


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(data=st.data())
def test_a_value_that_an_optimizer_refuses_is_named(name: str, data: Any) -> None:
    """The error has the value and what is allowed."""
    optimizer = REGISTRY.optimizer(name)
    hypers = {**CONTROL_HYPERS, **optimizer.hypers()}
    key = data.draw(st.sampled_from(sorted(hypers)))
    value = data.draw(refused(hypers[key]))
    with pytest.raises(ConfigError) as caught:
        split_control(optimizer, {key: value})
    text = str(caught.value)
    assert f"{key}=" in text
    assert f"is not allowed; {hypers[key].describe_range()}" in text
    assert text.isprintable()


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(key=st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1))
@example("lrr")
def test_an_unknown_hyperparameter_is_named_with_the_known_ones(name: str, key: str) -> None:
    """The error has the nearest name, or all names."""
    optimizer = REGISTRY.optimizer(name)
    assume(key not in {**CONTROL_HYPERS, **optimizer.hypers()})
    with pytest.raises(ConfigError, match=r"did you mean '\w+'\?|known: \w+") as caught:
        split_control(optimizer, {key: 1})
    assert f"'{key}'" in str(caught.value)


def test_an_unknown_schedule_is_refused_with_the_nearest_one() -> None:
    """In a study as well as on a function."""
    spelling = "adam[schedule=cosin]"
    for use in (
        lambda: make_entrant(spelling),
        lambda: trajectory(spelling, lambda x: (0.0, x), np.ones(1), 1),
    ):
        with pytest.raises(ConfigError, match=r"unknown schedule 'cosin'; did you mean 'cosine'"):
            use()


pieces = st.sampled_from(
    [*"[]=,.-_ \n\t\x00\x1b٣🙂", "adam", "lr", "lr=0.1", "schedule=cosine", "nan", "inf", "1e999",
     "1_000", "0x1", "true", "9" * 5000, "\udcff", "]]", "=="]
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map("".join) | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Text is read as a name with plain values, or refused with a ConfigError."""
    try:
        name, values = parse_spelling(text)
    except ConfigError as problem:
        read = str(problem)
    else:
        read = f"{name}{values}"
        assert name
        assert not set(name) & set("[] \n\t")
        assert all(isinstance(value, str | int | float | bool) for value in values.values())
    assert read


@pytest.mark.parametrize("text", ["1_000", "٣", "1e", "0x10", "--1", "1 0", "ⅷ"])
def test_a_number_is_written_in_plain_digits(text: str) -> None:
    """Other spellings of numbers that Python reads are probably mistakes, and refused."""
    with pytest.raises(ConfigError, match=f"lr={text} is not allowed"):
        check_values(REGISTRY.optimizer(OPTIMIZERS[0]), parse_spelling(f"x[lr={text}]")[1])
