"""`python -m polychat.cli`: the same as `polychat`."""

from __future__ import annotations

import sys

from polychat.cli import main

if __name__ == "__main__":
    sys.exit(main())
