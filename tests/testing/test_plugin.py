"""What pytest gives to every project where polychat is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

HEAVY = ("aiohttp", "anyio", "msgspec", "PIL", "starlette", "uvicorn", "polychat.client", "polychat.sandbox")


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    """A project that uses no fixture of ours pays for no import of ours."""
    program = f"import sys, polychat.testing.plugin; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_sandbox_is_as_new_for_each_test(pytester: pytest.Pytester) -> None:
    """One server serves all tests, and no test sees what another one did to it."""
    pytester.makepyfile("""
        import pytest

        urls = set()

        @pytest.mark.parametrize("turn", [1, 2])
        def test_clean(sandbox, turn):
            urls.add(sandbox.url)
            assert len(urls) == 1
            assert sandbox.accounts() == ["sandbox-alice", "sandbox-bob"]
            sandbox.add_account("carol")
        """)
    pytester.runpytest_subprocess("-p", "no:randomly", "-W", "error").assert_outcomes(passed=2)


def test_sandbox_client_answers_and_is_closed(pytester: pytest.Pytester) -> None:
    """A client from the factory asks the sandbox, and its thread is gone after the test."""
    pytester.makepyfile("""
        import threading

        before = threading.active_count()

        def test_answers(sandbox_client):
            answer = sandbox_client().chat.completions.create(model="reka", messages="Good morning")
            assert "Good morning" in answer.choices[0].message.content

        def test_closed(sandbox):
            assert threading.active_count() == before + 1  # the sandbox's own
        """)
    pytester.runpytest_subprocess("-p", "no:randomly", "-W", "error").assert_outcomes(passed=2)


def test_sandbox_client_knows_nobody_but_the_sandbox(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts, keys and settings of the person who runs the tests are not used, whatever the environment holds."""
    monkeypatch.setenv("POLYCHAT_SANDBOX", "http://127.0.0.1:1")
    monkeypatch.setenv("REKA_API_KEY", "a-real-key")
    pytester.makepyfile("""
        def test_account(sandbox, sandbox_client):
            sandbox_client().chat.completions.create(model="reka", messages="Who am I?")
            assert {entry.account for entry in sandbox.journal()} == {"sandbox-alice"}
        """)
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)
