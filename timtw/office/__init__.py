"""What operators see: accounts by hand, through a socket of the running node."""
