"""Model files, their registry, and prediction. Only the modules inside load TensorFlow."""
