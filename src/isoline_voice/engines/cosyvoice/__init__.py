"""CosyVoice3 on a GPU of this machine, in a process of its own; needs the model's own Python package beside ours."""
