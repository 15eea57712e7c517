"""Where accounts rest. `base` says what a vault is; each other file is one kind of it, and `stack` several as one."""
