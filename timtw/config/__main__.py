"""``python -m timtw.config`` prints docs/reference/configuration.md."""

import sys

from timtw.config.manual import manual

sys.stdout.write(manual())
