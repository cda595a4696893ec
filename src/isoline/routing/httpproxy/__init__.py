"""HTTPProxy → routes and clusters. One policy, one file."""
