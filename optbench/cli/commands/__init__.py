"""Commands, one per module; each module has an attribute ``command``."""
