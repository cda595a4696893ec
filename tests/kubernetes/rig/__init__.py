"""A real Kubernetes for tests, benchmarks and the curious, without containers and without anything left behind."""

from .api import Api, ApiError, Object
from .binaries import UnavailableError
from .containers import Image
from .node import Node
from .rig import SERVER, Rig

__all__ = ["SERVER", "Api", "ApiError", "Image", "Node", "Object", "Rig", "UnavailableError"]
