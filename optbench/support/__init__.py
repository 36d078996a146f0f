"""Helpers without optbench types: files, child processes, text, HTML, log lines."""
