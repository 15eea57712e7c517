"""What goes over the wire, written down without its secrets, and served again.

    recording    a transport that watches another; `tape` notes one exchange, `asking` its request
    redaction    what may be written down; `secret_forms` and `secret_pieces` find a secret however it is written
    recorded     the file of one exchange
    replay       a transport that serves such files; `matching` finds the one that answers

The sandbox reads the same files by itself.
"""
