"""Portraits of optimizers: named properties, each measured on a small problem."""
