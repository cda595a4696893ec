"""What every value here is made of."""

import msgspec

NEVER = 0.0


class IR(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The base of everything here."""
