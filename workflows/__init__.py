"""Workflows: a trigger, conditions and steps that do the chores of an incident."""
