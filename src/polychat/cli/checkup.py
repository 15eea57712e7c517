"""What `polychat doctor` looks at, section by section; every finding that is not good says how to mend it.

Nothing is changed, nothing is created, nobody is asked, and no secret is shown. The network is touched for a sandbox's
health, and for clocks and accounts only when asked to.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping

from polychat.cli import checks_accounts, checks_files, checks_machine, checks_network, options
from polychat.cli.finding import Finding
from polychat.errors import ConfigError

_NOT_LOOKED_AT = "the vault and the accounts are not looked at while the settings are broken"


async def findings(environ: Mapping[str, str], *, online: bool) -> list[Finding]:
    """Everything there is to say, in the order of what rests on what."""
    found = _section("Python", checks_machine.python(sys.version_info[:3]))
    try:
        settings = options.settings()
    except ConfigError as error:
        broken = [Finding("broken", error.message, error.hint), Finding("notice", _NOT_LOOKED_AT, "mend the settings")]
        return [*found, *_section("Files", broken), *_machine(environ), *_proxies(environ)]
    found += _section("Files", checks_files.files(settings))
    found += _unsaid(found, _section("Vault", checks_files.vault(settings, environ)))
    found += _machine(environ)
    if online:
        found += _section("Clock", await checks_network.clocks(settings, environ))
    found += [*_proxies(environ), *_section("Network", await checks_network.lines(settings))]
    if settings.sandbox is None:
        found += _section("Network", await checks_network.local_servers(settings))
    accounts = await checks_accounts.accounts(settings, environ, online=online)
    return found + _unsaid(found, _section("Accounts", accounts))


def _machine(environ: Mapping[str, str]) -> list[Finding]:
    browser = _section("Browser", checks_machine.browser(environ))
    return browser + _section("Clock", checks_machine.clock(time.time()))


def _proxies(environ: Mapping[str, str]) -> list[Finding]:
    return _section("Network", checks_network.proxies(environ))


def _section(name: str, found: Iterable[Finding]) -> list[Finding]:
    return [one._replace(section=name) for one in found]


def _unsaid(said: Iterable[Finding], found: Iterable[Finding]) -> list[Finding]:
    """Those of `found` that are not mended along with what was said already."""
    mended = {one.mend for one in said if one.level == "broken" and one.mend}
    return [one for one in found if one.mend not in mended]
