"""The composition roots: the only place that constructs the rooms and joins them, and that knows the clock."""
