"""Reading other people's files: label tables of public layouts, and tables of predictions."""
