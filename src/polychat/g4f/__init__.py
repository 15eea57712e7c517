"""The names of gpt4free's pages over polychat's engine.

Take an example of those pages, replace everything up to and including `g4f` in its imports by `polychat.g4f`, and it
runs. A thin face: it turns the pages' arguments into a `Request`, and the engine does the rest. What is odd about the
pages lives here and nowhere else: a class that is passed as its own first argument, `ValueError` where an account is
missing, cookies kept for the whole process.

Unlike there, every role reaches the service as what it is, a picture arrives, the model asked for is the model that
answers, nobody's session is seen by another thread, and a failed call is an error and not an empty answer.
"""

from __future__ import annotations

from polychat.g4f.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]
