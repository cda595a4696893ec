"""Contour and Isoline side by side on a real API server: the same objects, the same Envoy, one run."""
