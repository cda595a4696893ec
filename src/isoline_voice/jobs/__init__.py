"""Texts as long as books: planned, spoken in the background, resumed after a restart."""
