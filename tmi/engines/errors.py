"""What goes wrong with an engine, said in one line."""


class EngineError(Exception):
    """An engine is not there and cannot be started; the text is one line that says what to do."""
