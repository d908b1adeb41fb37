"""The Runs page and the sections that only it has."""
