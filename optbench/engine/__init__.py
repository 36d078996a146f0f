"""How a run is trained: the stepped loop (reference, any optimizer) and the compiled loop (Rules)."""
