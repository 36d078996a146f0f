"""``report.html``: one interactive page in one file."""
