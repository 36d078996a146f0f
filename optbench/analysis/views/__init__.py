"""The tables of a leaderboard, one module a view."""
