"""What Isoline promises, in figures. `make bench` measures and writes docs/benchmarks.md and docs/benchmarks.json."""
