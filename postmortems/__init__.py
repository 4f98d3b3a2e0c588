"""Postmortems and the action items that follow from them."""
