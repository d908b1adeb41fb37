"""Model files, the list of them, and prediction. Only the modules inside load TensorFlow."""
