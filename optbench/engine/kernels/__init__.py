"""Compiled code: matrix products for small matrices, the network, and the training loop.

Everything is written once for float32 and float64, works on flat C-contiguous arrays with offsets
(a view costs more than a small product), and runs without the GIL.
"""
