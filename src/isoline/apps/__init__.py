"""Apps: from one manifest and a catalog entry to the objects that make it real."""

from isoline.apps.catalog import Catalog, load_catalog
from isoline.apps.expand import expand
from isoline.apps.faults import Fault, faults, notices, profile_of
from isoline.apps.profile import Profile
from isoline.apps.target import Offered, Target

__all__ = [
    "Catalog",
    "Fault",
    "Offered",
    "Profile",
    "Target",
    "expand",
    "faults",
    "load_catalog",
    "notices",
    "profile_of",
]
