"""The settings, with the commands that tests run in an instance."""

from tmi.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.tools"]  # noqa: F405
