"""The options of ``optbench run`` that come from the protocol of a study."""

from __future__ import annotations

from typing import get_args, get_origin, get_type_hints

import click
import pytest

from optbench.cli.commands.run import command
from optbench.errors import ConfigError
from optbench.records import StudyProtocol
from optbench.suites import parse_suite

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
