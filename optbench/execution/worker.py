"""A worker process that trains runs, fed with frames.

It receives a key that signs all other frames, then the settings (JSON), then one frame per run. It
sends `READY` at the start, then one result per run, in order. Before and after work that runs share
(loading a dataset, compiling) it sends `WARMING` and `READY`, because that work does not count
against the time of a run. It sends `REFUSED` and a reason if its plugins differ from those of the
driver. What plugins print goes to stderr, whose lines the driver shows; their stdin is empty.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from optbench.errors import describe_error
from optbench.execution.channel import SignedReader, SignedWriter
from optbench.execution.process_state import ProcessState
from optbench.records import Health, RunResult, RunSpec
from optbench.registry import Registry
from optbench.registry.scoped import ScopedRegistry
from optbench.support.child_processes import listen, read_frame, take_streams

READY = b"ready"
WARMING = b"warming"
REFUSED = b"refused: "

Fingerprints = dict[tuple[str, str], str]
"""(kind, name) -> fingerprint of the plugin's source code."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a worker, sent before its first run.

    Attributes:
        plugins: Files and modules given by ``--plugin``.
        passed: Objects that were passed instead of names, as `pack_passed` returns them.
        memory_mb: Megabytes that a worker may allocate in addition to those it has when it is
            ready; None for no limit.
        health: Which evaluation runs record layer health.
        first_seeds: Seeds of the runs that record it where `health` is ``"first"``.
    """

    plugins: tuple[str, ...] = ()
    passed: bytes = b""
    memory_mb: int | None = None
    health: Health = "first"
    first_seeds: tuple[int, ...] = (0,)


def limit_memory(megabytes: int | None) -> None:
    """Limit the memory that this process may allocate from now on, where possible (Linux).

    Args:
        megabytes: In addition to the memory it has now; None restores the limit at its start.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):  # not available on this platform
        import resource

        size, hard = _initial_limit()
        if megabytes is not None:
            with open("/proc/self/statm", encoding="ascii") as statm:
                pages = int(statm.read().split()[0])
            size = pages * resource.getpagesize() + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (size, hard))


@functools.cache
def _initial_limit() -> tuple[int, int]:
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)


def load_registry(
    plugins: Sequence[str], passed: bytes, base: Registry | None = None
) -> ScopedRegistry:
    """Return a registry with the plugins and the objects that the driver has beside the installed.

    Args:
        plugins: Files and modules given by ``--plugin``.
        passed: As in `Settings`.
        base: The registry into which the plugins are loaded, once each; the one of the process if
            None.

    Raises:
        ConfigError: A passed object cannot be loaded.
        PluginError: A plugin does not load.
    """
    from optbench.registry import default_registry
    from optbench.registry.transfer import unpack_passed

    base = base or default_registry()
    for target in plugins:
        base.load_once(target)
    return unpack_passed(passed, base)


def fingerprints_of(specs: Iterable[RunSpec]) -> Fingerprints:
    """Return the fingerprints of the plugins with which these runs were planned."""
    fingerprints: Fingerprints = {}
    for spec in specs:
        fingerprints["optimizers", spec.optimizer] = spec.optimizer_code
        fingerprints["initializers", spec.initializer] = spec.initializer_code
        if spec.schedule_code is not msgspec.UNSET:
            fingerprints["schedules", spec.control.schedule] = spec.schedule_code
    return fingerprints


@functools.cache
def _loaded_fingerprint(item: Any) -> str:
    """Return the fingerprint of a loaded plugin; cached, since its file may be edited later."""
    from optbench.registry.fingerprints import fingerprint

    return fingerprint(item)


def describe_mismatch(planned: Fingerprints, registry: ScopedRegistry) -> str:
    """Describe a plugin that is not the one of the plan; return "" if all are the same.

    Objects that were passed are those of the driver.

    Args:
        planned: Fingerprints of the plugins in the plan.
        registry: The registry of this process.

    Raises:
        ConfigError: A name is not registered in this process.
    """
    for (kind, name), fingerprint in planned.items():
        if registry.is_passed(kind, name):
            continue
        if _loaded_fingerprint(registry.entry(kind, name).item) != fingerprint:
            return f"its {kind.removesuffix('s')} '{name}' has different source code"
    return ""


def main() -> None:
    """Train runs until the driver closes the stream or ends."""
    source, out = take_streams()
    key = read_frame(source)
    if key is None:  # the driver has gone
        return
    reader, writer = SignedReader(source, key), SignedWriter(out, key)
    settings = msgspec.json.decode(reader.read() or b"{}", type=Settings)
    warnings.simplefilter("ignore")
    registry = load_registry(settings.plugins, settings.passed)
    try:
        _serve(settings, registry, reader, writer)
    except OSError as cause:  # a plugin has closed descriptors of this process, or the driver ended
        sys.exit(f"a worker cannot continue: {describe_error(cause)}")


def _serve(
    settings: Settings, registry: ScopedRegistry, reader: SignedReader, writer: SignedWriter
) -> None:
    """Train runs, one after the other."""
    from optbench.records.packing import pack_result, unpack_spec

    state = ProcessState()
    waiting = listen(reader.read)
    writer.write(READY)
    warm: set[tuple[str, ...]] = set()
    while True:
        spec = unpack_spec(waiting.get())
        plugins = (spec.optimizer, spec.initializer, spec.control.schedule)
        shared = (*plugins, spec.dataset, spec.dtype)
        if shared not in warm:
            if problem := describe_mismatch(fingerprints_of([spec]), registry):
                writer.write(REFUSED + problem.encode())
                return
            warm.add(shared)
            writer.write(WARMING)
            limit_memory(None)  # shared work does not count against the limit of a run
            warm_up(spec, registry)
            limit_memory(settings.memory_mb)
            state.restore()
            writer.write(READY)
        result = _train(spec, registry, settings, state)
        state.restore()
        writer.write(pack_result(result))


def _train(spec: RunSpec, registry: Registry, settings: Settings, state: ProcessState) -> RunResult:
    """Train a run; whatever a plugin raises, and whatever it has removed, only fails the run."""
    from optbench.engine.training import train_spec

    try:
        return train_spec(spec, registry, health=settings.health, first_seeds=settings.first_seeds)
    except:  # noqa: E722  # a plugin may have removed the name BaseException
        state.restore_builtins()
        return RunResult.failed(spec, describe_error(sys.exc_info()[1] or SystemExit()))


def warm_up(spec: RunSpec, registry: Registry) -> None:
    """Load and compile everything that runs like this one share; a fault recurs in the run."""
    from optbench.data.splits import prepare_dataset
    from optbench.engine.training import prepare

    try:
        prepare_dataset(registry.dataset_source(spec.dataset))
        prepare([spec], registry)
    except:  # noqa: E722  # a plugin may have removed the name BaseException
        return
