"""What a model is worth on a label, with its uncertainty. Pure NumPy."""
