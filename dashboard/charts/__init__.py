"""Pure functions: engine result -> figure."""
