"""Metrics, tests, the bootstrap, rankings and scores."""
