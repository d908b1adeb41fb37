"""Answers that are kept: bounded by the memory that they take, asked for once, and stamped by what they came from."""
