"""Traces for an OpenTelemetry collector, where one is configured; else nothing is even imported.

A span says where time went: a request with its route and status, each statement of the database without its
values, a commit of operations. Nobody's data is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

from django.conf import settings

LONGEST_STATEMENT = 1_000


def is_on() -> bool:
    return bool(settings.CONFIG.tracing.endpoint)


def span(name: str, **attributes: Any) -> AbstractContextManager[Any]:
    """A part of what is being traced; gives the span, or None where nothing is traced."""
    if not is_on():
        return nullcontext()
    given: AbstractContextManager[Any] = _tracer().start_as_current_span(name, attributes=attributes)
    return given


@contextmanager
def request_span(method: str, headers: Mapping[str, str]) -> Iterator[Any]:
    """The span of a request, below the one that the caller's `traceparent` names."""
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    caller = extract({name.lower(): value for name, value in headers.items()})
    attributes = {"http.request.method": method}
    with _tracer().start_as_current_span(
        method, context=caller, kind=SpanKind.SERVER, attributes=attributes
    ) as made:
        yield made


def fail(made: Any) -> None:
    """Marks a span as one of something that went wrong on this side."""
    from opentelemetry.trace import StatusCode

    made.set_status(StatusCode.ERROR)


def statement(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    """A wrapper for `connection.execute_wrapper`: each statement is a span, its values are not in it."""
    text = str(sql)
    attributes = {"db.system.name": "postgresql", "db.query.text": text[:LONGEST_STATEMENT]}
    with span(text.split(None, 1)[0].upper() if text.strip() else "SQL", **attributes):
        return execute(sql, params, many, context)


def flush() -> None:
    """Sends what has not been sent."""
    if is_on():
        _provider().force_flush()


@cache
def _provider() -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    chosen = settings.CONFIG.tracing
    provider = TracerProvider(
        resource=Resource.create({"service.name": chosen.service_name}),
        sampler=ParentBased(TraceIdRatioBased(chosen.sample_ratio)),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=chosen.endpoint)))
    return provider


@cache
def _tracer() -> Any:
    return _provider().get_tracer("tmi")
