"""The forms of alerts' screens; what they accept is checked again by the actions."""
