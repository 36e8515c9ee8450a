"""The shell lines of a batch script ahead of srun: variables, and when a job starts again."""

import re
import shlex

from nemo_sdg.cluster.sites import ClusterConfig
from nemo_sdg.errors import FINAL

FINAL_CODE = 78
"""exit code of a program whose next start would end as this one (EX_CONFIG)"""

VARIABLE = r"[A-Za-z_]|\{[A-Za-z_]\w*\}"
"""what follows the $ of a variable of the shell"""

REQUEUE_ONE_TASK = (
    "# The last task of an array has the array's own id as SLURM_JOB_ID:",
    "# a requeue by that id would stop its running neighbours too.",
    'scontrol() { if [ "$1" = requeue ]; then set -- requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"; fi;'
    ' command scontrol "$@"; }',
)


TELL_START = 'echo "job $SLURM_JOB_ID on $SLURM_JOB_NODELIST, start ${SLURM_RESTART_COUNT:-0}"'
"""the line of a batch script's log that says in which file the program's own log is (cluster/logs.py reads it)"""

COUNT_TIME_LIMITS = (
    "export NEMO_SDG_TIME_LIMITS={folder}/${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}-${{SLURM_ARRAY_TASK_ID:-0}}",
    "mkdir -p {folder}",
)

COUNT_RETRIES = (
    "# Work that goes on after a time limit is no fault: each such end allows one more start.",
    "# Where the configuration is wrong, or files are waited for, another start would end as this one.",
    'srun() { command srun "$@"; local code=$?; [ -f "${NEMO_SDG_TIME_LIMITS:-}" ] &&'
    ' TORCHX_MAX_RETRIES=$((TORCHX_MAX_RETRIES + $(wc -l < "$NEMO_SDG_TIME_LIMITS")));'
    f" case $code in {FINAL_CODE}|75) TORCHX_MAX_RETRIES=0 ;; esac; return $code; }}",
)


def setup_lines(cluster: ClusterConfig, *, is_array: bool, time_limits: str | None) -> list[str]:
    """Shell lines of the batch script ahead of srun. `cluster.env` is written here, since NeMo-Run quotes no values of
    its `env_vars` and writes their names in capitals.
    """
    limits = [line.format(folder=shlex.quote(time_limits)) for line in COUNT_TIME_LIMITS] if time_limits else []
    env = [f"export {name}={quoted(str(value))}" for name, value in cluster.env.items()]
    first = [TELL_START, f"export {FINAL}={FINAL_CODE}"]
    return [*first, *env, *cluster.setup, *(REQUEUE_ONE_TASK if is_array else ()), *limits, *COUNT_RETRIES]


def quoted(value: str) -> str:
    """A value for the shell. Only `$NAME` and `${NAME}` in it are replaced, by variables of the job."""
    return '"' + re.sub(rf'["`\\]|\$(?!{VARIABLE})', lambda found: "\\" + found[0], value) + '"'
