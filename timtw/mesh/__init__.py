"""Equal nodes that find each other and hand events on."""
