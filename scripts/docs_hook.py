"""A hook of mkdocs: what stands behind the language of a code block is for the tests, or a file's name to show.

```bash run              ->  ```bash
```yaml file=my.yaml     ->  ```yaml title="my.yaml"
"""

import re
from typing import Any

_FENCE = re.compile(r"^```(\w+) (\S+)$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    return _FENCE.sub(_shown, markdown)


def _shown(fence: re.Match[str]) -> str:
    language, note = fence.groups()
    name = note.removeprefix("file=")
    return f'```{language} title="{name}"' if name != note else f"```{language}"
