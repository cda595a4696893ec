"""Voices made from recordings: decoded, checked, prepared, and stored with the speaker's consent."""
