"""The Train page and the sections that only it has."""
