"""What alerts can be made of."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from isoline.cli.monitoring import figures_of_kept


class Kept(Collector):
    def __init__(self, certificates: dict[str, float]) -> None:
        self._certificates = certificates

    def collect(self) -> Iterator[Metric]:
        yield from figures_of_kept(self._certificates)


def exposed(certificates: dict[str, float]) -> list[str]:
    registry = CollectorRegistry()
    registry.register(Kept(certificates))
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_a_certificate_without_a_secret_says_when_it_ends() -> None:
    assert exposed({"voice/tls": 1.75e9, "music/tls": 1.8e9}) == [
        "isoline_certificates_kept 2.0",
        'isoline_kept_certificate_expiration_timestamp_seconds{secret="voice/tls"} 1.75e+09',
        'isoline_kept_certificate_expiration_timestamp_seconds{secret="music/tls"} 1.8e+09',
    ]


def test_no_alert_is_made_of_certificates_in_order() -> None:
    assert exposed({}) == ["isoline_certificates_kept 0.0"]
