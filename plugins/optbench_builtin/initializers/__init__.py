"""Built-in initializers, one short file each."""
