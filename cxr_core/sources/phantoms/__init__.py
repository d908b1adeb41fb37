"""Synthetic chest radiographs ("phantoms"), drawn with NumPy."""
