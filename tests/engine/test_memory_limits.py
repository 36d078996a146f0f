"""Networks beyond the memory of the machine are refused before anything is allocated."""

from __future__ import annotations

from typing import Any

import pytest

import optbench
from optbench.engine import memory_limits
from optbench.engine.initialization import initialize
from optbench.engine.memory_limits import check_memory
from optbench.engine.specs import make_entrant, make_spec, make_workload
from optbench.errors import ConfigError


@pytest.mark.parametrize("hidden", [(10**9,), (10**6, 10**6), 10**12, (10**30,), (32, 10**10)])
def test_a_network_beyond_memory_is_an_error_of_the_user(hidden: Any) -> None:
    """The message names the argument, what is needed and what there is, not a plugin."""
    with pytest.raises(ConfigError, match=r"hidden=.* is too large: .* at least .*B of memory"):
        optbench.train("sgd", dataset="iris", hidden=hidden, epochs=1)
    with pytest.raises(ConfigError, match=r"hidden=.* is too large"):
        make_workload(dataset="iris", hidden=hidden)


def test_initial_parameters_beyond_memory() -> None:
    """Drawing parameters checks the sizes too."""
    with pytest.raises(ConfigError, match=r"sizes=.* is too large"):
        initialize("he-normal", (4, 10**10, 3))


def test_a_lower_limit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is available is the least of the machine's memory and all limits on the process."""
    monkeypatch.setattr(memory_limits, "available_memory", lambda: 10**6)
    check_memory("hidden=(32,)", (4, 32, 3), batch_size=32)
    with pytest.raises(ConfigError, match="may use 1 MB"):
        check_memory("hidden=(4096,)", (64, 4096, 10))


def test_the_slots_of_the_optimizer_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that fits for sgd may be too large for adam, which keeps two more arrays."""
    workload = make_workload(dataset="iris", hidden=1000, regime="sgd")
    monkeypatch.setattr(memory_limits, "available_memory", lambda: 160_000)
    make_spec(entrant=make_entrant("sgd"), workload=workload)
    with pytest.raises(ConfigError, match="too large"):
        make_spec(entrant=make_entrant("adam"), workload=workload)
