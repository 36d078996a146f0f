"""Built-in landscapes, one module each."""
