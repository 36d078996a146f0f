"""Built-in initializers, one module each."""
