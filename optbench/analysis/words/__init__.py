"""Sentences derived from the numbers of a leaderboard."""
