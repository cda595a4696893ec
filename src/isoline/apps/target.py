"""Where an App is to run, as far as its objects differ by it."""

from enum import Enum


class Target(Enum):
    """One machine runs programs as processes, and a command without an image too; Kubernetes runs images."""

    MACHINE = "this machine"
    KUBERNETES = "Kubernetes"
