"""The settings, and bare views beside the real ones: what the same server does with nothing to do."""

from tests.tools.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "tests.bench"]  # noqa: F405
