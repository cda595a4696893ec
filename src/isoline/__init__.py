"""Isoline: put a self-hosted AI app on the internet."""
