"""Studies that nobody trained: cells with known truth, for tests of all that reads cells."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from optbench.records import (
    REGIMES,
    Cell,
    Entrant,
    Regime,
    RunResult,
    Status,
    Trial,
    Workload,
)
from tests.records import factories

N_TRAIN = 600
INITIAL = 1.1


def make_cells(
    labels: Sequence[str] = ("alpha", "beta", "gamma"),
    datasets: Sequence[str] = ("moons", "iris", "digits"),
    regimes: Sequence[Regime] = REGIMES,
    initializers: Sequence[str] = ("he-normal",),
    *,
    hidden: Sequence[tuple[int, ...]] = ((32, 32),),
    seeds: int = 5,
    trials: int = 8,
    skill: Mapping[str, float] | None = None,
    noise: float = 0.1,
    workload_noise: float = 0.1,
    diverging: Mapping[str, float] | None = None,
    twins: Mapping[str, str] | None = None,
    grid_points: int = 40,
    epochs: int = 10,
    rng_seed: int = 0,
    replicates: int = 1,
    tuning_noise: float = 0.0,
) -> list[Cell]:
    """Cells of a study as the executor hands them over, for each label, workload and replicate.

    The validation loss of a run falls as a power of the examples seen, from 1.1 to
    ``floor * exp(-skill + noise)``; the test loss is 5% above it, the training loss 10% below.

    Args:
        skill: log units by which a label's final loss lies below the others' (default 0).
        noise: standard deviation of the log of the final loss between seeds.
        workload_noise: the same between workloads, drawn anew for each label.
        diverging: label -> share of its evaluation runs that diverge.
        twins: label -> label whose results it repeats exactly.
        rng_seed: every number is fixed by it.
        replicates: with one, evaluation seeds are 0, 1, ... on every workload, as in old studies;
            with more, every workload and replicate has seeds of its own.
        tuning_noise: standard deviation of the log of the final loss between replicates.
    """
    cells = []
    for dataset in datasets:
        for regime in regimes:
            for init in initializers:
                for widths in hidden:
                    workload = Workload(
                        dataset=dataset,
                        hidden=widths,
                        initializer=init,
                        regime=regime,
                        batch_size={"batch": N_TRAIN, "mini-batch": 32, "sgd": 1}[regime],
                        epochs=epochs,
                    )
                    for label in labels:
                        maker = _CellMaker(
                            label, (twins or {}).get(label, label), workload, rng_seed, grid_points
                        )
                        cells += maker.cells(
                            seeds,
                            trials,
                            (skill or {}).get(maker.source, 0.0),
                            noise,
                            workload_noise,
                            (diverging or {}).get(maker.source, 0.0),
                            replicates,
                            tuning_noise,
                        )
    return cells


class _CellMaker:
    """Draws one cell; a twin has the streams of the label it repeats."""

    def __init__(
        self, label: str, source: str, workload: Workload, rng_seed: int, grid_points: int
    ) -> None:
        self.source = source
        self.workload = workload
        self.entrant = Entrant(label=label, optimizer=label)
        self.grid_points = grid_points
        key = zlib.crc32(f"{source}|{workload.label}".encode())
        self.rng = np.random.default_rng([rng_seed, key])
        self.shared = np.random.default_rng([rng_seed, zlib.crc32(workload.label.encode())])

    def cells(
        self,
        seeds: int,
        trials: int,
        skill: float,
        noise: float,
        workload_noise: float,
        diverging: float,
        replicates: int,
        tuning_noise: float,
    ) -> list[Cell]:
        floor = float(np.exp(self.shared.uniform(np.log(0.05), np.log(0.3))))
        best = floor * float(np.exp(-skill + workload_noise * self.rng.normal()))
        cells = []
        for replicate in range(replicates):
            tried = []
            lrs = np.sort(10.0 ** self.rng.uniform(-5, 0, trials))
            for lr in lrs:
                off = float(np.log10(lr) + 2)
                final = min(best * float(np.exp(1.5 * off**2)), 1.0)
                run = self.run(-1, float(lr), final, diverged=off > 1.5)
                tried.append(Trial({"lr": float(lr)}, (run,)))
            luck = tuning_noise * self.rng.normal() if tuning_noise else 0.0
            ends = best * np.exp(luck + noise * self.rng.normal(size=seeds))
            lost = self.rng.random(seeds) < diverging
            own = f"{self.workload.label} {replicate}".encode()
            first = zlib.crc32(own) % 2**29 + 2**30 if replicates > 1 else 0
            runs = tuple(
                self.run(first + s, 0.01, float(ends[s]), bool(lost[s])) for s in range(seeds)
            )
            cells.append(
                Cell(
                    self.entrant,
                    self.workload,
                    tuple(tried),
                    {"lr": 0.01},
                    {},
                    runs,
                    replicate=replicate,
                )
            )
        return cells

    def run(self, seed: int, lr: float, final: float, diverged: bool) -> RunResult:
        """One run with a curve that falls from `INITIAL` to `final`, or blows up."""
        total = N_TRAIN * self.workload.epochs
        size = self.workload.batch_size
        examples = np.unique(np.geomspace(size, total, self.grid_points).astype(int) // size * size)
        examples = np.concatenate([[0], examples]).astype(float)
        share = np.log1p(examples / size) / np.log1p(examples[-1] / size)
        loss = INITIAL * (final / INITIAL) ** share
        if diverged:
            keep = len(loss) // 2
            examples, loss = examples[:keep], loss[:keep].copy()
            loss[-1] = np.nan
        accuracy = np.clip(1 - 0.5 * loss, 0, 1)
        spec = factories.make_run_spec(
            self.entrant.optimizer,
            hyper={"lr": lr},
            dataset=self.workload.dataset,
            hidden=self.workload.hidden,
            activation=self.workload.activation,
            initializer=self.workload.initializer,
            regime=self.workload.regime,
            batch_size=size,
            epochs=self.workload.epochs,
            seed=seed,
            grid_points=self.grid_points,
        )
        curve = factories.make_curve(
            {
                "epoch": examples / N_TRAIN,
                "updates": examples / size,
                "examples": examples,
                "seconds": examples * 1e-5,
                "train_loss": 0.9 * loss,
                "val_loss": loss,
                "train_metric": accuracy,
                "val_metric": accuracy,
            }
        )
        return factories.make_result(
            spec,
            curve,
            Status.DIVERGED if diverged else Status.OK,
            test_loss=1.05 * final,
            test_metric=float(np.clip(1 - 0.5 * final, 0, 1)),
            seconds=float(examples[-1]) * 1e-5,
        )
