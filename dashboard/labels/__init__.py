"""The Labels page and the sections that only it has."""
