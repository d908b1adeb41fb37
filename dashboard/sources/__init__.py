"""The Sources page and the sections that only it has."""
