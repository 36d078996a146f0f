"""Looks inside networks: signals, diagnoses, paths over landscapes."""
