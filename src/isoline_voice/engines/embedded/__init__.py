"""The embedded engine: espeak-ng in worker processes, no download and no GPU."""
