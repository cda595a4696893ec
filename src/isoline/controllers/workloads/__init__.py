"""A small kubelet and Deployment controller for one machine: replicas are supervised processes on loopback ports."""
