"""The screens of workflows, a module per subject."""
