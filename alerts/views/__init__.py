"""The screens of alerts: parse, find what the actor may see, call one action, render. A module per subject."""
