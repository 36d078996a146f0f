"""Faults of a Dask cluster: the study goes on, or an error says why it cannot."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from optbench.execution.cluster import ClusterExecutor
from optbench.records import RunSpec, Status
from optbench.registry import default_registry
from optbench.store import Store
from tests.engine.spec_factory import spec_of
from tests.faults.clusters import Cluster, quiet_dask
from tests.faults.conftest import Undisturbed
from tests.faults.gates import Gate
from tests.faults.studies import BOTH, HERE, LIMIT_SECONDS, Driver, Folder
from tests.support.packages import need

TLS = "DASK_DISTRIBUTED__COMM__TLS__"
BAD = str(HERE / "misbehaving.py")


@pytest.fixture(scope="module", autouse=True)
def _dask() -> None:
    need("distributed")


@pytest.fixture(autouse=True)
def _quiet_dask() -> Iterator[None]:
    with quiet_dask():
        yield


def on(cluster: Cluster, place: Path) -> Folder:
    """Return the usual study, to be trained on a cluster that has no workers yet."""
    folder = Folder(place, BOTH, scheduler=cluster.address)
    cluster.env |= folder.watch
    return folder


def start_and_hold(cluster: Cluster, folder: Folder) -> tuple[Driver, Gate, int]:
    """Start a study, and return when its ninth run has begun; also the gate that holds it.

    Returns:
        The driver, the gate, and the process id of the worker.
    """
    gate = Gate(folder.place / "gate")
    cluster.env |= gate.env
    cluster.add_worker()
    [worker] = cluster.wait_for_workers(1)
    gate.let(8)
    driver = folder.start()
    driver.until(lambda: len(folder.starts()) >= 9 and len(folder.stored()) >= 2, "a ninth run")
    return driver, gate, worker


def test_workers_die_and_join(tmp_path: Path, undisturbed: Undisturbed) -> None:
    """One is killed in the middle of a run, another joins late: the leaderboard is the same."""
    with Cluster(tmp_path) as cluster:
        folder = on(cluster, tmp_path / "here")
        driver, gate, first = start_and_hold(cluster, folder)
        cluster.add_worker()
        os.kill(first, signal.SIGKILL)
        gate.open()
        driver.wait().check(0)
        folder.check()
        assert len(folder.starts()) > len(set(folder.starts()))
        assert folder.board() == undisturbed()


def test_the_scheduler_dies(tmp_path: Path, undisturbed: Undisturbed) -> None:
    """One clear line and exit code 1; finished runs are kept, and another cluster goes on."""
    with Cluster(tmp_path) as cluster:
        folder = on(cluster, tmp_path / "here")
        driver, gate, _ = start_and_hold(cluster, folder)
        cluster.kill_scheduler()
        outcome = driver.wait().check(1)
        assert outcome.errors == [
            "error: the connection to the scheduler is lost; finished runs are stored; "
            "run the command again to continue"
        ]
        assert 2 <= len(folder.account().kept) <= 8
        gate.open()
        cluster.start_scheduler()
        cluster.add_worker()
        cluster.wait_for_workers(1)
        folder.train_on(cluster.address)
        folder.run().check(0)
        folder.check()
        assert folder.board() == undisturbed()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Start a cluster of two workers, which are replaced when they die."""
    folder = tmp_path_factory.mktemp("pair")
    with Cluster(folder, FAULTS_LOG=str(folder / "starts.log")) as cluster:
        cluster.add_worker()
        cluster.add_worker()
        cluster.wait_for_workers(2)
        yield cluster


def runs(optimizer: str, number: int) -> list[RunSpec]:
    return [spec_of(optimizer, dataset="iris", epochs=1, seed=seed) for seed in range(number)]


def test_a_poisonous_run_fails_and_no_other(pair: Cluster) -> None:
    """One run kills its process, another kills the Dask worker around it at every attempt."""
    registry = default_registry()
    registry.load_named(BAD)
    poison = [*runs("misbehaving[fault=killed]", 1), *runs("misbehaving[fault=kills-parent]", 1)]
    wanted = [*runs("sgd", 4), *poison, *runs("careful", 2)]
    try:
        with ClusterExecutor(pair.address, plugins=[BAD]) as executor:
            executor.prepare(wanted)
            results = {result.key: result for result in executor.map(wanted)}
    finally:
        registry.unregister(registry.plugins[-1])
    assert set(results) == {spec.key for spec in wanted}
    failed = {key for key, result in results.items() if result.status is Status.FAILED}
    assert failed == {spec.key for spec in poison}
    assert results[poison[0].key].reason == "its worker died each of 3 times (signal 9)"
    assert "no worker survived it" in results[poison[1].key].reason


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS and /proc/self/statm are missing")
def test_limits_hold_on_a_cluster(tmp_path: Path, pair: Cluster) -> None:
    """--timeout and --memory fail the same runs as on one machine, and the workers survive."""
    bad = [f"misbehaving[fault={fault}]" for fault in ("loops", "allocates", "none")]
    entrants = [word for name in ("sgd", *bad) for word in ("-o", name)]
    more = ("--ruleset", "defaults", "--seeds", "1", "--plugin", BAD)
    limits = ("--timeout", str(LIMIT_SECONDS), "--memory", "400")
    folder = Folder(tmp_path, entrants, *more, *limits, scheduler=pair.address)
    before = pair.wait_for_workers(2)
    folder.run().check(3)
    assert sorted(pair.wait_for_workers(2)) == sorted(before)
    with Store(folder.out / "runs.sqlite", create=False) as store:
        reasons = {r.spec.hyper.get("fault", ""): r.reason for r in store.results()}
    late = f"no result within {LIMIT_SECONDS} seconds; its worker was killed"
    assert reasons.pop("loops") == late
    assert "emory" in reasons.pop("allocates")
    assert reasons == {"": "", "none": ""}


# -- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the settings of Dask for a self-signed certificate that all processes share."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    try:
        subprocess.run(
            [*command, "-keyout", key, "-out", certificate], check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("the program openssl is missing")
    settings = {"CA_FILE": str(certificate)}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings |= {f"{role}__CERT": str(certificate), f"{role}__KEY": str(key)}
    return {f"{TLS}{name}": value for name, value in settings.items()}


def test_a_cluster_over_tls(
    tmp_path: Path, certificate: dict[str, str], undisturbed: Undisturbed
) -> None:
    """The settings of Dask apply to scheduler, workers and client."""
    with Cluster(tmp_path, protocol="tls", **certificate) as cluster:
        folder = on(cluster, tmp_path / "here")
        cluster.add_worker()
        cluster.wait_for_workers(1, security=security(certificate))
        folder.run(**certificate).check(0)
        assert folder.board() == undisturbed()


def security(settings: dict[str, str]) -> Any:
    """Return the same settings for a client in this process."""
    distributed: Any = importlib.import_module("distributed")
    return distributed.Security(
        tls_ca_file=settings[f"{TLS}CA_FILE"],
        tls_client_cert=settings[f"{TLS}CLIENT__CERT"],
        tls_client_key=settings[f"{TLS}CLIENT__KEY"],
        require_encryption=True,
    )
