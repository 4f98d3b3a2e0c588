"""Who is on call, how to reach them, and the engine that pages until somebody answers."""
