"""One line a request."""

from collections.abc import Iterator

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import config_source_pb2
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.access_loggers.open_telemetry.v3 import logs_service_pb2

from isoline.routing import ir
from isoline.xds.messages import duration, packed

_FIELDS = {
    "time": "%START_TIME%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "protocol": "%PROTOCOL%",
    "method": "%REQ(:METHOD)%",
    "scheme": "%REQ(:SCHEME)%",
    "host": "%REQ(:AUTHORITY)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "route": "%ROUTE_NAME%",
    "cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream": "%UPSTREAM_HOST%",
    "upstream_failure": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "request_ms": "%REQUEST_DURATION%",
    "first_byte_ms": "%RESPONSE_DURATION%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "server_name": "%REQUESTED_SERVER_NAME%",
    "tls": "%DOWNSTREAM_TLS_VERSION%",
}


NAMESPACE = "isoline"
MARK = "log"
"""Where in a request's metadata the name of its log is."""
DEFAULT = "*"
"""The gateway's own log. No name of a log, as the next."""
NOWHERE = "-"

_CONNECT_TIMEOUT = 5.0


def access_log(source: ir.AccessLog) -> accesslog_pb2.AccessLog:
    """JSON with the fields above, or Envoy's own line. Durations are milliseconds."""
    log = file_pb2.FileAccessLog(path=source.path)
    fields = {name: _FIELDS[name] for name in source.fields} if source.fields else _FIELDS
    if source.json:
        log.log_format.json_format.update(fields)
    elif source.fields:
        log.log_format.text_format_source.inline_string = " ".join(fields.values()) + "\n"
    return accesslog_pb2.AccessLog(name="envoy.access_loggers.file", typed_config=packed(log))


def access_logs(gateway: ir.Gateway) -> Iterator[accesslog_pb2.AccessLog]:
    """The loggers of HTTP requests: the gateway's own, for requests without a mark, and those with names."""
    if gateway.access_log is not None:
        own = access_log(gateway.access_log)
        if gateway.named_logs:
            own.filter.CopyFrom(_marked(DEFAULT, unmarked=True))
        yield own
    for named in gateway.named_logs:
        log = _collected(named) if named.log is None else access_log(named.log)
        log.filter.CopyFrom(_marked(named.name, unmarked=False))
        yield log


def collector_name(named: ir.NamedLog) -> str:
    """The name of the cluster that a log is sent to."""
    return f"isoline/access-log/{named.name}"


def _collected(named: ir.NamedLog) -> accesslog_pb2.AccessLog:
    message = logs_service_pb2.OpenTelemetryAccessLogConfig()
    message.common_config.log_name = named.name
    message.common_config.transport_api_version = config_source_pb2.V3
    service = message.common_config.grpc_service
    service.envoy_grpc.cluster_name = collector_name(named)
    service.timeout.CopyFrom(duration(_CONNECT_TIMEOUT))
    message.body.string_value = "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %RESPONSE_CODE%"
    for name in named.fields or _FIELDS:
        message.attributes.values.add(key=name).value.string_value = _FIELDS[name]
    return accesslog_pb2.AccessLog(name="envoy.access_loggers.open_telemetry", typed_config=packed(message))


def _marked(name: str, *, unmarked: bool) -> accesslog_pb2.AccessLogFilter:
    """Lets requests with this mark pass, and those without any if asked."""
    found = accesslog_pb2.AccessLogFilter()
    matcher = found.metadata_filter.matcher
    matcher.filter = NAMESPACE
    matcher.path.add(key=MARK)
    matcher.value.string_match.exact = name
    found.metadata_filter.match_if_key_not_found.value = unmarked
    return found
