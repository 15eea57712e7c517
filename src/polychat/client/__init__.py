"""The faces a Python developer sees: `AsyncClient`, and `Client` over it. Both speak OpenAI's shapes."""
