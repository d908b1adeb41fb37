"""What several pages use, and the one door to the engine."""
