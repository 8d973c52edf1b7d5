"""Two hosts on one machine, and the network between them as a test wants it."""
