"""The browser face: widgets in, figures out. It only calls the engine."""
