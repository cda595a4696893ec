"""The files of CosyVoice3: where they are to be had, and how they come to this machine."""
