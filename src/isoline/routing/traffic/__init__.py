"""TrafficPolicies: which of them counts for a route, what it asks for, and what is said of it."""
