"""A study on a Dask cluster: the same numbers, and every fault named."""

from __future__ import annotations

import importlib
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from optbench.engine.training import make_spec, train_spec
from optbench.errors import ConfigError, PluginError
from optbench.execution import Limits
from optbench.execution.cluster import ClusterExecutor
from optbench.records import RunSpec, Status
from optbench.registry import default_registry

pytest.importorskip("distributed", reason="distributed (extra cluster) is missing")

POISON = '''
import os
from optbench import Rule, Stepper, hyper

class Poison(Stepper):
    """Takes its worker down."""
    name = "poison"
    kill: bool = hyper(True, "end the process")
    lr: float = hyper(0.1, low=0)

    def init(self, params, context):
        return None

    def step(self, params, grads, state, context):
        if context.h.kill:
            os.kill(os.getpid(), 9)
        for p, g in zip(params, grads):
            p -= context.h.lr * g
'''


def wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("the cluster does not start")
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers, each a process of its own as on real machines."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    env = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    processes = [
        subprocess.Popen(
            [
                *command,
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--no-dashboard",
                "--scheduler-file",
                str(file),
            ],
            env=env,
            **quiet,
        )
    ]
    wait_for(file.exists)
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
    options = ["--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
    processes.append(
        subprocess.Popen([*command, *options, "--local-directory", str(folder)], env=env, **quiet)
    )
    address = msgspec.json.decode(file.read_bytes())["address"]
    distributed: Any = importlib.import_module("distributed")
    with distributed.Client(address, set_as_default=False) as client:
        wait_for(lambda: len(client.nthreads()) == 2)
    yield address
    for process in reversed(processes):
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in children:
            child.kill()
        process.wait()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Dask reports lost workers as warnings and log lines; here they are lost on purpose."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[str]:
    """A plugin file, loaded into this process until the test ends."""
    path = tmp_path / "poison.py"
    path.write_text(POISON)
    registry = default_registry()
    registry.load_named(str(path))
    yield str(path)
    registry.unregister(registry.plugins[-1])


def runs(optimizer: str, number: int) -> list[RunSpec]:
    return [make_spec(optimizer, dataset="iris", epochs=1, seed=seed) for seed in range(number)]


def ignore(text: str) -> None:
    """Say nothing."""


def test_results_are_those_of_one_machine(cluster: str) -> None:
    """Every run comes back once, with the same bits."""
    wanted = runs("sgd", 40)
    with ClusterExecutor(cluster) as executor:
        executor.prepare(wanted, ignore)
        found = {result.key: result for result in executor.map(wanted)}
    assert set(found) == {spec.key for spec in wanted}
    for spec in wanted[:5]:
        assert found[spec.key].params_hash == train_spec(spec).params_hash


def test_short_runs_are_sent_together_and_few_at_a_time(cluster: str) -> None:
    """The window is bounded, whatever the number of runs; a task holds many short runs."""
    wanted = runs("sgd", 400)
    taken = 0

    def many() -> Iterator[RunSpec]:
        nonlocal taken
        for spec in wanted:
            taken += 1
            yield spec

    with ClusterExecutor(cluster) as executor:
        executor.prepare(wanted, ignore)
        first = executor.map(many())
        next(first)
        assert taken < 100
        assert len(list(first)) == 399
        assert executor._chunk > 4


def test_a_run_that_kills_its_workers_fails_alone(cluster: str, plugin: str) -> None:
    """The study finishes, and the reason is with the run."""
    wanted = [*runs("sgd", 6), *runs("poison", 1), *runs("poison[kill=false]", 1)]
    with ClusterExecutor(cluster, plugins=[plugin]) as executor:
        executor.prepare(wanted, ignore)
        found = list(executor.map(wanted))
    assert len(found) == len(wanted)
    failed = [result for result in found if result.status is Status.FAILED]
    assert [result.spec.hyper.get("kill") for result in failed] == [True]
    assert "no worker survived it" in failed[0].reason


def test_a_worker_without_the_plugin_is_told_before_the_first_run(
    cluster: str, plugin: str, tmp_path: Path
) -> None:
    """Missing or different plugins are one clear error."""
    wanted = runs("poison[kill=false]", 1)
    other = tmp_path / "gone.py"
    with (
        ClusterExecutor(cluster, plugins=[str(other)]) as executor,
        pytest.raises(PluginError, match=r"worker .* cannot train this study: .*gone\.py"),
    ):
        executor.prepare(wanted, ignore)
    edited = [msgspec.structs.replace(wanted[0], optimizer_code="0" * 12)]
    with (
        ClusterExecutor(cluster, plugins=[plugin]) as executor,
        pytest.raises(PluginError, match="optimizer 'poison' has another source code"),
    ):
        executor.prepare(edited, ignore)


def test_nobody_at_the_address_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """So are limits that a cluster does not keep."""
    monkeypatch.setattr("optbench.execution.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(ConfigError, match="answers at 'tcp://"):
        ClusterExecutor("tcp://127.0.0.1:1")
    with pytest.raises(ConfigError, match="no Dask scheduler answers at 'nonsense://'"):
        ClusterExecutor("nonsense://")
    with pytest.raises(ConfigError, match="are for this machine"):
        ClusterExecutor("tcp://127.0.0.1:1", limits=Limits(seconds=1))


def test_without_dask_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"optbench\[cluster\]"):
        ClusterExecutor("tcp://127.0.0.1:1")
