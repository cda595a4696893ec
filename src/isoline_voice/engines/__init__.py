"""Engines: what turns text into audio, each behind the one protocol in `protocol.py`."""
