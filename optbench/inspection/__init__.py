"""Inspection of networks and optimizers: signals, diagnoses, landscapes and trajectories."""
