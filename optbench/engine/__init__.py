"""Training of runs: the stepped loop (reference, any optimizer) and the compiled loop (Rules)."""
