"""What a person sees of a running Isoline, and the API by which the command line asks for it."""
