"""Long questions are computed in a process of their own, one after the other, so that nobody's click waits for them."""
