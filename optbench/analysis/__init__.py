"""From records of runs to a leaderboard: metrics, statistics, tuning, sentences. Pure functions."""
