"""`/metrics` for Prometheus: the figures of all web processes, and what only the database knows."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from accounts.models import SignInSession
from collaboration.models import CollaborationSession
from threatmodels.choices import DeliveryStatus
from threatmodels.models import WebhookDelivery
from tmi.address import client_address
from tmi.health import CHECKS
from tmi.lib import metrics, rows

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def show(request: HttpRequest) -> HttpResponse:
    """The figures, for those whom the configuration names; nobody else learns that there are any."""
    if not _may_see(request):
        raise Http404
    metrics.sample()
    registry: Any = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's
    facts = CollectorRegistry()
    facts.register(Facts())
    text = generate_latest(registry) + generate_latest(facts)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _may_see(request: HttpRequest) -> bool:
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return False
    # A proxy that is not configured as one hides who asks.
    hidden = "X-Forwarded-For" in request.headers and str(address) == request.META.get("REMOTE_ADDR")
    networks = settings.CONFIG.metrics.allowed_networks
    return not hidden and any(address in ipaddress.ip_network(text, strict=False) for text in networks)


class Facts(Collector):
    """What is asked at the moment: it is the same whichever process answers."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("tmi_up", "Whether a part is there.", labels=["part"])
        for part, check in CHECKS.items():
            up.add_metric([part], float(check()))
        yield up
        try:
            with rows.scope(rows.EVERYTHING):
                here = CollaborationSession.objects.live().count()
                signed_in = SignInSession.objects.live().count()
                undelivered = WebhookDelivery.objects.filter(status=DeliveryStatus.PENDING).count()
        except DatabaseError:
            return
        sessions = GaugeMetricFamily("tmi_sessions", "Sessions that live.", labels=["kind"])
        sessions.add_metric(["collaboration"], here)
        sessions.add_metric(["sign_in"], signed_in)
        yield sessions
        yield GaugeMetricFamily(
            "tmi_webhook_deliveries_waiting", "Deliveries that wait for their turn.", value=undelivered
        )


def watch_process() -> None:
    """What each web process shows of itself: the pool of database connections, its memory, that it lives."""

    def pool(name: str) -> int:
        found = getattr(connections["default"], "pool", None)
        return int(found.get_stats().get(name, 0)) if found is not None else 0

    metrics.watch(metrics.POOL.labels("idle"), lambda: pool("pool_available"))
    metrics.watch(metrics.POOL.labels("used"), lambda: pool("pool_size") - pool("pool_available"))
    metrics.watch(metrics.POOL_WAITING, lambda: pool("requests_waiting"))
    metrics.watch(metrics.MEMORY, _resident)
    metrics.watch(metrics.PROCESSES, lambda: 1)


def _resident() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * PAGE_BYTES
    except OSError:  # not Linux
        return 0
