"""Ingress v1 → routes of a host. It is compiled to what an HTTPProxy is compiled to, by the same parts."""
