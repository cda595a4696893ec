"""The world of objects: a store in memory, and the sources that fill it."""
