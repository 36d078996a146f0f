"""How a run is trained: the stepped loop (reference, any optimizer), the compiled loop (Rules)."""
