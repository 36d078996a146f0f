"""The options of ``optbench run`` that come from the protocol of a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import click
import pytest

from optbench.cli.commands.run import command
from optbench.cli.run_options import Seconds
from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.suites import parse_suite
from tests.cli.study_helpers import TINY, optbench

FIELDS = get_type_hints(StudyProtocol, include_extras=True)


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_the_protocol_is_an_option_with_the_same_limits(field: str) -> None:
    """The command line and a suite file accept the same values."""
    (option,) = (parameter for parameter in command.params if parameter.name == field)
    assert isinstance(option, click.Option)
    kind, meta = get_args(FIELDS[field])
    assert option.help == meta.description
    if isinstance(option.type, click.IntRange):
        accepted, refused = [meta.ge, meta.le], [meta.ge - 1, meta.le + 1]
    else:
        assert get_origin(kind) is not None
        accepted, refused = list(get_args(kind)), ["nonsense"]
    for value in accepted:
        option.type.convert(value, option, None)
        parse_suite({"datasets": ["a"], "protocol": {field: value}}, "x.toml")
    for value in refused:
        with pytest.raises(click.BadParameter):
            option.type.convert(value, option, None)
        with pytest.raises(ConfigError, match=f"x.toml: protocol.{field} "):
            parse_suite({"datasets": ["a"], "protocol": {field: value}}, "x.toml")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1.5m", 90), ("7", 7)]
)
def test_a_length_of_time_has_a_unit_or_counts_seconds(text: str, seconds: float) -> None:
    """Times are written alike in every option."""
    assert Seconds().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "m", "10x", "-1m", "0s", "nan", "nanh", "1h30m"])
def test_what_is_not_a_length_of_time_is_refused(text: str) -> None:
    """It must be a number above 0, perhaps with one unit."""
    with pytest.raises(click.BadParameter):
        Seconds().convert(text, None, None)


def test_until_decided_and_more_grow_a_study(tmp_path: Path) -> None:
    """The boards say which looks were made, and what the extension costs."""
    arguments = [*TINY, "-o", "adam", "-o", "sgd", "--out", tmp_path, "--replicates", "6"]
    grown = optbench("run", *arguments, "--until", "decided", "--json")
    assert grown.code == 0, grown.err
    looks = json.loads(grown.out)["boards"][0]["looks"]
    assert [look["replicates"] for look in looks] in ([4], [4, 6])
    assert "look 1, 4 replicates" in grown.err
    more = optbench("run", "--more", 2, "--out", tmp_path, "--formats", "none", "--json")
    assert more.code == 0, more.err
    board = json.loads(more.out)["boards"][0]
    assert len(board["looks"]) == len(looks) + 1
    assert board["looks"][-1]["replicates"] == looks[-1]["replicates"] + 2
    assert board["error_rate"] > 0.025


def test_a_baseline_and_a_region_belong_to_the_study(tmp_path: Path) -> None:
    """A report keeps them, and can be given others; compare has the regions of A."""
    arguments = [*TINY, "-o", "adam", "-o", "sgd", "--out", tmp_path, "--replicates", 2, "--json"]
    run = optbench("run", *arguments, "--baseline", "adam", "--region", "final-loss=0.2")
    assert run.code == 0, run.err
    told = json.loads(run.out)
    assert told["format"] == 2
    assert told["boards"][0]["baseline"]["label"] == "adam"
    assert told["boards"][0]["region"] == 0.2
    written = json.loads((tmp_path / "leaderboard.json").read_text())
    assert {key: told[key] for key in written} == written
    report = ("report", tmp_path, "--formats", "none", "--json")
    assert json.loads(optbench(*report).out)["boards"] == told["boards"]
    changed = json.loads(optbench(*report, "--baseline", "sgd", "--region", "speed=100%").out)
    assert changed["boards"][0]["baseline"]["label"] == "sgd"
    regions = {board["name"]: board["region"] for board in changed["boards"]}
    assert regions == {"final-loss": 0.2, "training-loss": 0.03, "speed": 1.0, "stability": 0.05}
    without = json.loads(optbench(*report, "--baseline", "").out)
    assert without["boards"][0]["baseline"] is None


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--baseline", "adm"], "unknown optimizer for the baseline 'adm'; did you mean 'adam'?"),
        (["--region", "sped=0.1"], "unknown board of a region 'sped'; did you mean 'speed'?"),
        (["--region", "speed"], "region speed= is not allowed; a number above 0 and at most 1"),
    ],
)
def test_criteria_that_do_not_fit_are_refused(
    arguments: list[str], line: str, tmp_path: Path
) -> None:
    """In one line, before anything is trained."""
    outcome = optbench("run", *TINY, "-o", "adam", "-o", "sgd", "--out", tmp_path, *arguments)
    assert outcome.code == 1
    assert line in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments", [["--time-limit", "5s"], ["smoke", "--more", "2"], ["--more", "2", "-o", "adam"]]
)
def test_growth_options_that_do_not_fit_are_refused(arguments: list[str], tmp_path: Path) -> None:
    """A usage error that names what is missing or too much."""
    outcome = optbench("run", *arguments, "--out", tmp_path)
    assert outcome.code == 2
    assert "--until" in outcome.err


def test_a_dry_run_says_what_the_most_would_be(tmp_path: Path) -> None:
    """With the numbers of replicates at which the study would be analysed."""
    outcome = optbench("run", *TINY, "--until", "decided", "--dry-run", "--out", tmp_path)
    assert "at most; analyzed at 4, 8, 16, 32 replicates" in outcome.out
