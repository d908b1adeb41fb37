"""Named data sets: the demo, and those that the user configures or imports."""
