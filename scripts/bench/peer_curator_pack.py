"""NeMo Curator's MegatronTokenizerWriter over IN_DIR/*.jsonl, one process a file, in the project's own environment.

    python peer_curator_pack.py IN_DIR OUT_DIR TOKENIZER_DIR      prints one JSON line

The stage is called directly, without Ray, so its start is not measured, as for ours. The clock runs from the first byte
read to the last file written. It appends an end-of-document token to each text, as we do.
"""

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

_stage: Any = None


def start(out: str, tokenizer: str) -> None:
    global _stage
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the other process has the other core
    from loguru import logger

    logger.remove()
    from nemo_curator.stages.text.io.writer.megatron_tokenizer import MegatronTokenizerWriter

    _stage = MegatronTokenizerWriter(path=out, model_identifier=tokenizer, append_eod=True)
    _stage.setup()


def write(path: str) -> tuple[int, float]:
    """Tokens written, and CPU seconds."""
    import pandas as pd
    from nemo_curator.tasks import DocumentBatch

    begin = time.process_time()
    frame = pd.read_json(path, lines=True)
    batch = DocumentBatch(dataset_name="bench", data=frame, _metadata={"source_files": [path]})
    num_tokens = int(_stage.process(batch)._metadata["num_tokens"])
    return num_tokens, time.process_time() - begin


def ready(seconds: float) -> None:
    time.sleep(seconds)  # meanwhile the other process takes one


def main(source: str, out: str, tokenizer: str) -> None:
    paths = sorted(str(path) for path in Path(source).glob("*.jsonl"))
    Path(out).mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(len(paths), start, (out, tokenizer)) as pool:
        pool.map(ready, [0.5] * len(paths), chunksize=1)
        begin = time.monotonic()
        done = pool.map(write, paths, chunksize=1)
        seconds = time.monotonic() - begin
    num_tokens, cpu = (sum(column) for column in zip(*done, strict=True))
    rates = {"tokens_per_s": num_tokens / seconds, "tokens_per_cpu_s": num_tokens / cpu}
    print(json.dumps({"tokens": num_tokens, "seconds": seconds, **rates}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
