"""What a user can ask for, one module each: the only place that knows several rooms; the faces call it."""
