"""Where an App is to run, as far as its objects differ by it."""

from enum import Enum


class Target(Enum):
    """One machine: programs run as processes, and a command can be run without an image."""

    MACHINE = "this machine"
