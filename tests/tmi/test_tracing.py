"""Traces go to a collector that is configured: requests with their statements, and nobody's data."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Cast
from threatmodels.models import ThreatModel
from tmi.config import ConfigError, load
from tmi.lib import tracing

trace_service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(ThreadingHTTPServer):
    """What an OpenTelemetry collector takes: spans over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.bodies: list[bytes] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/traces"

    def spans(self) -> list[Any]:
        tracing.flush()
        found = []
        for body in self.bodies:
            request = trace_service.ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                names = {one.key: one.value.string_value for one in resource.resource.attributes}
                assert names["service.name"] == "shop"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


class Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        import gzip

        body = self.rfile.read(int(self.headers["Content-Length"]))
        packed = self.headers.get("Content-Encoding") == "gzip"
        self.server.bodies.append(gzip.decompress(body) if packed else body)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector(settings: Any) -> Iterator[Collector]:
    # The settings keep it out where no collector is configured.
    if sys.modules.get("opentelemetry.metrics", sys) is None:
        del sys.modules["opentelemetry.metrics"]
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chosen = settings.CONFIG.tracing.model_copy(
            update={"endpoint": server.endpoint, "service_name": "shop"}
        )
        settings.CONFIG = settings.CONFIG.model_copy(update={"tracing": chosen})
        settings.MIDDLEWARE = ["tmi.middleware.Traces", *settings.MIDDLEWARE]
        forget()
        yield server
        forget()
        server.shutdown()


def forget() -> None:
    tracing._provider.cache_clear()
    tracing._tracer.cache_clear()


def test_a_request_is_a_span_of_its_callers_trace_and_its_statements_are_below_it(
    collector: Collector, cast: Cast, threat_model: ThreatModel
) -> None:
    client = Client(headers={"traceparent": PARENT})
    client.force_login(cast.owner)
    client.get("/api/v1/threat_models?name=open-sesame")
    spans = collector.spans()
    [request] = [span for span in spans if span.name.startswith("GET ")]
    told = {one.key: one.value for one in request.attributes}
    assert request.name == "GET /api/v1/threat_models"
    assert request.trace_id.hex() == PARENT.split("-")[1]
    assert request.parent_span_id.hex() == PARENT.split("-")[2]
    assert told["http.response.status_code"].int_value == 200
    statements = [span for span in spans if span.parent_span_id == request.span_id]
    assert "SELECT" in {span.name for span in statements}
    everything = str(spans)
    for private in ("open-sesame", str(cast.owner.pk), "owner@example.org", str(threat_model.pk)):
        assert private not in everything


def test_what_went_wrong_on_this_side_is_marked(collector: Collector, settings: Any, db: None) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    Client().get("/readyz")
    [request] = [span for span in collector.spans() if span.name == "GET /readyz"]
    assert request.status.code == 2


def test_without_a_collector_nothing_is_traced() -> None:
    assert not tracing.is_on()
    with tracing.span("nothing") as span:
        assert span is None


def test_without_its_packages_a_collector_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tmi.config_schema.find_spec", lambda _name: None)
    environ = {"TMI_DATA_DIR": str(tmp_path), "TMI_TRACING_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}
    with pytest.raises(ConfigError, match=r"^tracing.endpoint: .*extra \"tracing\""):
        load(environ)
