"""Text as words: its language, folding, phrases, word lists, and what a message states about money and sizes."""
