"""The Evaluate page and the sections that only it has."""
