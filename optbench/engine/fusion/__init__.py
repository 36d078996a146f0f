"""Turns the body of a Rule into one fused, compiled loop."""
