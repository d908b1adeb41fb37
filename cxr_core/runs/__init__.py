"""Long work and where it stands: store, queue, supervisor, metrics. Knows no kind of run from inside."""
