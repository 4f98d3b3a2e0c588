"""The forms of workflows."""
