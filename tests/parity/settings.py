"""What both gateways are told beside the objects."""

from typing import Any, Final

from .corpus import Corpus

STATUS_ADDRESS: Final = "203.0.113.7"
FALLBACK: Final = "fallback/certificate"
RATE_LIMIT_SERVICE: Final = "ratelimits/service"
NOT_FOR_ROOTS: Final = "not-for-roots"
"""A namespace of the corpus in which no root may be."""


def root_namespaces(corpus: Corpus) -> list[str]:
    """Return every namespace of the corpus but one."""
    return [each for each in corpus.namespaces if each != NOT_FOR_ROOTS]


def _reference(name: str) -> dict[str, str]:
    namespace, _, own = name.partition("/")
    return {"namespace": namespace, "name": own}


def gateway_config(corpus: Corpus, *, http_port: int, https_port: int) -> dict[str, Any]:
    """Return the GatewayConfig that means the same as Contour's configuration."""
    return {
        "apiVersion": "isoline.dev/v1alpha1",
        "kind": "GatewayConfig",
        "metadata": {"name": "default"},
        "spec": {
            "listeners": {"http": {"port": http_port}, "https": {"port": https_port}},
            "tls": {"selfSigned": False, "fallbackCertificate": _reference(FALLBACK)},
            "rateLimitService": {"extensionService": _reference(RATE_LIMIT_SERVICE), "failOpen": True},
            "rootNamespaces": root_namespaces(corpus),
        },
    }
