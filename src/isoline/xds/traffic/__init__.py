"""The filters of one site's own chain, one file each; `table` has their order."""
