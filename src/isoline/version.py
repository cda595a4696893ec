"""The version of this distribution, as its metadata has it."""

from importlib.metadata import version

VERSION = version("isoline")
