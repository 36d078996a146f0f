"""Built-in datasets, one short file each."""
