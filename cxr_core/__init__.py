"""The engine of CXR Lab: label tables, training, evaluation and long work, without a face."""

__version__ = "0.2.0"
