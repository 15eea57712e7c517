"""What an import gives, loaded as the program would load it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from polychat.engine.importing.mapped import Converted, toml
from polychat.engine.settings import Settings, load

Loads = Callable[[Converted], Settings]


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    """The settings of a converted config."""

    def loaded(converted: Converted) -> Settings:
        file = tmp_path / "made.toml"
        file.write_text(toml(converted, source="their.yaml"), encoding="utf-8")
        return load(environ={"POLYCHAT_HOME": str(tmp_path)}, config_file=file)

    return loaded
