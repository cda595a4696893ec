"""`python -m isoline_voice` is `isoline-voice`."""

from isoline_voice.main import main

if __name__ == "__main__":
    main()
