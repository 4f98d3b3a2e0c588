"""What a workflow can do: a module per step."""
