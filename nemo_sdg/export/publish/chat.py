"""A sample as a conversation of two messages, for supervised fine-tuning (NeMo-RL, NeMo Automodel, TRL).

{"messages": [{"role": "user", "content": "Which gas do plants take in?\n\nA. oxygen\nB. carbon dioxide"},
              {"role": "assistant", "content": "They build sugar from it.\n\nThe answer is: B. carbon dioxide",
               "reasoning_content": "…the model's own thinking, where the run kept it…"}],
 "uuid": "…", "license": "MIT", "task": "sciq", "family": "science", "kind": "multiple_choice", "language": "en"}
"""

import uuid
from typing import Any

from nemo_sdg.export.documents import render_turns
from nemo_sdg.records.lines import SampleLine


def chat_row(sample: SampleLine) -> dict[str, Any]:
    asked, told = render_turns(sample)
    answer = {"role": "assistant", "content": told}
    if trace := (sample.get("trace") or "").strip():
        answer["reasoning_content"] = trace
    return {
        "messages": [{"role": "user", "content": asked}, answer],
        "uuid": str(uuid.UUID(hex=sample["sample_id"])),
        "license": (sample.get("license") or {}).get("effective") or "unknown",
        "task": sample["task"],
        "family": sample["family"],
        "kind": sample["kind"],
        "language": sample["language"],
    }
