"""Tuning: which configurations are tried, and which of them is chosen."""
