"""One file per command; the file's name is the command's, and its first sentence stands in `program.COMMANDS`."""
