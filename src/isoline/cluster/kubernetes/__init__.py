"""A Kubernetes API server as a source of objects: reading it, following it, and writing back what was found."""
