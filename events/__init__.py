"""The fact log and the outbox: what happened, who reacts to it, and whether they have done so."""
