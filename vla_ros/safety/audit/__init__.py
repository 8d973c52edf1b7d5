"""Every call of the filter and every decision in a hash-chained log that a replay recomputes to the bit."""
