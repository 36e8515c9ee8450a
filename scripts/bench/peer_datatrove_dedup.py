"""datatrove's MinHash deduplication (14 buckets of 8 hashes, 2 workers) on IN_DIR/*.jsonl; runs in a separate
environment.

python peer_datatrove_dedup.py IN_DIR OUT_DIR      prints one JSON line
"""

import gzip
import json
import sys
import time
from pathlib import Path


def main(source: str, out: str) -> None:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.hashing import HashConfig

    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8)
    num = 0
    for path in Path(source).glob("*.jsonl"):
        with path.open() as lines:
            num += sum(1 for _ in lines)
    start = time.time()

    def run(stages: list, tasks: int, name: str) -> None:
        LocalPipelineExecutor(stages, tasks=tasks, workers=min(2, tasks), logging_dir=f"{out}/log_{name}").run()

    run([JsonlReader(source), MinhashDedupSignature(f"{out}/signatures", config=config)], 2, "signatures")
    run([MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets", config=config)], 14, "buckets")
    run([MinhashDedupCluster(f"{out}/buckets", f"{out}/remove", config=config)], 1, "cluster")
    run([JsonlReader(source), MinhashDedupFilter(f"{out}/remove"), JsonlWriter(f"{out}/kept")], 2, "filter")
    seconds = time.time() - start
    kept = 0
    for path in Path(out, "kept").iterdir():
        with gzip.open(path) as lines:
            kept += sum(1 for _ in lines)
    print(
        json.dumps(
            {
                "name": "datatrove_minhash",
                "documents": num,
                "kept": kept,
                "seconds": seconds,
                "documents_per_s": num / seconds,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:3])
