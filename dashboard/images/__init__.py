"""What is behind a number: images, one film, and reading."""
