"""Codecs: bytes in, records out, and back.

No socket, no clock, no asyncio, and no role: the same file serves client and server.
"""
