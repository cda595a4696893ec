"""The Gradio page that CosyVoice's users know, at /gradio. Only `serving` is imported before somebody asks for it."""
