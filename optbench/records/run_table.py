"""Runs and curves as flat rows: the columns of a CSV file, a Parquet file and a data frame."""

from __future__ import annotations

import math
from collections.abc import Iterator

from optbench.contracts import Value
from optbench.records.protocol import is_evaluation
from optbench.records.result import RunResult
from optbench.records.seeds import replicate_of
from optbench.records.spec import control_values

_AT_THE_END = ("train_loss", "val_loss", "train_metric", "val_metric")
"""Columns of a curve whose last value is a column ``final_<name>``."""


def run_row(result: RunResult) -> dict[str, Value]:
    """Return a run as one flat row: what was trained, how it ended and what it cost.

    Columns that ``leaderboard.csv`` also has bear the same name there.

    Args:
        result: the run.

    Returns:
        Value by column; a number that was not measured is NaN.

        * ``key``: content key of the run.
        * ``role``: ``"tuning"`` or ``"evaluation"``.
        * ``optimizer``, and with all its values ``configuration``.
        * ``workload``, and its parts ``dataset``, ``network``, ``initializer``, ``regime``,
          ``batch_size`` and ``epochs``.
        * ``seed``, ``dtype``.
        * ``status``, ``reason``.
        * ``final_train_loss``, ``final_val_loss``, ``final_train_metric``, ``final_val_metric``:
          the end of the run. Training loss and metric are those of the whole training part, unless
          it is large or the run diverged.
        * ``test_loss``, ``test_metric``: the test part at the end.
        * ``updates``, ``examples``, ``grad_evals``, ``seconds`` (of training, without evaluation).
        * ``loop``: ``"compiled"`` or ``"stepped"``.
        * ``best_test_loss``, ``best_test_metric``: the test part at the evaluation with the lowest
          validation loss.
        * ``guess_train_loss``, ``guess_val_loss``, ``guess_test_loss``: the loss of always
          predicting the class frequencies, or the mean, of the training part.
        * ``replicate``: number of the replicate of a study; NaN for a run outside of any.
        * ``hyper_<name>``: schedule, warmup, final and clip_norm, then each hyperparameter of the
          optimizer.

    Example:
        >>> import optbench
        >>> row = run_row(optbench.train("sgd", dataset="iris", epochs=1))
        >>> row["dataset"], row["role"], row["hyper_lr"]
        ('iris', 'evaluation', 0.1)
    """
    spec = result.spec
    workload = spec.workload
    hyper = control_values(spec.control) | spec.hyper
    replicate = replicate_of(workload.label, spec.seed)
    return {
        "key": result.key,
        "role": "evaluation" if is_evaluation(spec.seed) else "tuning",
        "optimizer": spec.optimizer,
        "configuration": spec.configuration,
        "workload": workload.label,
        "dataset": workload.dataset,
        "network": workload.network,
        "initializer": workload.initialization,
        "regime": workload.regime,
        "batch_size": workload.batch_size,
        "epochs": workload.epochs,
        "seed": spec.seed,
        "dtype": spec.dtype,
        "status": result.status.value,
        "reason": result.reason,
        **{f"final_{name}": result.final(name) for name in _AT_THE_END},
        "test_loss": result.test_loss,
        "test_metric": result.test_metric,
        "updates": result.final("updates"),
        "examples": result.final("examples"),
        "grad_evals": result.grad_evals,
        "seconds": result.seconds,
        "loop": result.loop,
        "best_test_loss": result.best_test_loss,
        "best_test_metric": result.best_test_metric,
        "guess_train_loss": result.guess_train_loss,
        "guess_val_loss": result.guess_val_loss,
        "guess_test_loss": result.guess_test_loss,
        "replicate": math.nan if replicate is None else replicate,
        **{f"hyper_{name}": value for name, value in hyper.items()},
    }


def curve_rows(result: RunResult) -> Iterator[dict[str, str | float]]:
    """Yield one flat row for each evaluation of a run.

    Args:
        result: the run; a curve in a store is read once.

    Yields:
        Value by column: ``key`` as in `run_row`, then the columns of the curve.
    """
    columns = result.curve.columns
    for values in result.curve.matrix.T.tolist():
        yield {"key": result.key, **dict(zip(columns, values, strict=True))}
