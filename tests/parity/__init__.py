"""Contour and Isoline side by side: the same objects, the same requests, and every difference told."""
