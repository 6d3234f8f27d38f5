"""DMN 1.5: decision models are read, run with the standard's behaviour, and exchanged with rule sets of our own."""
