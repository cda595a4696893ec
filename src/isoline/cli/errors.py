"""How a command ends when it does not end well: a sentence, an exit code, no stack trace."""

FOUND_WRONG = 1
USED_WRONGLY = 2


class CommandError(Exception):
    """Ends a command. The text is all that a person gets to see."""

    exit_code = FOUND_WRONG


class FoundWrongError(CommandError):
    """The command was understood, and something is not as it should be."""


class UsedWronglyError(CommandError):
    """The command was not given as it must be."""

    exit_code = USED_WRONGLY
