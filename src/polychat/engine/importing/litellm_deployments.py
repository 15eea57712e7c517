"""The model_list of LiteLLM: each entry becomes a target at one of our services, or a remark on why it cannot.

A model is `prefix/model`, where the prefix says which service; `api_base` is another address that speaks the same
dialect, and `api_key` a key or `os.environ/VARIABLE`. Only the variable's name is taken over, never a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from polychat.engine.importing.hosts import VARIABLE, OwnServices, usual_keys
from polychat.engine.importing.mapped import Part, Remarks
from polychat.errors import BadOption
from polychat.providers.openai_compatible import rows

_SERVICES: Mapping[str, str] = {  # their prefixes -> our services
    **{name: name for name in ("openai", "anthropic", "gemini", "openrouter", "groq", "mistral", "deepseek", "xai")},
    **{name: name for name in ("cerebras", "github", "huggingface", "ollama", "deepinfra", "perplexity", "sambanova")},
    "moonshot": "moonshot", "together_ai": "together", "fireworks_ai": "fireworks", "nvidia_nim": "nvidia",
    "ollama_chat": "ollama", "lm_studio": "lmstudio", "hosted_vllm": "vllm", "vllm": "vllm",
}  # fmt: skip
_BY_ADDRESS = frozenset({"openai_like", "custom_openai", "litellm_proxy", "llamafile"})  # OpenAI's dialect, anywhere
_OWN_DIALECT = {"anthropic": "api.anthropic.com", "gemini": "generativelanguage.googleapis.com"}
_PLAIN: tuple[tuple[re.Pattern[str], str], ...] = (  # models that need no prefix there
    (re.compile(r"(gpt-|o\d|chatgpt-|text-embedding-|dall-e-|whisper-|tts-).*"), "openai"),
    (re.compile(r"claude-.*"), "anthropic"),
)
_FROM_ENVIRONMENT = "os.environ/"
_NO_KEYS = frozenset({"", "none", "null", "empty", "dummy", "fake", "fake-key", "na", "n/a", "no-key", "not-needed"})
_NO_LIMIT = "it only shares out the questions now; polychat waits where the service says so"
_ASKED_SO = "a question says it itself"
_CLOCK = "the clocks hold for all models: [clocks]"
_HEADERS = 'its values are not copied; write headers = { name = "env:VARIABLE" } into the table of the service'
_REASONS: Mapping[str, str] = {
    "timeout": _CLOCK, "stream_timeout": _CLOCK, "extra_headers": _HEADERS,
    "headers": _HEADERS, "max_retries": "how often is said for all: failover.attempts",
    "num_retries": "how often is said for all: failover.attempts",
    **dict.fromkeys(("temperature", "top_p", "max_tokens", "seed", "stop", "stream", "reasoning_effort"), _ASKED_SO),
    **dict.fromkeys(("input_cost_per_token", "output_cost_per_token"), "prices come from polychat's own table"),
    "max_input_tokens": "write it for a model of your own: services.NAME.models = [{ id = ..., context = ... }]",
}  # fmt: skip

_TOLD = frozenset({"input_cost_per_token", "output_cost_per_token", "max_input_tokens"})


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the list that has a place here."""

    path: str
    model: str  # openai/gpt-4o
    weight: float | None = None
    order: float | None = None  # the lower, the sooner
    rpm: float | None = None
    tpm: float | None = None


class Deployments:
    """The entries of a model_list, by the names that clients use."""

    def __init__(self, services: OwnServices, remarks: Remarks) -> None:
        self.groups: dict[str, list[Deployment]] = {}
        self.concurrency: dict[str, int] = {}
        self._services = services
        self._remarks = remarks

    def add(self, entry: Part) -> None:
        """Read one entry."""
        name, params = entry.text("model_name"), entry.part("litellm_params")
        if info := entry.part("model_info"):
            _report(info)
        entry.leave()
        if params is None or not (wanted := params.text("model")):
            self._remarks.left_out(entry.at, "it names no model")
            return
        service = self._service(params, wanted)
        if service is None:
            params.raw("api_key")
            return
        self._key(params, service)
        model = _model(wanted)
        found = self._deployment(params, f"{service}/{model}")
        params.leave(_REASONS)
        if name is None:
            self._remarks.left_out(entry.at, "it has no model_name")
        elif "*" in name or "*" in model:
            self._remarks.differs(entry.at, f"every model of {service} is asked as {service}/MODEL, and needs no entry")
        elif found.weight == 0:
            self._remarks.left_out(params.where("weight"), "its weight is 0: it is never asked")
        else:
            self._services.with_model(service, model)
            self.groups.setdefault(name, []).append(found)

    def _deployment(self, params: Part, model: str) -> Deployment:
        service = model.partition("/")[0]
        if count := params.number("max_parallel_requests", least=1):
            self.concurrency[service] = max(int(count), self.concurrency.get(service, 0))
        rpm, tpm = (params.raw(name) for name in ("rpm", "tpm"))
        for name, limit in (("rpm", rpm), ("tpm", tpm)):
            if limit is not None:
                self._remarks.differs(params.where(name), _NO_LIMIT)
        return Deployment(
            path=params.at, model=model, weight=params.number("weight"), order=params.number("order", least=-1e9),
            rpm=_positive(rpm), tpm=_positive(tpm),
        )  # fmt: skip

    # ------------------------------------------------------------ where it is

    def _service(self, params: Part, wanted: str) -> str | None:
        where, prefix = params.where("model"), _prefix(params.text("custom_llm_provider"), wanted)
        given_at = "api_base" if "api_base" in params else "base_url"
        address = params.text("api_base") or params.text("base_url")
        known = _SERVICES.get(prefix or "")
        if known is None and prefix not in _BY_ADDRESS:
            self._remarks.left_out(where, f"polychat has no service for {prefix or wanted}")
        elif address:
            return self._at(params.where(given_at), prefix or "", address)
        elif known is None:
            self._remarks.left_out(where, f"{prefix} needs an api_base")
        else:
            return self._services.known(known)
        return None

    def _at(self, where: str, prefix: str, address: str) -> str | None:
        if address.startswith(_FROM_ENVIRONMENT):
            hint = "write the address itself there, and import again"
            self._remarks.left_out(where, "an address cannot come from a variable", hint)
            return None
        address = address.rstrip("/").removesuffix("/chat/completions")
        if prefix in _OWN_DIALECT:
            if urlsplit(address).hostname == _OWN_DIALECT[prefix]:
                return prefix
            self._remarks.left_out(where, f"polychat asks {prefix} at its own address only")
            return None
        if prefix.startswith("ollama") and not address.endswith("/v1"):
            address += "/v1"
        try:
            before = set(self._services.tables)
            service = self._services.at(address)
        except BadOption as error:
            self._remarks.left_out(where, error.message.replace("base_url", "it", 1), error.hint)
            return None
        if service not in before and service in self._services.tables:
            can = 'if it takes more than text, add what: can = ["image_in", "schema"]'
            self._remarks.differs(where, f"it is services.{service} now", can)
        return service

    # ------------------------------------------------------------ its key

    def _key(self, params: Part, service: str) -> None:
        where, key = params.where("api_key"), params.raw("api_key")
        if key is None or (str(key).lower() in _NO_KEYS):
            return
        variable = str(key).removeprefix(_FROM_ENVIRONMENT)
        if not str(key).startswith(_FROM_ENVIRONMENT) or not VARIABLE.fullmatch(variable):
            self._remarks.to_do(where, "a key is not copied", f"keep it: polychat login {service} --key -")
        elif service in rows() or service in self._services.tables:
            self._services.with_key(service, variable)
        elif variable not in (usual := usual_keys(service)):
            said = f"polychat looks for the key of {service} in {' or '.join(usual)}"
            self._remarks.to_do(where, said, f"keep it: polychat login {service} --key -")


def _report(info: Part) -> None:
    """Remark on what of a model's description changes who is asked; the rest describes only."""
    for name in info.names():
        if name not in _TOLD:
            info.raw(name)
    info.leave(_REASONS)


def _prefix(given: str | None, wanted: str) -> str | None:
    """Which service the model is of, in their words."""
    if given:
        return given
    head, slash, _ = wanted.partition("/")
    if slash:
        return head
    return next((service for plain, service in _PLAIN if plain.fullmatch(wanted)), None)


def _model(wanted: str) -> str:
    head, slash, model = wanted.partition("/")
    if slash and (head in _SERVICES or head in _BY_ADDRESS):
        return model.removeprefix("responses/")
    return wanted


def _positive(given: object) -> float | None:
    return given if isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < 1e12 else None
