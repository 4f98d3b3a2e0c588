"""Template tags of on-call."""
