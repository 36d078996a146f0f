"""One landscape a file."""
