"""The leaderboard and growing curves in the terminal."""
