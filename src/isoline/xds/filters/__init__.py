"""The HTTP filters, one file each; `table` has their order."""
