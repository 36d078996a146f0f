"""Specs, curves and results as bytes."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from optbench.errors import StoreError
from optbench.records import Status
from optbench.records.packing import (
    pack_result,
    pack_run,
    pack_spec,
    unpack_curve,
    unpack_result,
    unpack_spec,
)
from tests.store.results import assert_same, make_result


def test_results_travel_as_bytes_without_pickle() -> None:
    """A worker's message holds everything except the parameters; damaged bytes are refused."""
    sent = replace(make_result(3), params=[(np.ones((2, 2)), np.ones(2))])
    received = unpack_result(pack_result(sent))
    assert received == sent
    assert_same(received, sent)
    assert received.params is None
    for damaged in (b"", b"\x00\x00", pack_result(sent)[:40], pack_result(sent)[:-3]):
        with pytest.raises(StoreError):
            unpack_result(damaged)
    with pytest.raises(StoreError, match="do not divide"):
        unpack_curve((), b"12345678")


def test_numbers_that_json_lacks_travel_too() -> None:
    """NaN and infinity arrive unchanged, and NumPy's numbers as Python's."""
    sent = replace(make_result(), test_loss=math.inf, test_metric=np.float64(0.5))
    received = unpack_result(pack_result(sent))
    assert (received.test_loss, received.test_metric) == (math.inf, 0.5)
    assert type(received.test_metric) is float
    lost = make_result(status=Status.DIVERGED)
    assert math.isnan(unpack_result(pack_result(lost)).test_loss)


def test_a_message_with_the_key_of_another_run_is_refused() -> None:
    """A result is never stored under a run that it does not belong to."""
    packed = replace(pack_run(make_result(0)), key=make_result(1).key)
    with pytest.raises(StoreError, match="it is another run"):
        unpack_result(msgspec.msgpack.encode(packed))


def test_the_curve_of_a_message_is_not_converted() -> None:
    """The driver stores the bytes that the worker sent."""
    packed = pack_run(make_result())
    received = unpack_result(msgspec.msgpack.encode(packed))
    assert pack_run(received).curve == packed.curve == received.curve.matrix.tobytes()


def test_equal_values_of_many_specs_are_one_object() -> None:
    """A study of 100,000 runs keeps the name of a dataset once."""
    first, second = (unpack_spec(pack_spec(make_result(seed).spec)) for seed in (0, 1))
    assert first.dataset_hash is second.dataset_hash
    assert first.hidden is second.hidden
    assert first.control is second.control
