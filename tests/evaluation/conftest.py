"""Property tests are judged by their answers, not by their time: the machine may be busy."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, max_examples=60)
settings.load_profile("steady")
