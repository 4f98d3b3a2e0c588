"""The screens of people, teams and API keys, a module a subject."""
