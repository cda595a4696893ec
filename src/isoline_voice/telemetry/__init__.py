"""What the studio tells those who run it: figures, logs and traces, none of which hold what people let it say."""
