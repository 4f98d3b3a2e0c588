"""The screens of on-call, a module a subject."""
