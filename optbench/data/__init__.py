"""Loading, downloading, splitting and caching of datasets, and seeded random streams."""
