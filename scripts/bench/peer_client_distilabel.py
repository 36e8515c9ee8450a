"""distilabel on PROMPTS (JSONL with `prompt`), with one TextGeneration step; runs in a separate environment.

python peer_client_distilabel.py URL PROMPTS FOLDER IN_FLIGHT     prints one JSON line; called again, it uses its cache.
After `kill -9` version 1.5.3 waits for ever: the batches that were on their way are not sent again.
"""

import json
import os
import sys
from pathlib import Path


def main(url: str, prompts: str, folder: str, in_flight: str) -> None:
    # a line for each request, in colours, would be measured too
    os.environ["DISTILABEL_LOG_LEVEL"] = "WARNING"
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    rows = [{"instruction": json.loads(line)["prompt"]} for line in Path(prompts).read_text().splitlines()]
    llm = OpenAILLM(
        model="fake", base_url=url, api_key="none", max_retries=6,
        generation_kwargs={"temperature": 0.7, "top_p": 0.95, "max_new_tokens": 256},
    )  # fmt: skip
    with Pipeline(name="peer", cache_dir=folder) as pipeline:
        source = LoadDataFromDicts(data=rows, batch_size=int(in_flight))
        source >> TextGeneration(llm=llm, input_batch_size=int(in_flight))
    done = pipeline.run(use_cache=True)["default"]["train"]
    print(json.dumps({"kept": sum(1 for text in done["generation"] if text)}))


if __name__ == "__main__":
    Path(sys.argv[3]).mkdir(parents=True, exist_ok=True)
    main(*sys.argv[1:5])
