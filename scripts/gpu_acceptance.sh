#!/usr/bin/env bash
# What cannot be shown without a GPU, once, by an engineer who has one: about 10 minutes on one H100.
#
#   scripts/gpu_acceptance.sh [generation | guided | dedup | recipe]...        all four without a name
#
#   MODEL   checkpoint folder or hub name for TensorRT-LLM     (default Qwen/Qwen3-0.6B)
#   BASE    Megatron checkpoint of Nemotron 3 Nano             (recipe alone needs it)
#   OUT     folder for what is written                         (default runs/gpu_acceptance)
#   PYTHON  interpreter                                        (default python)
#
# Each part runs where its package is: generation and guided in TensorRT-LLM's release container (1.2), dedup with nemo-sdg[gpu], recipe
# in the NeMo Framework container with Megatron-Bridge, nemo-sdg installed beside it. Expected, one line a part, and exit code 0:
#
#   PASS generation: trtllm, 250 requests, 97% of 198 votes readable, 4,310 completion tokens/s      90% or more readable
#   PASS guided: 32 of 32 outputs follow their schema
#   PASS dedup: cuDF finds 3,980 of 4,000 planted near-duplicates, the CPU path 4,000                98% or more, nothing else dropped
#   PASS recipe: 397 train_iters on 22 datasets, no mock data
#
# Otherwise FAIL and the reason, and exit code 1; a part whose package is missing fails too.
set -uo pipefail
cd "$(dirname "$0")/.."

parts=("$@")
[[ ${#parts[@]} -eq 0 ]] && parts=(generation guided dedup recipe)
failed=0
# a process for each part: a GPU's memory is free again when it ends
for part in "${parts[@]}"; do
  "${PYTHON:-python}" scripts/gpu_checks.py "$part" --model "${MODEL:-Qwen/Qwen3-0.6B}" --base "${BASE:-}" --out "${OUT:-runs/gpu_acceptance}"
  status=$?
  ((status == 2)) && exit 2
  ((status == 0)) || failed=1
done
exit "$failed"
