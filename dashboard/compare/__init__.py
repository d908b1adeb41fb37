"""The Compare page and the sections that only it has."""
