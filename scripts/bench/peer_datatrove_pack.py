"""datatrove's MegatronDocumentTokenizer (2 workers) over IN_DIR/*.jsonl; runs in datatrove's own environment.

python peer_datatrove_pack.py IN_DIR OUT_DIR TOKENIZER_JSON EOS_TOKEN      prints one JSON line
"""

import json
import sys
import time
from pathlib import Path


def main(source: str, out: str, tokenizer: str, eos: str) -> None:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.tokens import MegatronDocumentTokenizer

    stages = [
        JsonlReader(source),
        MegatronDocumentTokenizer(f"{out}/packed", tokenizer_name_or_path=tokenizer, eos_token=eos),
    ]
    start = time.time()
    LocalPipelineExecutor(stages, tasks=2, workers=2, logging_dir=f"{out}/log").run()
    seconds = time.time() - start
    num_tokens = sum(path.stat().st_size for path in Path(out, "packed").rglob("*.bin")) // 2
    print(
        json.dumps(
            {"name": "datatrove_pack", "tokens": num_tokens, "seconds": seconds, "tokens_per_s": num_tokens / seconds}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:5])
