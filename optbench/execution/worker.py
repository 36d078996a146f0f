"""A worker process, fed with frames.

In: first the settings (JSON), then one run a frame. Out: `READY` at the start, then one result a
run, in order; around what runs share (loading a dataset, compiling) `WARMING` and `READY`, because
that is not to count against a run's time; `REFUSED` and a reason when this process has other
plugins than the driver. What plugins print goes to stderr, and what they read from stdin is empty.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterable

import msgspec

from optbench.execution.surroundings import Surroundings
from optbench.records import Health, RunSpec
from optbench.support.child_processes import listen, read_frame, take_streams, write_frame

READY = b"ready"
WARMING = b"warming"
REFUSED = b"refused: "

Codes = dict[tuple[str, str], str]
"""(kind, name) -> fingerprint of the plugin's source."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told before its first run.

    Attributes:
        plugins: files and modules given by ``--plugin``.
        memory_mb: what a worker may allocate beyond what it has when it is ready.
        health: in which runs layer health is recorded.
    """

    plugins: tuple[str, ...] = ()
    memory_mb: int | None = None
    health: Health = "first"


def limit_memory(megabytes: int | None) -> None:
    """Bound what this process may allocate from now on, where the platform can (Linux).

    Args:
        megabytes: beyond what it has now; None for the bound that it had at first, if any.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):  # no such thing on this platform
        import resource

        size, hard = _bound_at_first()
        if megabytes is not None:
            with open("/proc/self/statm", encoding="ascii") as statm:
                pages = int(statm.read().split()[0])
            size = pages * resource.getpagesize() + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (size, hard))


@functools.cache
def _bound_at_first() -> tuple[int, int]:
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)


def load_plugins(targets: tuple[str, ...]) -> None:
    """Load the driver's extra plugins into this process, once."""
    from optbench.registry import default_registry

    for target in targets:
        default_registry().load_once(target)


def codes_of(specs: Iterable[RunSpec]) -> Codes:
    """The source code with which these runs were planned."""
    codes: Codes = {}
    for spec in specs:
        codes["optimizers", spec.optimizer] = spec.optimizer_code
        codes["initializers", spec.initializer] = spec.initializer_code
        if spec.schedule_code is not msgspec.UNSET:
            codes["schedules", spec.control.schedule] = spec.schedule_code
    return codes


@functools.cache
def _own_code(kind: str, name: str) -> str:
    """Fingerprint of what is loaded here: the file may be edited later."""
    from optbench.registry import default_registry
    from optbench.registry.fingerprints import fingerprint

    return fingerprint(default_registry().entry(kind, name).item)


def foreign(codes: Codes) -> str:
    """Which source code here is not the driver's, in words; empty if all is.

    Raises:
        ConfigError: a name is not known here.
    """
    for (kind, name), code in codes.items():
        if _own_code(kind, name) != code:
            return f"its {kind.removesuffix('s')} '{name}' has another source code"
    return ""


def main() -> None:
    """Train runs until the driver closes the stream or dies."""
    source, out = take_streams()
    settings = msgspec.json.decode(read_frame(source) or b"{}", type=Settings)
    warnings.simplefilter("ignore")
    from optbench.engine.training import train_spec
    from optbench.records.packing import pack_result, unpack_spec

    load_plugins(settings.plugins)
    surroundings = Surroundings()
    waiting = listen(source)
    write_frame(out, READY)
    warm: set[tuple[str, ...]] = set()
    while True:
        spec = unpack_spec(waiting.get())
        shared = (spec.optimizer, spec.initializer, spec.dataset, spec.dtype)
        if shared not in warm:
            if problem := foreign(codes_of([spec])):
                write_frame(out, REFUSED + problem.encode())
                return
            warm.add(shared)
            write_frame(out, WARMING)
            limit_memory(None)  # what runs share is not theirs to answer for
            warm_up(spec)
            limit_memory(settings.memory_mb)
            surroundings.restore()
            write_frame(out, READY)
        result = train_spec(spec, health=settings.health)
        surroundings.restore()
        write_frame(out, pack_result(result))


def warm_up(spec: RunSpec) -> None:
    """Load and compile what runs like this one share; a fault will come again in the run."""
    from optbench.data.splits import load_dataset
    from optbench.engine.training import prepare

    with contextlib.suppress(Exception, SystemExit):
        load_dataset(spec.dataset)
        prepare([spec])
