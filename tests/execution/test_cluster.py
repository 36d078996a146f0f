"""A study on a Dask cluster: the same numbers, and every fault named."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from optbench import __version__
from optbench.engine.training import train_spec
from optbench.errors import ConfigError, OptbenchError, PluginError
from optbench.execution import Limits
from optbench.execution.cluster import LOST, ClusterExecutor
from optbench.execution.remote import Setup, _borrowed, _idle, _train_on_one_core
from optbench.records import RunSpec, Status
from optbench.registry import default_registry
from tests.engine.spec_factory import spec_of
from tests.faults.clusters import Cluster, quiet_dask

pytest.importorskip("distributed", reason="distributed (extra cluster) is missing")

PLAIN = '''
from optbench import Stepper, hyper

class Plain(Stepper):
    """Descends."""
    name = "plain"
    lr: float = hyper(0.1, low=0)

    def init(self, params, context):
        return None

    def step(self, params, grads, state, context):
        for p, g in zip(params, grads):
            p -= context.h.lr * g
'''


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers, each a process of its own as on real machines; three threads."""
    with Cluster(tmp_path_factory.mktemp("dask")) as cluster:
        cluster.add_worker()
        cluster.add_worker(threads=2)
        cluster.wait_for_workers(2)
        yield cluster.address


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Nothing of what Dask says about lost workers."""
    with quiet_dask():
        yield


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[str]:
    """A plugin file, loaded into this process until the test ends."""
    path = tmp_path / "plain.py"
    path.write_text(PLAIN)
    registry = default_registry()
    registry.load_named(str(path))
    yield str(path)
    registry.unregister(registry.plugins[-1])


def runs(optimizer: str, number: int) -> list[RunSpec]:
    return [spec_of(optimizer, dataset="iris", epochs=1, seed=seed) for seed in range(number)]


def test_results_are_those_of_one_machine(cluster: str, plugin: str) -> None:
    """Every run comes back once, with the same bits, from threads and from child processes."""
    wanted = [*runs("plain", 5), *runs("sgd", 40)]
    with ClusterExecutor(cluster, plugins=[plugin]) as executor:
        executor.prepare(wanted)
        found = {result.key: result for result in executor.map(wanted)}
    assert set(found) == {spec.key for spec in wanted}
    for spec in wanted[:10]:
        assert found[spec.key].params_hash == train_spec(spec).params_hash


def test_a_worker_that_joins_late_loads_a_plugin_once_for_all_its_threads(
    plugin: str, tmp_path: Path
) -> None:
    """Several tasks come to it at once, and nobody has prepared it."""
    with Path(plugin).open("a") as file:
        file.write("import time\ntime.sleep(0.5)\n")  # long enough for the other task to come
    wanted = runs("plain", 40)
    with Cluster(tmp_path) as cluster:
        cluster.add_worker(threads=2)
        cluster.wait_for_workers(1)
        with ClusterExecutor(cluster.address, plugins=[plugin]) as executor:
            found = list(executor.map(wanted))
    assert {result.key for result in found} == {spec.key for spec in wanted}
    assert {result.status for result in found} == {Status.OK}


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
        executor.prepare(wanted)
        first = executor.map(many())
        next(first)
        assert taken < 100
        assert len(list(first)) == 399
        assert executor._chunk > 4


def test_a_worker_without_the_plugin_is_told_before_the_first_run(
    cluster: str, plugin: str, tmp_path: Path
) -> None:
    """Missing or different plugins are one clear error."""
    wanted = runs("plain", 1)
    other = tmp_path / "gone.py"
    with (
        ClusterExecutor(cluster, plugins=[str(other)]) as executor,
        pytest.raises(PluginError, match=r"worker .* cannot train this study: .*gone\.py"),
    ):
        executor.prepare(wanted)
    edited = [msgspec.structs.replace(wanted[0], optimizer_code="0" * 12)]
    with (
        ClusterExecutor(cluster, plugins=[plugin]) as executor,
        pytest.raises(PluginError, match="optimizer 'plain' has another source code"),
    ):
        executor.prepare(edited)


def test_executors_that_overlap_leave_each_other_one_core() -> None:
    """The threads of a worker begin and end when they like: BLAS keeps to one thread a run."""
    setup = Setup(__version__, (), Limits(), "none")
    run = runs("sgd", 1)
    with threadpool_limits(2):  # and afterwards as it was before
        _train_on_one_core.cache_clear()
        with contextlib.ExitStack() as first, contextlib.ExitStack() as second:
            for stack in (first, second):
                list(stack.enter_context(_borrowed(setup)).map(run))
            first.close()
            _idle.pop().executor.close()
            assert {blas["num_threads"] for blas in threadpool_info()} == {1}
        _idle.pop().executor.close()
        assert {blas["num_threads"] for blas in threadpool_info()} == {1}


def test_a_connection_lost_while_results_are_on_their_way_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A task that is finished has its results on the cluster still."""
    lost = OSError("Stream is closed")
    future = Mock(status="finished", result=Mock(side_effect=lost))
    future.add_done_callback = lambda call: call(future)
    client = Mock(nthreads=lambda: {"one": 1}, submit=lambda *task, pure: future)
    monkeypatch.setattr("optbench.execution.cluster._connect", lambda address: client)
    with (
        ClusterExecutor("tcp://anywhere") as executor,
        pytest.raises(OptbenchError, match=LOST),
    ):
        list(executor.map(runs("sgd", 1)))


def test_nobody_at_the_address_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, or after the time that a connection may take."""
    monkeypatch.setattr("optbench.execution.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(ConfigError, match="answers at 'tcp://"):
        ClusterExecutor("tcp://127.0.0.1:1")
    with pytest.raises(ConfigError, match="no Dask scheduler answers at 'nonsense://'"):
        ClusterExecutor("nonsense://")


def test_tls_without_certificates_is_one_clear_error() -> None:
    """It says which of Dask's settings is missing, or which file."""
    with pytest.raises(ConfigError, match=r"\(none is named\); set Dask's distributed.comm.tls"):
        ClusterExecutor("tls://127.0.0.1:1")
    dask: Any = importlib.import_module("dask")
    names = ("ca-file", "client.cert")
    with (
        dask.config.set({f"distributed.comm.tls.{name}": "/gone.pem" for name in names}),
        pytest.raises(ConfigError, match=r"\(FileNotFoundError"),
    ):
        ClusterExecutor("tls://127.0.0.1:1")


def test_without_dask_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"optbench\[cluster\]"):
        ClusterExecutor("tcp://127.0.0.1:1")
