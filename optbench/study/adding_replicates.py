"""Further replicates of a finished study, trained from Python."""

from __future__ import annotations

from dataclasses import replace

from optbench.errors import ConfigError
from optbench.execution import Limits, make_executor
from optbench.study.calls import argument_texts, parse_time
from optbench.study.driver import Observer
from optbench.study.extending import plan_extension, read_finished
from optbench.study.progress_view import shown_progress
from optbench.study.running import run_study_in
from optbench.study.study import Study


def add_replicates(
    study: Study,
    replicates: int,
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    timeout: float | str | None = None,
    memory: int | None = None,
    progress: bool | Observer | None = None,
) -> Study:
    """Train further replicates of a finished study; arguments as for `Study.more`.

    Raises:
        ConfigError: The study has no folder, was interrupted, or a value is not allowed.
        StoreError: Its store cannot be read or written.
    """
    if study.folder is None:
        raise ConfigError("this study has no folder, so no replicates can be added to it")
    if not isinstance(replicates, int) or replicates < 1:
        raise ConfigError(f"replicates={replicates!r} is not allowed; a whole number >= 1")
    record = read_finished(study.folder)
    plan = replace(plan_extension(record, replicates, study.registry), criteria=study.criteria)
    seconds = parse_time("more", "timeout", timeout)
    call = [str(replicates), *argument_texts({"timeout": timeout, "memory": memory})]
    with shown_progress(progress) as observer:
        longer = run_study_in(
            study.folder,
            plan,
            make_executor(
                jobs,
                scheduler,
                first_seeds=plan.first_seeds,
                limits=Limits(seconds=seconds, memory_mb=memory),
                registry=None if study._session is None else study._session.registry,
            ),
            observer=observer,
            command=f"optbench.load_study({str(study.folder)!r}).more({', '.join(call)})",
            extended=record,
        )
    return replace(longer, _session=study._session)
