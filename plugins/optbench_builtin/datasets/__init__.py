"""Built-in datasets, one module each."""
