"""A Dask cluster: the same numbers as on one machine, and every fault is named."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections import deque
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
from optbench.execution.cluster_tasks import (
    Setup,
    borrowed_executor,
    idle_executors,
    limit_blas_to_one_thread,
)
from optbench.records import RunResult, RunSpec, Status
from optbench.records.packing import pack_result
from optbench.registry import default_registry
from optbench.registry.default import fresh_registry
from tests.engine.spec_factory import spec_of
from tests.faults.clusters import Cluster, quiet_dask
from tests.records.factories import make_result
from tests.support.packages import need

pytestmark = pytest.mark.long

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


@pytest.fixture(scope="module", autouse=True)
def _dask() -> None:
    need("distributed")


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
    """Silence the messages of Dask about lost workers."""
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
    for loaded in [each for each in registry.plugins if each.name == str(path)]:
        registry.unregister(loaded)


def runs(optimizer: str, number: int) -> list[RunSpec]:
    return [spec_of(optimizer, dataset="iris", epochs=1, seed=seed) for seed in range(number)]


def test_results_are_those_of_one_machine(cluster: str, plugin: str) -> None:
    """Every run comes back once, with the same bits, from threads and from child processes."""
    wanted = [*runs("plain", 5), *runs("sgd", 40)]
    with ClusterExecutor(cluster, plugins=[plugin]) as executor:
        executor.prepare(wanted)
        results = {result.key: result for result in executor.map(wanted)}
    assert set(results) == {spec.key for spec in wanted}
    for spec in wanted[:10]:
        assert results[spec.key].params_hash == train_spec(spec).params_hash


def test_a_worker_that_joins_late_loads_a_plugin_once_for_all_its_threads(
    plugin: str, tmp_path: Path
) -> None:
    """Several tasks reach it at once, and it was never prepared."""
    with Path(plugin).open("a") as file:
        file.write("import time\ntime.sleep(0.5)\n")  # long enough for the other task to come
    wanted = runs("plain", 40)
    with Cluster(tmp_path) as cluster:
        cluster.add_worker(threads=2)
        cluster.wait_for_workers(1)
        with ClusterExecutor(cluster.address, plugins=[plugin]) as executor:
            results = list(executor.map(wanted))
    assert {result.key for result in results} == {spec.key for spec in wanted}
    assert {result.status for result in results} == {Status.OK}


def test_two_studies_on_one_cluster_may_give_a_name_to_different_files(
    cluster: str, plugin: str, tmp_path: Path
) -> None:
    """Its workers outlive the studies; each study gets the plugin that it named."""
    first = runs("plain", 3)
    with ClusterExecutor(cluster, plugins=[plugin]) as executor:
        executor.prepare(first)
        former = {result.params_hash for result in executor.map(first)}

    other = tmp_path / "other.py"
    other.write_text(PLAIN.replace("context.h.lr * g", "0.5 * context.h.lr * g"))
    with fresh_registry():
        default_registry().load_named(str(other))
        second = runs("plain", 3)
        with ClusterExecutor(cluster, plugins=[str(other)]) as executor:
            executor.prepare(second)
            results = list(executor.map(second))
    assert {result.status for result in results} == {Status.OK}
    assert former.isdisjoint(result.params_hash for result in results)


def test_few_runs_are_sent_at_a_time(cluster: str) -> None:
    """Runs in flight are bounded, whatever their number."""
    wanted = runs("sgd", 400)
    n_taken = 0

    def many() -> Iterator[RunSpec]:
        nonlocal n_taken
        for spec in wanted:
            n_taken += 1
            yield spec

    with ClusterExecutor(cluster) as executor:
        executor.prepare(wanted)
        first = executor.map(many())
        next(first)
        assert n_taken < 100
        assert len(list(first)) == 399


def test_a_worker_without_the_plugin_is_reported_before_the_first_run(
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
        pytest.raises(PluginError, match="optimizer 'plain' has different source code"),
    ):
        executor.prepare(edited)


def test_overlapping_executors_use_one_core_each() -> None:
    """The threads of a worker start and end at any time; BLAS always uses one thread per run."""
    setup = Setup(__version__, (), b"", Limits(), "none")
    run = runs("sgd", 1)
    with threadpool_limits(2):  # and afterwards as it was before
        limit_blas_to_one_thread.cache_clear()
        with contextlib.ExitStack() as first, contextlib.ExitStack() as second:
            for stack in (first, second):
                list(stack.enter_context(borrowed_executor(setup)).map(run))
            first.close()
            idle_executors.pop().executor.close()
            assert {blas["num_threads"] for blas in threadpool_info()} == {1}
        idle_executors.pop().executor.close()
        assert {blas["num_threads"] for blas in threadpool_info()} == {1}


def connect_to(future: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect executors to a cluster whose only task is finished at once."""
    future.add_done_callback = lambda call: call(future)
    client = Mock(nthreads=lambda: {"one": 1}, submit=lambda *task, pure: future, status="running")
    monkeypatch.setattr("optbench.execution.cluster.connect", lambda address: client)


def test_a_connection_lost_while_results_are_on_their_way_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The results of a finished task are still on the cluster."""
    lost = OSError("Stream is closed")
    connect_to(Mock(status="finished", result=Mock(side_effect=lost)), monkeypatch)
    with (
        ClusterExecutor("tcp://anywhere") as executor,
        pytest.raises(OptbenchError, match=LOST),
    ):
        list(executor.map(runs("sgd", 1)))


@pytest.mark.parametrize(("seconds", "is_short"), [(0.01, True), (1000.0, False)])
def test_short_runs_are_sent_together(
    seconds: float, is_short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task holds more runs, or fewer, by the time that the one before took."""
    specs = runs("sgd", 4)
    answer = [pack_result(make_result(spec)) for spec in specs], seconds
    connect_to(Mock(status="finished", result=Mock(side_effect=[answer])), monkeypatch)
    arrived: deque[RunResult] = deque()
    with ClusterExecutor("tcp://anywhere") as executor:
        before = executor.chunk
        for spec in specs:
            executor.submit(spec)
        executor.collect(0, arrived)
        assert executor.chunk != before
        assert (executor.chunk > before) == is_short


def test_ctrl_c_while_results_are_on_their_way_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task stays at hand, and the next call takes its results."""
    specs = runs("sgd", 2)
    answer = [pack_result(make_result(spec)) for spec in specs], 1.0
    future = Mock(status="finished", result=Mock(side_effect=[KeyboardInterrupt, answer]))
    connect_to(future, monkeypatch)
    arrived: deque[RunResult] = deque()
    with ClusterExecutor("tcp://anywhere") as executor:
        for spec in specs:
            executor.submit(spec)
        with pytest.raises(KeyboardInterrupt):
            executor.collect(0, arrived)
        executor.collect(0, arrived)
    assert [result.key for result in arrived] == [spec.key for spec in specs]


def test_an_address_without_a_scheduler_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported at once, or after the time that a connection may take."""
    monkeypatch.setattr("optbench.execution.cluster_client.CONNECT_SECONDS", 0.5)
    with pytest.raises(ConfigError, match="answers at 'tcp://"):
        ClusterExecutor("tcp://127.0.0.1:1")
    with pytest.raises(ConfigError, match="no Dask scheduler answers at 'nonsense://'"):
        ClusterExecutor("nonsense://")


def test_tls_without_certificates_is_one_clear_error() -> None:
    """It names the missing setting of Dask, or the missing file."""
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
