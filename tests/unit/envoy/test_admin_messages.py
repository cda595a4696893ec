"""What Envoy's admin interface answers, read into types."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from isoline.envoy import admin_messages as messages


def cluster_with(**host: Any) -> messages.EndpointStatus:
    address = {"socket_address": {"address": "10.0.0.1", "port_value": 80}}
    document = {"cluster_statuses": [{"name": "app", "host_statuses": [{"address": address} | host]}]}
    (cluster,) = messages.clusters(json.dumps(document).encode())
    (endpoint,) = cluster.endpoints
    return endpoint


def test_an_endpoint_without_flags_is_healthy() -> None:
    endpoint = cluster_with(health_status={"eds_health_status": "HEALTHY"}, weight=3)
    assert endpoint == messages.EndpointStatus(
        address="10.0.0.1:80", healthy=True, flags=(), weight=3, active_requests=0
    )


@pytest.mark.parametrize("flag", ["failed_active_health_check", "failed_outlier_check", "pending_active_hc"])
def test_a_flag_that_keeps_requests_away_makes_it_unhealthy(flag: str) -> None:
    endpoint = cluster_with(health_status={"eds_health_status": "HEALTHY", flag: True})
    assert (endpoint.healthy, endpoint.flags) == (False, (flag,))


@pytest.mark.parametrize("status", ["UNHEALTHY", "DRAINING", "DEGRADED"])
def test_what_the_control_plane_said_of_it_counts(status: str) -> None:
    endpoint = cluster_with(health_status={"eds_health_status": status})
    assert (endpoint.healthy, endpoint.flags) == (False, (f"eds_{status.lower()}",))


def test_an_endpoint_that_is_about_to_go_still_takes_requests() -> None:
    endpoint = cluster_with(health_status={"eds_health_status": "HEALTHY", "pending_dynamic_removal": True})
    assert (endpoint.healthy, endpoint.flags) == (True, ("pending_dynamic_removal",))


def test_requests_under_way_and_other_kinds_of_address() -> None:
    endpoint = cluster_with(
        address={"socket_address": {"address": "::1", "port_value": 80}},
        stats=[{"name": "rq_active", "type": "GAUGE", "value": "4"}, {"name": "cx_active", "type": "GAUGE"}],
    )
    assert (endpoint.address, endpoint.active_requests) == ("[::1]:80", 4)
    assert cluster_with(address={"pipe": {"path": "/run/app.sock"}}).address == "/run/app.sock"


def test_no_clusters_and_no_listeners() -> None:
    assert messages.clusters(b"{}") == []
    assert messages.listeners(b"{}") == []


def test_stats_without_histograms_and_texts() -> None:
    document = {"stats": [{"name": "a", "value": 1}, {"name": "b", "value": "text"}, {"histograms": {}}]}
    assert messages.stats(json.dumps(document).encode()) == {"a": 1}


@pytest.mark.parametrize(
    ("stats", "open_streams"),
    [
        ({}, 0),
        # The admin interface's own connection.
        ({"http.admin.downstream_rq_active": 1, "listener.admin.downstream_cx_active": 1}, 0),
        # Three connections, one of them in use.
        (
            {
                "http.https.downstream_rq_active": 1,
                "http.https.downstream_cx_active": 3,
                "listener.0.0.0.0_443.downstream_cx_active": 3,
                "listener.0.0.0.0_443.worker_0.downstream_cx_active": 3,
            },
            1,
        ),
        # Two of five connections are passed through as TCP.
        ({"http.https.downstream_cx_active": 3, "listener.0.0.0.0_443.downstream_cx_active": 5}, 2),
        # Counted at different moments, the difference may be negative.
        ({"http.https.downstream_cx_active": 3, "listener.0.0.0.0_443.downstream_cx_active": 2}, 0),
    ],
)
def test_open_streams_are_what_a_client_would_miss(stats: dict[str, int], open_streams: int) -> None:
    assert messages.open_streams(stats) == open_streams


def test_certificates_with_names_and_dates() -> None:
    chain = {
        "path": "<inline>",
        "serial_number": "01",
        "subject_alt_names": [{"dns": "a.example"}, {"ip_address": "10.0.0.1"}],
        "days_until_expiration": "29",
        "valid_from": "2026-01-02T03:04:05Z",
        "expiration_time": "2026-02-02T03:04:05Z",
    }
    document = {"certificates": [{"ca_cert": [], "cert_chain": [chain]}, {"ca_cert": []}]}
    (certificate,) = messages.certificates(json.dumps(document).encode())
    assert certificate.dns_names == ("a.example",)
    assert certificate.valid_from == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert certificate.expires == datetime(2026, 2, 2, 3, 4, 5, tzinfo=UTC)
