"""gpt4free's config.yaml: routes, each a name with providers in the order in which they are asked.

    models:
      - name: smart
        providers:
          - provider: OpenaiChat
            model: gpt-4o
            condition: "quota.balance > 0 and error_count < 3"

Its conditions know `quota.` and any field that a provider's own quota has, `balance` for quota.balance, and
`error_count` of the last hour; a field that is not there counts as 0. Source: gpt4free's documentation of config.yaml
and the names of its provider classes, 2026-11.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from polychat.engine import conditions, facts
from polychat.engine.importing.document import read
from polychat.engine.importing.hosts import OwnServices
from polychat.engine.importing.mapped import Converted, Part, Remarks
from polychat.errors import ConfigError

PROGRAM = "gpt4free"

_SERVICES: Mapping[str, str] = {  # their classes -> our services
    "OpenaiChat": "chatgpt", "OpenaiAccount": "chatgpt", "Reka": "reka", "Raycast": "raycast",
    "Anthropic": "anthropic", "GeminiPro": "gemini", "Openai": "openai", "OpenaiAPI": "openai",
    "OpenRouter": "openrouter", "Groq": "groq", "DeepSeek": "deepseek", "xAI": "xai", "Together": "together",
    "Cerebras": "cerebras", "Nvidia": "nvidia", "Ollama": "ollama", "HuggingFace": "huggingface",
    "HuggingFaceAPI": "huggingface", "HuggingFaceInference": "huggingface", "DeepInfra": "deepinfra",
    "PerplexityApi": "perplexity",
}  # fmt: skip
_FIELDS: Mapping[str, str] = {  # of their conditions -> of ours
    "error_count": "errors_1h", "balance": "quota.remaining", "quota.balance": "quota.remaining",
    "quota.remaining": "quota.remaining", "quota.credits.remaining": "quota.remaining",
}  # fmt: skip


def convert(text: str, *, name: str) -> Converted:
    """The config that `text` is, in polychat's words; `name` is what the file is called in messages.

    Raises: `ConfigError` for what is no config of gpt4free.
    """
    document = read(text, name=name)
    remarks = Remarks(document)
    top = Part(document.value, "", remarks)
    if "models" not in top:
        raise _stranger(name, top)
    services, models = OwnServices(), _Models(remarks)
    for route in top.parts("models"):
        models.add(route, services)
    top.leave()
    table = {"services": services.finished(), "models": models.found}
    return Converted(
        program=PROGRAM, table={key: entry for key, entry in table.items() if entry}, remarks=remarks.all()
    )


class _Models:
    """The routed names that are made."""

    def __init__(self, remarks: Remarks) -> None:
        self.found: dict[str, Any] = {}
        self._remarks = remarks

    def add(self, route: Part, services: OwnServices) -> None:
        """Make one of `route`; it is left out where nothing of it has a place here."""
        if not (name := route.text("name")):
            self._remarks.left_out(route.at, "it has no name")
            return
        targets = [
            target for one in route.parts("providers") if (target := _target(one, name, services, self._remarks))
        ]
        route.leave()
        named = name.replace("/", "-").replace("?", "-")
        if not targets:
            self._remarks.left_out(route.at, "no provider of it has a place in polychat")
        elif named in self.found:
            self._remarks.left_out(route.at, "a route before it has the same name, and was taken")
        else:
            if named != name:
                self._remarks.differs(route.at, f"it is called {named}: a name with a / is a service's own")
            self.found[named] = {"targets": targets}


def _target(given: Part, route: str, services: OwnServices, remarks: Remarks) -> str | dict[str, str] | None:
    kind, model, when = given.text("provider"), given.text("model") or route, _when(given, remarks)
    given.leave()
    if kind is None:
        remarks.left_out(given.at, "it names no provider")
        return None
    if kind not in _SERVICES:
        remarks.left_out(given.where("provider"), f"polychat has no service for {kind}", hint=_THERE_ARE)
        return None
    service = services.known(_SERVICES[kind])
    services.with_model(service, model)
    wanted = f"{service}/{model}"
    return {"model": wanted, "when": when} if when else wanted


def _when(given: Part, remarks: Remarks) -> str | None:
    """The condition in our fields; None where there is none, or none that can be said."""
    where = given.where("condition")
    if not (text := given.text("condition")):
        return None
    try:
        tree = ast.parse(text, mode="eval").body
        words = _Translation()
        ours = ast.unparse(words.visit(tree))
        conditions.parse(ours, facts.KNOWN, place=where)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        remarks.left_out(where, f"it is no condition; {_UNCONDITIONAL}")
        return None
    except _ForeignField as error:
        remarks.left_out(where, f"polychat has no field {error}; {_UNCONDITIONAL}", hint=_OURS)
        return None
    except ConfigError as error:
        why = error.message.removeprefix(f"{where}: ").removeprefix(where).strip()
        remarks.left_out(where, f"{why}; {_UNCONDITIONAL}", hint=error.hint)
        return None
    if words.by_quota:
        remarks.differs(where, "an allowance that the service does not tell counts as 0 there, and as enough here")
    return ours


class _ForeignField(Exception):
    """A field that polychat has not."""


class _Translation(ast.NodeTransformer):
    """Their fields become ours. Raises: `_ForeignField`."""

    def __init__(self) -> None:
        self.by_quota = False

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._field(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._field(node)

    def _field(self, node: ast.Name | ast.Attribute) -> ast.expr:
        ours = _FIELDS.get(ast.unparse(node))
        if ours is None:
            raise _ForeignField(ast.unparse(node))
        self.by_quota = self.by_quota or ours.startswith("quota.")
        return ast.parse(ours, mode="eval").body


def _stranger(name: str, top: Part) -> ConfigError:
    if "model_list" in top:
        return ConfigError(f"{name} is a config of LiteLLM", hint="polychat config import litellm FILE")
    return ConfigError(
        f"{name} is no config of gpt4free: it has no models",
        hint="its config.yaml lies in the folder of its cookies, and begins with models:",
    )


_UNCONDITIONAL = "the provider is asked without a condition"
_OURS = f"the fields are {', '.join(sorted(facts.KNOWN))}"
_THERE_ARE = f"there is one for {', '.join(sorted(_SERVICES, key=str.lower))}"
