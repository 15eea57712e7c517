"""LiteLLM's config.yaml: deployments under the names that clients use, and the settings of its router and proxy.

    model_list:                              # several of one model_name share its questions
      - model_name: smart
        litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, weight: 2}
    router_settings: {routing_strategy: least-busy, fallbacks: [{smart: [spare]}]}
    litellm_settings: {request_timeout: 60}  # what both say counts as the router has it
    general_settings: {completion_model: smart}

Source: LiteLLM's documentation of the config, its router and its settings, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polychat.engine.importing.document import read
from polychat.engine.importing.hosts import OwnServices
from polychat.engine.importing.litellm_deployments import Deployments
from polychat.engine.importing.litellm_routes import Routes
from polychat.engine.importing.mapped import UNKNOWN, Converted, Part, Remarks
from polychat.errors import ConfigError

PROGRAM = "LiteLLM"

_SECTIONS = ("model_list", "router_settings", "litellm_settings", "general_settings")
_STRATEGIES: Mapping[str, str] = {
    "simple-shuffle": "weighted", "least-busy": "least_busy", "cost-based-routing": "cheapest",
    "lowest-cost": "cheapest",
}  # fmt: skip
_NEAREST = ("latency-based-routing", "usage-based-routing", "usage-based-routing-v2")

_NO_CALLBACKS = "polychat calls nobody; what was asked is in its own ledger: polychat logs"
_NO_CACHE = "polychat keeps no answers to give again"
_NO_REDIS = "polychat shares no state between processes"
_COOLDOWN = "polychat goes by what the service says, or waits a little longer each time"
_ASKED_ONCE = "how often is decided by what went wrong, within failover.attempts"
_REFUSED = (
    'what one model refuses is not asked of another; name a condition instead, as when = "request.characters < 40000"'
)
_ROUTER: Mapping[str, str] = {
    "allowed_fails": _COOLDOWN, "cooldown_time": _COOLDOWN, "disable_cooldowns": _COOLDOWN,
    "allowed_fails_policy": _COOLDOWN, "retry_after": _COOLDOWN, "retry_policy": _ASKED_ONCE,
    "model_group_retry_policy": _ASKED_ONCE, "max_fallbacks": _ASKED_ONCE,
    "enable_pre_call_checks": "what a model cannot do is always found before it is asked",
    "context_window_fallbacks": _REFUSED, "content_policy_fallbacks": _REFUSED,
    "redis_host": _NO_REDIS, "redis_port": _NO_REDIS, "redis_password": _NO_REDIS, "redis_url": _NO_REDIS,
    "redis_db": _NO_REDIS, "cache_responses": _NO_CACHE, "caching_groups": _NO_CACHE,
    "default_max_parallel_requests": "write it for each service or account into [concurrency]",
    "default_litellm_params": "a question says such things itself",
    "provider_budget_config": "polychat holds no budgets of money",
}  # fmt: skip
_MODULE: Mapping[str, str] = {
    **_ROUTER,
    "drop_params": "polychat refuses what a model cannot do, and drops nothing",
    "modify_params": "polychat refuses what a model cannot do, and changes nothing",
    "callbacks": _NO_CALLBACKS, "success_callback": _NO_CALLBACKS, "failure_callback": _NO_CALLBACKS,
    "service_callbacks": _NO_CALLBACKS, "cache": _NO_CACHE, "cache_params": _NO_CACHE,
    "set_verbose": "POLYCHAT_LOG=DEBUG tells what happens", "json_logs": "POLYCHAT_LOG=DEBUG tells what happens",
    "turn_off_message_logging": "logging.store says what the ledger keeps; words only where it is full",
}  # fmt: skip
_NOT_SERVED = "it is a setting of LiteLLM's server, which polychat has not"
_ELSEWHERE: Mapping[str, str] = {
    "include": "import each of those files by itself",
    "guardrails": "polychat checks no contents", "mcp_servers": "polychat calls no tools by itself",
    "callback_settings": _NO_CALLBACKS,
    "credential_list": "credentials are kept in the vault: polychat login SERVICE --key -",
}  # fmt: skip


def convert(text: str, *, name: str) -> Converted:
    """The config that `text` is, in polychat's words; `name` is what the file is called in messages.

    Raises: `ConfigError` for what is no config of LiteLLM.
    """
    document = read(text, name=name)
    remarks = Remarks(document)
    top = Part(document.value, "", remarks)
    if not any(section in top for section in _SECTIONS):
        raise _stranger(name, top)
    router, module, server = (top.part(section) or Part({}, section, remarks) for section in _SECTIONS[1:])
    services = OwnServices()
    deployments = Deployments(services, remarks)
    for entry in top.parts("model_list"):
        deployments.add(entry)
    routes = Routes(deployments.groups, _strategy(router), remarks)
    for settings in (module, router):
        routes.spare(settings)
    routes.alias(router)
    table: dict[str, Any] = _scalars(router, module, server, routes)
    table |= {"concurrency": deployments.concurrency, "services": services.finished(), "models": routes.written()}
    _leave(top, router, module, server)
    return Converted(
        program=PROGRAM, table={key: entry for key, entry in table.items() if entry}, remarks=remarks.all()
    )


def _strategy(router: Part) -> str:
    where, given = router.where("routing_strategy"), router.text("routing_strategy") or "simple-shuffle"
    if given in _NEAREST:
        router.remarks.differs(where, f"polychat has no {given}; least_busy is nearest to it")
        return "least_busy"
    if given not in _STRATEGIES:
        router.remarks.left_out(where, "polychat has no such strategy; weighted is taken")
    return _STRATEGIES.get(given, "weighted")


def _scalars(router: Part, module: Part, server: Part, routes: Routes) -> dict[str, Any]:
    """The default model, the clocks and the budget."""
    found: dict[str, Any] = {}
    where = server.where("completion_model")
    if wanted := server.text("completion_model"):
        if name := routes.name_of(wanted):
            found["model"] = name
        else:
            server.remarks.left_out(where, "it is no model_name of this file")
    module_s, router_s = module.number("request_timeout"), router.number("timeout")
    stream_s = router.number("stream_timeout")
    clocks = {"total_s": router_s or module_s, "first_event_s": stream_s}
    found["clocks"] = {clock: seconds for clock, seconds in clocks.items() if seconds}
    found["failover"] = _budget(router, module, routes)
    return found


def _budget(router: Part, module: Part, routes: Routes) -> dict[str, Any]:
    by_module, by_router = module.number("num_retries"), router.number("num_retries")
    source, retries = (router, by_router) if by_router is not None else (module, by_module)
    if retries is None:
        return {}
    attempts = int(retries) + 1 + routes.longest
    source.remarks.differs(
        source.where("num_retries"), f"all attempts of one question are counted together, fallbacks too: {attempts}"
    )
    return {"attempts": attempts}


def _leave(top: Part, router: Part, module: Part, server: Part) -> None:
    router.leave(_ROUTER)
    module.leave(_MODULE)
    server.leave(otherwise=_NOT_SERVED)
    if variables := top.part("environment_variables"):
        for name in variables.names():
            variables.remarks.to_do(variables.where(name), "values are not copied", f"export {name}=... yourself")
    top.leave(_ELSEWHERE, UNKNOWN)


def _stranger(name: str, top: Part) -> ConfigError:
    if "models" in top:
        return ConfigError(f"{name} is no config of LiteLLM", hint="of gpt4free? polychat config import g4f FILE")
    return ConfigError(
        f"{name} is no config of LiteLLM: it has none of {', '.join(_SECTIONS)}",
        hint="name the file that litellm --config is given",
    )
