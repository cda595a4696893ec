"""Audio: levels, joins, resampling and the formats that a client may ask for."""
