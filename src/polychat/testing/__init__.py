"""Judges for what others write: a provider, a vault, a transport. Public, and used by our own tests.

    from polychat.sandbox import Sandbox
    from polychat.testing.providers import PROVIDER_CHECKS, check_provider

    with Sandbox() as sandbox:
        check_provider("reka", sandbox)  # raises AssertionError at the first broken promise

Each judge also comes as a tuple of named checks (`PROVIDER_CHECKS`, `VAULT_CHECKS`, `TRANSPORT_CHECKS`), one pytest
parameter each. `plugin` gives every project's tests the fixtures `sandbox` and `sandbox_client`.
"""
