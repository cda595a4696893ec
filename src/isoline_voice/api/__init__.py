"""The studio's HTTP side: one file a group of routes, each over the one `SpeechService`."""
