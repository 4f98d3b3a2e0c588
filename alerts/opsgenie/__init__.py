"""What Opsgenie's clients read: alerts, what became of their requests, and heartbeats."""
