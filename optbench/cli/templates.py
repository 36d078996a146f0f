"""Templates for ``optbench new``: a working plugin that passes every check, ready to be edited.

`string.Template` substitutes ``$name``, ``$cls`` and the other placeholders.
"""

from __future__ import annotations

RULE = '''\
"""$cls, an optimizer for optbench."""

from optbench import Rule, decay, hyper


class $cls(Rule):
    """$cls: one line on what it does, here momentum.

    v <- beta v + (1 - beta) grad,  theta <- theta - lr v.
    """

    name = "$name"
    source = "own work"
    variant = "momentum as an average of gradients"
    lr: float = hyper(0.1, "learning rate", low=0, log_range=(1e-3, 10))
    beta: float = decay(0.9, "decay of the average", span=(0.01, 0.5))
    slots = ("v",)

    @staticmethod
    def update(theta, grad, v, t, h):
        v = h.beta * v + (1 - h.beta) * grad
        return theta - h.lr * v, v
'''

STEPPER = '''\
"""$cls, an optimizer for optbench."""

import numpy as np

from optbench import Stepper, hyper


class $cls(Stepper):
    """$cls: one line on what it does, here a step of fixed length for each layer.

    W <- W - lr * grad / (|grad| + eps), |.| the Frobenius norm of the whole array.
    """

    name = "$name"
    source = "own work"
    variant = "no momentum; eps outside of the norm"
    lr: float = hyper(0.1, "length of a step", low=0, log_range=(1e-3, 1))
    eps: float = hyper(1e-8, "keeps the denominator from 0", low=0, log_range=(1e-10, 1e-2))

    def init(self, params, context):
        return None

    def step(self, params, grads, state, context):
        h = context.h
        for theta, grad in zip(params, grads):
            theta[...] -= h.lr * grad / (np.linalg.norm(grad) + h.eps)
        return state
'''

INITIALIZER = '''\
"""$cls, an initializer for optbench."""

from optbench import Initializer, hyper


class $cls(Initializer):
    """$cls: one line on what it does, here W ~ N(0, gain^2 / n_in)."""

    name = "$name"
    source = "own work"
    variant = "normal, fan-in; biases 0"
    gain: float = hyper(1.0, "scale of the weights", low=0, log_range=(0.1, 10))

    def weight(self, rng, n_in, n_out, h):
        return rng.normal(0.0, h.gain / n_in**0.5, (n_in, n_out))
'''

DATASET = '''\
"""$cls, a dataset for optbench."""

import numpy as np

from optbench import DatasetSource


class $cls(DatasetSource):
    """$cls: one line on what it is, here 600 points labelled by signs."""

    name = "$name"
    task = "binary"
    source = "generated, seed 0"

    def load(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(600, 3))
        return x, ((x > 0).sum(axis=1) >= 2).astype(np.int64)
'''

PLUGIN = {"optimizer": RULE, "stepper": STEPPER, "initializer": INITIALIZER, "dataset": DATASET}

PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.25"]
build-backend = "hatchling.build"

[project]
name = "$dist"
version = "0.1.0"
description = "$cls, $a_kind for optbench"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["optbench"]

[project.optional-dependencies]
test = ["pytest"]

[project.entry-points.optbench]
$name = "$module"

[tool.hatch.build.targets.wheel]
only-include = ["$module.py"]
"""

TEST = '''\
"""$cls keeps every promise of a plugin."""

from $module import $cls
from optbench.conformance import parametrize_with_checks


@parametrize_with_checks([$cls])
def test_promises(item, check):
    check(item)
'''

README = """\
# $dist

$cls, $a_kind for optbench.

```
pip install .
$commands
```

The plugin is `$module.py`. Run its tests with `pip install '.[test]' && pytest`.
"""

COMMANDS = {
    "optimizer": "optbench check $target\noptbench run -o $name -o $rival$load",
    "initializer": "optbench check $target\noptbench run -i $name$load",
    "dataset": "optbench check $target\noptbench run -d $name$load",
}
"""Commands to try next, by kind of plugin."""
