"""Network, loss, input pipeline, accelerators and loop. Only the modules inside load TensorFlow."""
