"""A worker with servers beside it, as shell lines.

A server that ends with an error takes the worker with it: the worker would wait for it in vain, `engine.give_up_after`
long, on a node that somebody pays for. The job then ends with an error, which names the server's log and what it says,
and is requeued with new servers. When the worker has ended, its servers are ended with all that they started: not every
Slurm does it (`proctrack/linuxproc` does not), and the next job needs the port and the GPUs.
"""

import shlex

AROUND = r"""
trap : USR1 TERM  # Slurm sends them to the worker too; this shell stays until the worker has ended
COMMAND &
worker=$!
groups=() logs=()
set -m  # each server has a process group of its own
serve() {  # serve LOG LINE
  if [ -f "$1" ]; then mv -f "$1" "$1.before"; fi
  rm -f "$1.ended"
  (
    trap '' USR1  # the worker's last requests need the server
    trap 'exit 0' TERM  # the server gets it too
    set +m
    ( trap : TERM; set -e; eval "$2" ) > "$1" 2>&1 < /dev/null
    code=$?
    [ $code -ne 0 ] || exit 0  # it runs in the background
    said=$(tail -n 300 "$1" | grep -a '[^[:space:]]' | grep -av '^[^ ]*: line [0-9]*: .* Killed')
    for sign in 'out of memory' 'error'; do  # what matters most stands first
      line=$(grep -ai "$sign" <<< "$said" | tail -n 1)
      [ -z "$line" ] || break
    done
    line=$(printf '%s' "${line:-$(tail -n 1 <<< "$said")}" | tr -d '\000-\037' | cut -c 1-200)
    [ $code -ne 137 ] || line="killed, such as for want of memory; last: ${line:-nothing}"
    echo "nemo-sdg: the server beside this worker ended with code $code (${line:-it said nothing}); its log: $1" \
      > "$1.ended"
    kill "$worker"
  ) &
  groups+=($!) logs+=("$1")
}
SERVERS
set +m
wait "$worker"; code=$?
while kill -0 "$worker" 2> /dev/null; do wait "$worker"; code=$?; done  # a signal ends a wait early
for group in "${groups[@]}"; do kill -- "-$group" 2> /dev/null; done
for group in "${groups[@]}"; do
  for _ in {1..100}; do kill -0 -- "-$group" 2> /dev/null || break; sleep 0.1; done
  kill -KILL -- "-$group" 2> /dev/null
done
for log in "${logs[@]}"; do
  if [ $code -ne 0 ] && [ -f "$log.ended" ]; then cat "$log.ended" >&2; fi  # the last line of the worker's log
done
exit $code
"""


def beside(command: str, servers: dict[str, str]) -> str:
    """Shell lines that run `command` with servers beside it, {log as a shell word: line}, and end with its code."""
    begin, _, rest = AROUND.strip().partition("COMMAND")
    functions, _, end = rest.partition("SERVERS")
    lines = "\n".join(f"serve {log} {shlex.quote(line)}" for log, line in servers.items())
    return f"{begin}{command}{functions}{lines}{end}"
