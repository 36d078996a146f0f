"""Datasets: loaded, downloaded, split, cached, and the random streams that order them."""
