"""The training: a sample book on a simulated clock, and situations to act in that end with a check of what was done."""
