"""The studio's figures: `make bench-voice`, and `make soak`."""
