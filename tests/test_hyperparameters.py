"""The spelling ``name[key=value,...]`` and the checks of its values."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optbench import ConfigError, Rule, hyper
from optbench.hyperparameters import (
    CONTROL_HYPERS,
    check_values,
    complete,
    parse_spelling,
    parse_value,
    split_control,
)
from optbench.records import StepControl, spell


class Probe(Rule):
    """A rule with one hyperparameter of each type."""

    name = "probe"
    lr: float = hyper(0.1, "learning rate", low=0)
    steps: int = hyper(5, low=1)
    fancy: bool = hyper(False)
    kind: str = hyper("a", choices=("a", "b"))


class NoRate(Rule):
    """A rule without a learning rate."""

    name = "no-rate"
    scale: float = hyper(1.0)


identifiers = st.text(string.ascii_lowercase + "_", min_size=1).filter(
    lambda s: s not in ("inf", "nan", "infinity", "true", "false")
)
values = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-(10**12), 10**12),
    st.booleans(),
    st.sampled_from(["cosine", "a-b", "x_y"]),
)


@given(st.dictionaries(identifiers, values, max_size=6))
def test_a_spelling_is_read_back(given_values: dict[str, float | int | bool | str]) -> None:
    """A configuration can be copied from a table into a command without losing a digit."""
    name, values = parse_spelling(spell("adam", given_values))
    assert name == "adam"
    assert values == given_values
    assert all(isinstance(values[k], bool) == isinstance(v, bool) for k, v in given_values.items())


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_round_trip(number: float) -> None:
    """The shortest spelling of a number is the number."""
    spelled = spell("n", {"x": number})
    assert parse_spelling(spelled)[1]["x"] == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adam", ("adam", {})),
        ("adam[]", ("adam", {})),
        (" sgd[lr=1] ", ("sgd", {"lr": 1})),
        ("sgd[ lr = 0.5 , nesterov = True ]", ("sgd", {"lr": 0.5, "nesterov": True})),
        ("lib:AdamW[lr=1e-3]", ("lib:AdamW", {"lr": 1e-3})),
    ],
)
def test_spellings(text: str, expected: object) -> None:
    """Spaces do no harm, and empty brackets mean defaults."""
    assert parse_spelling(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "adam[lr=1", "adam lr=1]", "adam]lr=1[", "a[b[c=1]]", "adam[lr]", "adam[=1]", "adam[lr=]",
     "adam[lr=1,lr=2]", "two words"],
)  # fmt: skip
def test_malformed_spellings_are_refused_in_one_line(text: str) -> None:
    """The message repeats the text."""
    with pytest.raises(ConfigError) as caught:
        parse_spelling(text)
    assert "\n" not in str(caught.value)
    assert text in str(caught.value)


@given(st.text())
def test_any_text_is_a_spelling_or_a_config_error(text: str) -> None:
    """No input raises another exception."""
    try:
        parse_spelling(text)
    except ConfigError:
        return


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1", 1),
        ("1.0", 1.0),
        ("1e-3", 1e-3),
        ("true", True),
        ("FALSE", False),
        ("cosine", "cosine"),
    ],
)
def test_values_take_the_narrowest_type(raw: str, value: object) -> None:
    """A whole number is an int, so that an int hyperparameter accepts it."""
    parsed = parse_value(raw)
    assert parsed == value
    assert type(parsed) is type(value)


def test_complete_adds_defaults_to_the_given_values() -> None:
    """A run records every value that it used."""
    assert complete(Probe, {"steps": 7}) == {"lr": 0.1, "steps": 7, "fancy": False, "kind": "a"}
    assert check_values(Probe, {"lr": 1}) == {"lr": 1.0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lrr": 1.0}, "unknown hyperparameter of probe 'lrr'; did you mean 'lr'?"),
        ({"kinds": "a"}, "unknown hyperparameter of probe 'kinds'; did you mean 'kind'?"),
        ({"lr": -1.0}, "probe: lr=-1.0 is not allowed; a number >= 0"),
        ({"steps": 0}, "probe: steps=0 is not allowed; a whole number >= 1"),
        ({"fancy": "yes"}, "probe: fancy=yes is not allowed; true or false"),
        ({"kind": "c"}, "probe: kind=c is not allowed; one of a, b"),
    ],
)
def test_a_wrong_value_names_the_hyperparameter_and_what_is_allowed(
    wrong: dict[str, float | int | bool | str], message: str
) -> None:
    """The user sees what to type instead."""
    with pytest.raises(ConfigError) as caught:
        complete(Probe, wrong)
    assert str(caught.value) == message


def test_schedule_and_clipping_are_split_from_the_optimizers_own() -> None:
    """Every optimizer has them without declaring them."""
    own, control = split_control(Probe, {"lr": 0.5, "schedule": "cosine", "clip_norm": 1})
    assert own == {"lr": 0.5}
    assert control == StepControl(schedule="cosine", clip_norm=1.0)
    assert split_control(Probe, {}) == ({}, StepControl())


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"schedule": 3}, "schedule=3 is not allowed; a word"),
        ({"warmup": 1.0}, "warmup=1.0 is not allowed"),
        ({"final": -0.1}, "final=-0.1"),
        ({"clip_norm": -1.0}, "clip_norm=-1.0"),
        ({"shedule": "cosine"}, "did you mean 'schedule'"),
    ],
)
def test_a_wrong_control_is_refused(wrong: dict[str, float | str], match: str) -> None:
    """Control values are checked like hyperparameters of the optimizer."""
    with pytest.raises(ConfigError, match=match):
        split_control(Probe, wrong)


@pytest.mark.parametrize("control", [{"schedule": "cosine"}, {"warmup": 0.1}])
def test_a_schedule_needs_a_learning_rate(control: dict[str, float | str]) -> None:
    """A schedule without a learning rate is refused and not ignored."""
    with pytest.raises(ConfigError, match="no-rate has no rate"):
        split_control(NoRate, control)
    assert split_control(NoRate, {"clip_norm": 1.0})[1].clip_norm == 1.0

    class Marked(NoRate):
        """The same, with a rate."""

        scale: float = hyper(1.0, rate=True)

    assert split_control(Marked, control)[1] != StepControl()


def test_an_optimizer_that_declares_a_control_name_keeps_it() -> None:
    """Its own hyperparameter wins."""

    class Own(Rule):
        """Declares warmup itself."""

        name = "own"
        lr: float = hyper(0.1)
        warmup: int = hyper(10)

    own, control = split_control(Own, {"warmup": 20})
    assert own == {"warmup": 20}
    assert control == StepControl()


def test_control_defaults_do_nothing() -> None:
    """Giving a default is the same run as leaving it out."""
    given_defaults = {name: declared.default for name, declared in CONTROL_HYPERS.items()}
    assert split_control(Probe, given_defaults)[1] == StepControl()
