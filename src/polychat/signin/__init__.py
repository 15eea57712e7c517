"""How a credential comes in: each file reads one thing that a person can hand over. Nothing here logs in by itself."""
