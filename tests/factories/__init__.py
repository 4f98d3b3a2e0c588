"""Rows to test with: one file per app."""
