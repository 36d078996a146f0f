"""The four boards: final loss, training loss, speed and stability, with their verdicts."""
