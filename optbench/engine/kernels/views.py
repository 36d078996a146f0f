"""Matrices as views of flat arrays: where a matrix begins, and its strides."""

from __future__ import annotations

from typing import NamedTuple

from optbench.contracts import Array
from optbench.engine.kernels.jit import part


class View(NamedTuple):
    """A matrix M inside a flat array: ``M[i, j] = data[offset + i*row + j*column]``.

    A row stride of 0 repeats one row, so a bias (n_out,) serves as a matrix with any number of
    rows.

    Attributes:
        data: flat contiguous array.
        offset: index of M[0, 0].
        row: distance between rows, in elements.
        column: distance between columns, in elements.
    """

    data: Array
    offset: int
    row: int
    column: int


@part
def transposed(view):
    """Return the transposed view of the same numbers."""
    return View(view.data, view.offset, view.column, view.row)
