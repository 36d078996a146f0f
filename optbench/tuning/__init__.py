"""Which configurations are tried, and which one is chosen."""
