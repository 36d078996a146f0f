"""Built-in learning-rate schedules, one module each."""
