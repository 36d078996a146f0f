"""Loops that train a problem: the compiled loop and the stepped loop."""
