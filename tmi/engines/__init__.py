"""PostgreSQL and Valkey for an instance that has none configured: start, adopt, restart, stop."""

from tmi.engines.addresses import Endpoints, endpoints, socket_dir
from tmi.engines.errors import EngineError
from tmi.engines.lease import Engines, ensure

__all__ = ["Endpoints", "EngineError", "Engines", "endpoints", "ensure", "socket_dir"]
