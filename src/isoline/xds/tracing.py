"""Spans of requests, sent by Envoy's own OpenTelemetry tracer."""

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import grpc_service_pb2
from envoy.config.trace.v3 import http_tracer_pb2, opentelemetry_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.type.tracing.v3 import custom_tag_pb2
from google.protobuf import any_pb2

from isoline.routing import ir
from isoline.xds import clusters
from isoline.xds.messages import duration, packed

CLUSTER = "isoline/tracing"
_TIMEOUT = 5.0


def cluster(source: ir.Tracing, gateway: ir.Gateway) -> cluster_pb2.Cluster:
    """Who collects the spans."""
    return clusters.collector(CLUSTER, source.collector, gateway)


def tracing(source: ir.Tracing) -> hcm.HttpConnectionManager.Tracing:
    """What a connection manager traces. A span a request: what the upstream does is its own to say."""
    message = hcm.HttpConnectionManager.Tracing(provider=_provider(source))
    message.overall_sampling.value = source.percent
    message.max_path_tag_length.value = source.max_path_length
    for tag in source.tags:
        message.custom_tags.append(_tag(tag))
    return message


def _provider(source: ir.Tracing) -> http_tracer_pb2.Tracing.Http:
    service = grpc_service_pb2.GrpcService(timeout=duration(_TIMEOUT))
    service.envoy_grpc.cluster_name = CLUSTER
    config: any_pb2.Any = packed(
        opentelemetry_pb2.OpenTelemetryConfig(grpc_service=service, service_name=source.service_name)
    )
    return http_tracer_pb2.Tracing.Http(name="envoy.tracers.opentelemetry", typed_config=config)


def _tag(source: ir.TraceTag) -> custom_tag_pb2.CustomTag:
    tag = custom_tag_pb2.CustomTag(tag=source.name)
    if source.header:
        tag.request_header.name = source.header
    else:
        tag.literal.value = source.literal
    return tag
