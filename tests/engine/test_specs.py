"""A run written down: the public face and the plan mean the same by what is not said."""

from __future__ import annotations

import inspect

import optbench
from optbench.engine.specs import make_spec


def test_train_and_make_spec_have_one_signature() -> None:
    """Arguments in the same order with the same defaults; each adds what only it can use."""
    public = dict(inspect.signature(optbench.train).parameters)
    inner = dict(inspect.signature(make_spec).parameters)
    assert list(public)[-1] == "health"
    assert list(inner)[-1] == "registry"
    del public["health"], inner["registry"]
    assert list(public.items()) == list(inner.items())
