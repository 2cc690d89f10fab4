"""The translators between bytes of clients and values: frames, codecs, sockets."""
