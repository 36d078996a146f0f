"""Translation of the update of a Rule into one fused, compiled loop."""
