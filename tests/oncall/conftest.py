"""What the tests of on-call share."""

from hypothesis import settings

# A busy machine is no failure.
settings.register_profile("sitrep", deadline=None)
settings.load_profile("sitrep")
