"""Who somebody is, and which devices may be there."""
