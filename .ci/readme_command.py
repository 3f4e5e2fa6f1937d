"""Print the n-th code block of README.md, so that CI runs what users are told to run."""

import re
import sys
from pathlib import Path

readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
blocks = re.findall(r"^```\w*\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
print(blocks[int(sys.argv[1]) - 1].strip())  # noqa: T201 - this script's output
