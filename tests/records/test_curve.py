"""A curve is its names and one matrix."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from optbench.records import Curve
from optbench.records.packing import pack_curve, unpack_curve

MATRIX = np.array([[0.0, 1.0, 2.0], [np.inf, np.nan, -0.0]])


@pytest.fixture
def curve() -> Curve:
    """Two columns of three evaluations."""
    return Curve(("updates", "loss"), MATRIX)


def test_columns_and_tables_are_views_that_nobody_can_write_to(curve: Curve) -> None:
    """Nothing is copied between the training loop, the store and a plot."""
    for view in (curve.matrix, curve["loss"], curve.updates, curve.table(("updates", "loss"))):
        assert np.shares_memory(view, MATRIX)
        assert not view.flags.writeable
    assert MATRIX.flags.writeable


def test_packing_and_unpacking_keep_every_bit_and_copy_nothing(curve: Curve) -> None:
    """The bytes of the matrix are the packed form: also NaN, infinity and negative zero."""
    data = pack_curve(curve)
    assert data == MATRIX.tobytes()
    unpacked = unpack_curve(curve.columns, data)
    assert unpacked.matrix.tobytes() == data
    assert np.shares_memory(unpacked.matrix, np.frombuffer(data))
    empty = Curve(("updates", "loss"), np.empty((2, 0)))
    assert pack_curve(empty) == b""
    assert unpack_curve(empty.columns, b"") == empty


def test_a_table_has_nan_for_a_missing_column(curve: Curve) -> None:
    """Curves with and without layer health can be stacked."""
    table = curve.table(("loss", "layer1.dead"))
    np.testing.assert_array_equal(table[0], MATRIX[1])
    assert np.isnan(table[1]).all()
    assert curve.table(()).shape == (0, 3)


def test_the_last_value_of_a_missing_or_empty_column_is_nan(curve: Curve) -> None:
    """A run that was never evaluated has no final loss."""
    assert curve.last("updates") == 2.0
    assert np.isnan(curve.last("layer1.dead"))
    assert np.isnan(Curve(("loss",), np.empty((1, 0))).last("loss"))


def test_an_unknown_column_is_a_key_or_attribute_error(curve: Curve) -> None:
    """A mapping like any other."""
    assert "loss" in curve
    assert curve.get("nothing") is None
    with pytest.raises(KeyError):
        _ = curve["nothing"]
    with pytest.raises(AttributeError, match="no column 'nothing'"):
        _ = curve.nothing


def test_curves_are_equal_when_names_and_numbers_are(curve: Curve) -> None:
    """NaN equals NaN, so a result that was stored equals the one that was trained."""
    assert curve == pickle.loads(pickle.dumps(curve)) == Curve.from_columns(dict(curve))
    assert curve != Curve(("updates", "other"), MATRIX)
    assert curve != Curve(("updates", "loss"), MATRIX + 1)
    assert curve != dict(curve)


@pytest.mark.parametrize("shape", [(3, 2), (2,), (1, 2, 3)])
def test_a_matrix_that_does_not_fit_its_columns_is_refused(shape: tuple[int, ...]) -> None:
    """One row for each column."""
    with pytest.raises(ValueError, match="one row for each column"):
        Curve(("updates", "loss"), np.zeros(shape))


def test_numbers_of_any_type_become_float64() -> None:
    """Whole numbers and float32 are converted, also when the columns are given one by one."""
    curve = Curve.from_columns({"updates": [0, 1], "loss": np.array([2, 3], np.float32)})
    assert curve.matrix.dtype == np.float64
    assert curve.matrix.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert Curve.from_columns({}).rows == 0


def test_a_data_frame_has_the_columns_of_the_curve(curve: Curve) -> None:
    """And may be written to."""
    frame = curve.to_pandas()
    assert list(frame.columns) == ["updates", "loss"]
    frame.loc[0, "loss"] = 5.0
    assert MATRIX[1, 0] == np.inf
