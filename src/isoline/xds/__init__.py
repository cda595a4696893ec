"""IR to Envoy's messages, and the server that hands them out."""
