"""Tools and structured answers by words alone, for services that have no fields for them; only when asked for.

`wording` says to the model what it may call and how, `answers` reads what it says, strictly, `schemas` holds values
against JSON Schema, and `provider` puts them around a service. The rest of the engine sees a provider like any other.
"""
