#!/usr/bin/env python
"""Every command of an instance: its configuration is read first, its databases are there while it runs."""

import os
import signal
import sys

# These need no database; all others find one running or start it for themselves.
LIGHT = {
    "help",
    "version",
    "tmi_config",
    "check",
    "collectstatic",
    "compilemessages",
    "makemessages",
    "diffsettings",
    "spectacular",
    "startapp",
}


def main(arguments: list[str]) -> int:
    """Runs a command; returns 2 for a wrong configuration and 1 for a missing database, in one line each."""
    if arguments[:1] == ["new_key"]:
        return make_key(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tmi.settings")
    from tmi.config import ConfigError, load
    from tmi.engines import EngineError, ensure

    try:
        config = load(os.environ)
        if arguments[:1] == ["serve"]:
            from tmi.server.supervisor import main as serve

            return serve(config, arguments[1:])
        if needs_database(arguments):
            # A command that is ended still gives back what it uses.
            signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
            with ensure(config):
                run(arguments)
        else:
            run(arguments)
    except ConfigError as problem:
        print(f"configuration: {problem}", file=sys.stderr)
        return 2
    except EngineError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def make_key(arguments: list[str]) -> int:
    """Prints a key for a configuration that is not complete without it, so without reading one."""
    from django.conf import settings

    from accounts.management.commands.new_key import Command

    settings.configure()
    Command().run_from_argv(["manage.py", *arguments])
    return 0


def needs_database(arguments: list[str]) -> bool:
    """Whether a command line can touch the database; asking for help never does."""
    return (
        bool(arguments) and arguments[0] not in LIGHT and not {"-h", "--help", "--version"} & set(arguments)
    )


def run(arguments: list[str]) -> None:
    """Hands over to Django."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *arguments])


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036  whoever runs an older one is told so
        sys.exit(f"TMI needs Python 3.11 or later; this is {sys.version.split()[0]}")
    try:
        sys.exit(main(sys.argv[1:]))
    except ModuleNotFoundError as problem:
        if problem.name not in ("django", "pydantic", "yaml"):
            raise
        sys.exit(f"{problem.name} is not installed here: `make run` makes the environment in .venv")
