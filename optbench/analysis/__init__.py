"""From records of runs to a leaderboard: metrics, statistics, tuning, sentences. Pure functions."""

from optbench.analysis.build import build_leaderboard
from optbench.analysis.leaderboard import Leaderboard, from_json, to_json

__all__ = ["Leaderboard", "build_leaderboard", "from_json", "to_json"]
