"""What the studio remembers, in one folder: a SQLite database with a write-ahead log, and files beside it."""
