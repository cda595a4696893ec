"""Engines in containers of their own, spoken to by streaming HTTP: sglang-omni and vllm-omni."""
