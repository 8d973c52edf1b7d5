"""The error of images that cannot be read."""


class WrongEncoding(ValueError):
    """The image cannot be read; the text is one line that names the encoding and what is wrong with it."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))
