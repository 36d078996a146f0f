"""Pages of the documentation that are made from the code, and how mathematics is set."""
