"""Reports: one HTML file of what a page shows."""
