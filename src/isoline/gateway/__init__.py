"""The one flow: what changed in the store is compiled, rendered, and put before the streams."""

from isoline.gateway.flow import Flow, Statuses
from isoline.gateway.kept_certificates import KeptCertificates
from isoline.gateway.renderer import Renderer
from isoline.gateway.snapshot import Snapshot

__all__ = ["Flow", "KeptCertificates", "Renderer", "Snapshot", "Statuses"]
