"""Bringing in other people's files: label tables of public layouts and predictions of models trained elsewhere."""
