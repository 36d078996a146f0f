"""Compiled code: matrix products for small matrices, the network, and the training loop.

Every function is written once for float32 and float64, and runs without the GIL. Matrices are parts
of flat arrays with an offset and strides (`View`), because a NumPy view costs more than a small
product.
"""
