"""Level-triggered loops that make the world what its objects say: apps, workloads, certificates, statuses."""
