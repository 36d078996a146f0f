"""Trains some runs and prints their hashes: one process of `test_same_bits`.

    python -m tests.engine.same_bits [--wide]

With --wide, the code is that of a processor with vectors of 64 bytes, in pieces that fit into those
of this one.
"""

from __future__ import annotations

import hashlib
import json
import sys

RUNS = (
    ("digits", (32, 32), "relu", "sgd", 1),
    ("digits", (7, 5), "tanh", "mini-batch", 3),
    ("spirals", (32, 32), "gelu", "batch", 20),
    ("teacher-regression", (32,), "sigmoid", "sgd", 1),
    ("diabetes", (9,), "leaky-relu", "mini-batch", 5),
    ("digits", (150, 130), "relu", "mini-batch", 2),
)
"""Dataset, hidden layers, activation, regime and epochs: every kernel, with odd widths too."""
RULES = ("sgd[schedule=cosine]", "adam", "adan[clip_norm=0.1]")
STEPPERS = ("muon", "lamb", "lars", "prodigy", "schedule-free-adamw")
"""Steppers that take no decomposition of a matrix from LAPACK."""


def widen() -> None:
    """Let the kernels believe in vectors of 64 bytes, before they are imported."""
    from llvmlite import binding

    from optbench.engine.kernels import vectors

    binding.set_option("optbench", "--force-vector-width=16")
    # A width that is forced would allow LLVM to sum in any order.
    binding.set_option("optbench", "--hints-allow-reordering=false")
    vectors.VECTOR_BYTES = 64
    for dtype in vectors.WIDTH:
        vectors.WIDTH[dtype] *= 2


def hashes() -> dict[str, str]:
    """Return a hash of parameters, losses and metrics of each run."""
    import optbench

    found = {}
    for dataset, hidden, activation, regime, epochs in RUNS:
        for optimizer in (*RULES, *STEPPERS):
            result = optbench.train(
                optimizer, dataset, hidden, activation, regime=regime, epochs=epochs, grid_points=8
            )
            digest = hashlib.sha256(result.params_hash.encode())
            for column in ("train_loss", "val_loss", "train_metric", "val_metric"):
                digest.update(result.curve[column].tobytes())
            name = f"{optimizer} on {dataset} {hidden} {activation} {regime}"
            found[name] = f"{digest.hexdigest()[:16]} {result.test_loss.hex()}"
    return found


if __name__ == "__main__":
    if "--wide" in sys.argv:
        widen()
    print(json.dumps(hashes()))
