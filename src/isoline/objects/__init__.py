"""Typed manifests: every kind, decoding that reports every error, encoding, and the CRDs of our own kinds."""

from isoline.objects.app import App, AppSpec, AppStatus
from isoline.objects.core import ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service
from isoline.objects.crds import crd_documents
from isoline.objects.decoding import Decoded, Located, decode_documents, decode_object
from isoline.objects.delegation import TLSCertificateDelegation
from isoline.objects.discovery import EndpointSlice
from isoline.objects.durations import parse_go_duration
from isoline.objects.encoding import encode, to_dict, to_yaml
from isoline.objects.errors import ObjectError, Problem
from isoline.objects.extension import ExtensionService
from isoline.objects.gateway_config import GatewayConfig, GatewayConfigSpec
from isoline.objects.httpproxy import HTTPProxy, HTTPProxySpec, HTTPProxyStatus
from isoline.objects.meta import Condition, Key, LabelSelector, Object, ObjectMeta, OwnerReference
from isoline.objects.networking import Ingress, NetworkPolicy
from isoline.objects.quantities import parse_quantity
from isoline.objects.registry import KINDS, Kind, find_kind
from isoline.objects.secrets import SecretValue
from isoline.objects.traffic_policy import TrafficPolicy, TrafficPolicySpec, TrafficPolicyStatus
from isoline.objects.workloads import Deployment

__all__ = [
    "KINDS",
    "App",
    "AppSpec",
    "AppStatus",
    "Condition",
    "ConfigMap",
    "Decoded",
    "Deployment",
    "EndpointSlice",
    "ExtensionService",
    "GatewayConfig",
    "GatewayConfigSpec",
    "HTTPProxy",
    "HTTPProxySpec",
    "HTTPProxyStatus",
    "Ingress",
    "Key",
    "Kind",
    "LabelSelector",
    "Located",
    "Namespace",
    "NetworkPolicy",
    "Object",
    "ObjectError",
    "ObjectMeta",
    "OwnerReference",
    "PersistentVolumeClaim",
    "Problem",
    "Secret",
    "SecretValue",
    "Service",
    "TLSCertificateDelegation",
    "TrafficPolicy",
    "TrafficPolicySpec",
    "TrafficPolicyStatus",
    "crd_documents",
    "decode_documents",
    "decode_object",
    "encode",
    "find_kind",
    "parse_go_duration",
    "parse_quantity",
    "to_dict",
    "to_yaml",
]
