"""Logs, traces and metrics, the same in every process.

Logs are structlog events, one JSON object a line (or coloured text), each with the correlation id of the work at
hand. Traces are OpenTelemetry's, joined over HTTP and Kafka by the W3C `traceparent`; where no exporter is set, no
span is made, but a caller's traceparent is handed on. Metrics are Prometheus', defined here and nowhere else.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import orjson
import structlog
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags
from prometheus_client import Counter, Gauge, Histogram

from shared import context

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from shared.settings import ServiceSettings

# Metrics. Seconds everywhere; labels are few and never ids.

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

OUTBOX_OLDEST_AGE_SECONDS = Gauge(
    "dueward_outbox_oldest_age_seconds", "Age of the oldest event that the broker has not acknowledged; 0 when empty"
)
OUTBOX_PENDING = Gauge("dueward_outbox_pending", "Events that the broker has not acknowledged")
EVENTS_PUBLISHED = Counter("dueward_events_published", "Events acknowledged by the broker", ["topic"])
PUBLISH_FAILURES = Counter("dueward_publish_failures", "Sends that failed and will be repeated", ["topic"])

CONSUMER_LAG_SECONDS = Gauge(
    "dueward_consumer_lag_seconds", "Age of the newest event not yet applied; 0 when caught up", ["topic", "partition"]
)
CONSUMER_LAG_MESSAGES = Gauge("dueward_consumer_lag_messages", "Messages not yet applied", ["topic", "partition"])
EVENTS_APPLIED = Counter("dueward_events_applied", "Events that took effect here for the first time", ["topic"])
EVENTS_DUPLICATE = Counter("dueward_events_duplicate", "Events that had taken effect before", ["consumer"])
EVENTS_IGNORED = Counter("dueward_events_ignored", "Events of a type this release does not know", ["type"])
HANDLER_SECONDS = Histogram("dueward_handler_seconds", "Time a handler took for one event", ["type"], buckets=_FAST)
BATCH_SECONDS = Histogram("dueward_batch_seconds", "Time a polled batch took to commit", ["consumer"], buckets=_FAST)
PARKED_KEYS = Gauge("dueward_parked_keys", "Customers whose events wait behind a failure")
PARKED_EVENTS = Gauge("dueward_parked_events", "Events that wait behind a failure")
DEAD_LETTERS = Counter("dueward_dead_letters", "Messages that could not be read", ["topic"])

TICK_SECONDS = Histogram("dueward_tick_seconds", "Time one call of a clock-driven job took", ["tick"], buckets=_FAST)
TICK_FAILURES = Counter("dueward_tick_failures", "Calls of a clock-driven job that failed", ["tick"])

WEBHOOK_CALLS = Counter("dueward_webhook_calls", "Calls of webhooks: delivered, or failed", ["outcome"])
WEBHOOK_WAITING = Gauge("dueward_webhook_waiting_customers", "Customers whose events wait for a webhook's receiver")
WEBHOOK_DEAD = Gauge("dueward_webhook_dead_deliveries", "Events given up for a webhook until somebody asks for them")
WEBHOOK_OLDEST_AGE_SECONDS = Gauge(
    "dueward_webhook_oldest_age_seconds", "How long the oldest event has waited for an active webhook; 0 when none does"
)
WEBHOOKS_DISABLED = Gauge("dueward_webhooks_disabled", "Webhooks that are called no more, since nothing got through")

HTTP_REQUEST_SECONDS = Histogram(
    "dueward_http_request_seconds", "Time to the end of the answer", ["method", "route", "status"], buckets=_FAST
)
HTTP_IN_FLIGHT = Gauge("dueward_http_in_flight", "Requests being answered")
CLIENT_REQUEST_SECONDS = Histogram(
    "dueward_client_request_seconds", "Time another service took to answer", ["target", "status"], buckets=_FAST
)


def set_up(process: str, settings: ServiceSettings) -> None:
    """Configure this process, named for example `invoice.worker`. Called once, before anything is logged."""
    _set_up_logs(process, settings.log_level, settings.log_format)
    _set_up_traces(process, settings.trace_exporter, settings.trace_file, settings.trace_sample_ratio)


def shut_down() -> None:
    """Flush what has not been exported yet."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


# Logs.

_NOISY_LOGGERS = ("aiokafka", "asyncio", "httpx", "httpcore", "uvicorn.access")


def _set_up_logs(process: str, level: str, log_format: Literal["json", "console"]) -> None:
    def name_process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        name_process,
        add_work_at_hand,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if log_format == "json":
        finish: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    else:
        plain = structlog.dev.plain_traceback
        finish = [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain)]

    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def add_work_at_hand(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The ids that join this line to the request, the events and the trace it belongs to."""
    if correlation := context.correlation.get():
        event["correlation_id"] = correlation
    if causation := context.causation.get():
        event["causation_id"] = causation
    span_context = trace.get_current_span().get_span_context()
    if span_context.is_valid:
        event["trace_id"] = format(span_context.trace_id, "032x")
        event["span_id"] = format(span_context.span_id, "016x")
    return event


def _to_json(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


# Traces.

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
Kind = Literal["internal", "server", "client", "producer", "consumer"]

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


def _set_up_traces(process: str, exporter: str, file: Path | None, sample_ratio: float) -> None:
    if exporter == "none":
        return
    if exporter == "file" and file is None:
        raise ValueError("TRACE_EXPORTER=file needs TRACE_FILE, the path to write spans to")
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"dueward.{process}"}),
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
    )
    sink: SpanExporter = JsonLinesExporter(file) if exporter == "file" and file else ConsoleSpanExporter(out=sys.stderr)
    provider.add_span_processor(BatchSpanProcessor(sink))
    trace.set_tracer_provider(provider)


def tracing() -> bool:
    """Whether spans are made in this process."""
    return isinstance(trace.get_tracer_provider(), TracerProvider)


def current_traceparent() -> str | None:
    """The W3C traceparent of the work at hand, to be sent along with events and calls."""
    span_context = trace.get_current_span().get_span_context()
    if not span_context.is_valid:
        return None
    return f"00-{span_context.trace_id:032x}-{span_context.span_id:016x}-{span_context.trace_flags:02x}"


def parse_traceparent(traceparent: str | None) -> SpanContext | None:
    """None for anything malformed: a bad header from outside costs the trace, never the request."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None:
        return None
    span_context = SpanContext(
        int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(int(match[3], 16))
    )
    return span_context if span_context.is_valid else None


@contextmanager
def span(
    name: str,
    *,
    kind: Kind = "internal",
    traceparent: str | None = None,
    links: Iterable[str | None] = (),
    attributes: Mapping[str, Any] | None = None,
) -> Generator[Span]:
    """Do work under a span: a child of the remote `traceparent`, or of the current span.

    `links` are the traces of a batch's events. With no exporter the remote context is only made current, so that
    whatever the work publishes still belongs to the caller's trace.
    """
    remote = parse_traceparent(traceparent)
    parent = trace.set_span_in_context(NonRecordingSpan(remote)) if remote else None
    if not tracing():
        token = otel_context.attach(parent) if parent else None
        try:
            yield trace.get_current_span()
        finally:
            if token:
                otel_context.detach(token)
        return
    with trace.get_tracer("dueward").start_as_current_span(
        name,
        context=parent,
        kind=_KINDS[kind],
        attributes=attributes,
        links=[Link(linked) for linked in map(parse_traceparent, links) if linked],
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            current.set_attribute("error.type", type(error).__qualname__)
            raise


class JsonLinesExporter(SpanExporter):
    """Spans as one JSON object a line, appended to a file that several processes may share."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = b"".join(orjson.dumps(_span_line(each), default=str) + b"\n" for each in spans)
        with self._lock:
            self._file.write(lines)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._file.close()


def _span_line(span: ReadableSpan) -> dict[str, Any]:
    own = span.get_span_context()
    return {
        "service": span.resource.attributes.get("service.name"),
        "name": span.name,
        "kind": span.kind.name.lower(),
        "trace_id": format(own.trace_id, "032x") if own else None,
        "span_id": format(own.span_id, "016x") if own else None,
        "parent_span_id": format(span.parent.span_id, "016x") if span.parent else None,
        "start_unix_ns": span.start_time,
        "end_unix_ns": span.end_time,
        "status": span.status.status_code.name.lower(),
        "attributes": dict(span.attributes or {}),
        "links": [
            {"trace_id": format(link.context.trace_id, "032x"), "span_id": format(link.context.span_id, "016x")}
            for link in span.links
        ],
    }
