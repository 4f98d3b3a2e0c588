"""Status pages: what the public is told."""
