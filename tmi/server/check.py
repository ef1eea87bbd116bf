"""Asks the server of this machine whether it lives; for health checks of containers. Ends with 0 or 1."""

import http.client
import os
import ssl
import sys

from tmi.config import Config, ConfigError, load

SECONDS = 4
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared, not bound


def main() -> int:
    try:
        config = load(os.environ)
        status = ask(config, "/healthz")
    except (ConfigError, OSError, http.client.HTTPException) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0 if status == 200 else 1


def ask(config: Config, path: str) -> int:
    """The status of a GET by the name that the server answers to. Raises OSError, HTTPException."""
    server = config.server
    host = ANYWHERE.get(server.interface, server.interface)
    connection = http.client.HTTPConnection(host, server.port, timeout=SECONDS)
    if server.tls_enabled:
        # It is this machine that is asked; the certificate is made out to another name.
        context = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(host, server.port, timeout=SECONDS, context=context)
    # ".example.org" is that name, and every one below it.
    name = next((one.lstrip(".") for one in server.allowed_hosts if one != "*"), "localhost")
    connection.request("GET", path, headers={"Host": name})
    return connection.getresponse().status


if __name__ == "__main__":
    sys.exit(main())
