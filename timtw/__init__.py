"""timtw: an instant messaging engine on Twisted that does not lose messages."""

__version__ = "0.1.0.dev0"
