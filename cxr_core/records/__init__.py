"""TFRecords of chest X-rays, written, read, counted and checked without TensorFlow."""
