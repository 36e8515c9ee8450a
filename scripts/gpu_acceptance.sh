#!/usr/bin/env bash
# Acceptance tests that need a GPU: about 30 minutes on one H200.
#
#   scripts/gpu_acceptance.sh [PART]...     default: all parts
#
#   generation  TensorRT-LLM with a small transformer: the quickstart's tasks up to the verdicts
#   hybrid      the same with a hybrid Mamba model
#   guided      outputs under a JSON schema
#   dedup       cuDF compared with the CPU path on planted near-duplicates
#   embedding   sentence embeddings on the GPU compared with the CPU
#   ablation    the embedded model continued on both corpora in bfloat16, scored by lm-eval
#   recipe      the continued-pretraining configuration of Megatron-Bridge, with every override checked
#   training    one training step of that recipe under torchrun
#
#   MODEL   checkpoint folder or hub name of a transformer for TensorRT-LLM   (default Qwen/Qwen3-0.6B)
#   HYBRID  the same for a hybrid Mamba model                                 (default nvidia/NVIDIA-Nemotron-Nano-9B-v2)
#   BASE    checkpoint of RECIPE's model                                      (recipe and training need it)
#   RECIPE  model of recipes/nemotron_bridge_cpt.py                           (default nemotron_3_nano_4b)
#   GPUS    number of processes of torchrun                                   (default 1)
#   OUT     folder for the results                                            (default runs/gpu_acceptance)
#   PYTHON  interpreter                                                       (default python)
#
# A part is skipped with the reason if its package or GPU is missing. generation, hybrid and guided run in TensorRT-LLM's
# release container (1.2), dedup with nemo-sdg[gpu], recipe and training in the NeMo Framework container. The last lines
# are a table: PASS, FAIL or SKIP, part, figures. The exit code is 1 if a part failed or no part ran.
set -uo pipefail
cd "$(dirname "$0")/.."

parts=("$@")
[[ ${#parts[@]} -eq 0 ]] && parts=(generation hybrid guided dedup embedding ablation recipe training)
failed=0 ran=0 table=()
# each part is a separate process, so that the memory of the GPU is free when it ends
for part in "${parts[@]}"; do
  line=$("${PYTHON:-python}" scripts/gpu_checks.py "$part" --model "${MODEL:-Qwen/Qwen3-0.6B}" \
    --hybrid "${HYBRID:-nvidia/NVIDIA-Nemotron-Nano-9B-v2}" --base "${BASE:-}" --recipe "${RECIPE:-nemotron_3_nano_4b}" \
    --gpus "${GPUS:-1}" --out "${OUT:-runs/gpu_acceptance}" | tee /dev/stderr | tail -n 1)
  status=${PIPESTATUS[0]}
  case "$line" in
    "PASS "*) ran=1 ;;
    "SKIP "*) ;;
    "FAIL "*) ran=1 failed=1 ;;
    *) line="FAIL $part: ended with code $status and no verdict" ran=1 failed=1 ;;
  esac
  table+=("$line")
done
echo
printf '%s\n' "${table[@]}"
[[ $failed -eq 0 && $ran -eq 1 ]]
