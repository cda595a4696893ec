"""Generated objects against the whole flow and a real Envoy: `python -m fuzz 10000`."""
