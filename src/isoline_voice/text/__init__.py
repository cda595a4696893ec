"""The text front end: from what a user typed to short stretches of one language each, ready to be spoken."""
