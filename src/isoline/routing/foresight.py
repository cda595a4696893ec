"""What changes would come to, compiled and thrown away."""

from collections.abc import Mapping
from typing import NamedTuple

from isoline.objects import Key
from isoline.routing import ir
from isoline.routing.ledger import Preview


class Foresight(NamedTuple):
    """What some changes would do. Nothing is changed by asking."""

    previews: Mapping[Key, Preview]
    """Statuses, of the changed objects and of all others; those of which nothing is said are not in it."""
    sites: Mapping[str, ir.Site | None]
    """Each host that would be compiled again, as it would be; None: there would be none."""
