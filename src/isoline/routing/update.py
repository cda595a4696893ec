"""What came out differently of a compile, for whoever renders it and whoever writes statuses."""

from dataclasses import dataclass, field

from isoline.objects import Key
from isoline.routing import ir
from isoline.routing.keeping import Served
from isoline.routing.statuses import ProxyStatus


@dataclass(slots=True)
class Update:
    """What differs now. None means gone; what is not in here is as it was."""

    sites: dict[str, ir.Site | None] = field(default_factory=dict)
    endpoints: dict[str, ir.Endpoints | None] = field(default_factory=dict)
    certificates: dict[str, ir.Certificate | None] = field(default_factory=dict)
    statuses: dict[Key, ProxyStatus | None] = field(default_factory=dict)
    served: dict[str, Served | None] = field(default_factory=dict)
    """With which certificates hosts are served, and who says so."""
    gateway: ir.Gateway | None = None
    """Set when it changed; there always is one."""

    def __bool__(self) -> bool:
        return bool(self.sites or self.endpoints or self.certificates or self.statuses or self.served or self.gateway)

    def add(self, later: "Update") -> None:
        """Take over what a later update says."""
        self.sites.update(later.sites)
        self.endpoints.update(later.endpoints)
        self.certificates.update(later.certificates)
        self.statuses.update(later.statuses)
        self.served.update(later.served)
        self.gateway = later.gateway or self.gateway
