"""Built-in optimizers, one short file each."""
