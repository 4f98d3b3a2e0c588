"""Benchmarks: what is measured, and how to read it, stands in bench/README.md."""
