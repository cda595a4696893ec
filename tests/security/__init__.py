"""Attacks on the whole gateway: each is refused, or harmless."""
