"""People, teams, roles, API keys, and who is acting."""
