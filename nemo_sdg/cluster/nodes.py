"""Ray and Dask over the nodes of one Slurm job: srun starts `nemo-sdg run CONFIG --only STEP --nodes` once on every
node.

Node 0 starts both heads and runs the step; the other nodes run workers until node 0 has ended. They exchange these
files in RUN/slurm/nodes-<job>-<restart>/, on the shared file system:

    token      Ray's authentication token, readable by the user only
    ray.json   {"address": "10.0.0.7:41231"}, written by node 0
    dask.json  the scheduler file of Dask, which run.dask_address names
    dask.pem   key and certificate of the job's Dask, readable by the user only: without them nobody is let in, and what
               its processes say to each other is encrypted
    ended      written when node 0 has ended; the other nodes then exit
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nemo_sdg.config import Executor, RunConfig
from nemo_sdg.errors import ConfigError, MissingDependencyError, SdgError
from nemo_sdg.storage import read_json, write_bytes, write_json

ENDED, TOKEN, RAY_HEAD, DASK_HEAD, CERTIFICATE = "ended", "token", "ray.json", "dask.json", "dask.pem"
START_SECONDS = 300
"""how long the nodes of a job may take to find each other"""


@contextlib.contextmanager
def slurm_nodes(config: RunConfig) -> Iterator[bool]:
    """Yields True on node 0, with `run.executor` and `run.dask_address` set to use all nodes. On the other nodes it
    yields False, after node 0 has ended.

    Outside a Slurm job of several nodes it yields True and changes nothing. Raises SdgError when the nodes do not find
    each other.
    """
    num_nodes = int(os.environ.get("SLURM_NNODES", "1"))
    if num_nodes == 1:
        yield True
        return
    if int(os.environ.get("SLURM_NTASKS", num_nodes)) != num_nodes:
        raise ConfigError(
            f"--nodes needs one task a node, got {os.environ['SLURM_NTASKS']} tasks on {num_nodes} nodes: "
            "srun --ntasks-per-node=1"
        )
    mark = f"nodes-{os.environ['SLURM_JOB_ID']}-{os.environ.get('SLURM_RESTART_COUNT', '0')}"
    shared = Path(config.run.dir).resolve() / "slurm" / mark
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sdg", dir="/tmp")))
        # Ray's default token file is in the home folder, which containers do not share. Ray runs its workers with
        # niceness 15 by default, which is too low a priority here.
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(shared / TOKEN))
        # The log of the job is for what went wrong, not for each connection.
        os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")
        os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")
        secure_dask(shared / CERTIFICATE)
        os.environ.update(RAY_raylet_start_wait_time_s=str(START_SECONDS), RAY_worker_niceness="0")
        if os.environ.get("SLURM_NODEID", "0") != "0":
            lend(shared, scratch, stack)
            yield False
            return
        stack.callback(shutil.rmtree, shared, ignore_errors=True)
        lead(shared, scratch, num_nodes, stack)
        stack.callback(end, shared)
        if config.run.executor is Executor.local:
            config.run.executor = Executor.ray_data
        config.run.dask_address = str(shared / DASK_HEAD)
        print(f"Ray and Dask run on {num_nodes} nodes, {cpus()} CPUs each", file=sys.stderr)
        yield True


def lead(shared: Path, scratch: Path, num_nodes: int, stack: contextlib.ExitStack) -> None:
    """Starts the heads of Ray and Dask, and waits until every node has joined."""
    import ray

    for stale in shared.parent.glob(
        "nodes-*"
    ):  # left by a killed job; only one job at a time runs on several nodes of a run
        shutil.rmtree(stale, ignore_errors=True)
    shared.mkdir(parents=True)
    (shared / TOKEN).touch(mode=0o600)
    (shared / TOKEN).write_text(secrets.token_hex(32))
    make_certificate(shared / CERTIFICATE)
    # Ray chooses the address: many host names resolve to 127.0.0.1, which other nodes cannot reach.
    host, port = ray.util.get_node_ip_address(), free_port()
    others = ports("dashboard-port", "ray-client-server-port")
    head = start(
        stack,
        ray_command(
            "--head",
            f"--port={port}",
            f"--node-ip-address={host}",
            "--include-dashboard=false",
            *others,
            scratch=scratch,
        ),
    )
    start(stack, dask_scheduler_command(shared, host))
    start(stack, dask_worker_command(shared, scratch))
    os.environ["RAY_ADDRESS"] = f"{host}:{port}"
    connect(head)
    try:
        write_json(shared / RAY_HEAD, {"address": f"{host}:{port}"})
        wait_for_nodes(num_nodes, shared)
    finally:
        ray.shutdown()


def make_certificate(path: Path) -> None:
    """Writes a new key with its certificate. Raises MissingDependencyError."""
    from distributed import Security

    try:
        made = Security.temporary()
    except ImportError as exc:
        raise MissingDependencyError("--nodes needs the package cryptography: pip install cryptography") from exc
    path.touch(mode=0o600)
    path.write_text(f"{made.tls_scheduler_key}{made.tls_scheduler_cert}")


def secure_dask(certificate: Path) -> None:
    """Sets Dask in this process, and in those that it starts, to take part only with this certificate."""
    import dask
    import distributed  # noqa: F401  (its defaults are loaded before they are changed)

    os.environ["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] = "True"
    ends = ["CA_FILE", *(f"{role}__{part}" for role in ("CLIENT", "SCHEDULER", "WORKER") for part in ("CERT", "KEY"))]
    os.environ.update({f"DASK_DISTRIBUTED__COMM__TLS__{end}": str(certificate) for end in ends})
    dask.config.refresh()


def lend(shared: Path, scratch: Path, stack: contextlib.ExitStack) -> None:
    """Runs Ray and Dask workers on this node's CPUs until node 0 has ended."""
    deadline = time.monotonic() + START_SECONDS
    while not (shared / RAY_HEAD).is_file():
        if time.monotonic() > deadline:
            raise SdgError(
                f"node 0 did not start Ray within {START_SECONDS} seconds: {shared / RAY_HEAD} is missing; "
                "is run.dir on a shared file system?"
            )
        time.sleep(0.5)
    processes = [
        start(stack, ray_command(f"--address={read_json(shared / RAY_HEAD)['address']}", scratch=scratch)),
        start(stack, dask_worker_command(shared, scratch)),
    ]
    while shared.is_dir() and not (shared / ENDED).is_file():
        if any(process.poll() is not None for process in processes):
            time.sleep(5)
            if shared.is_dir() and not (shared / ENDED).is_file():
                raise SdgError("Ray or Dask ended on this node before node 0 ended; its log says why")
        time.sleep(0.5)


def end(shared: Path) -> None:
    """Tells the other nodes to exit. They poll every 0.5 s; the wait lets them close their files before the folder is
    removed.
    """
    write_bytes(shared / ENDED, b"")
    os.environ.pop("RAY_ADDRESS", None)
    time.sleep(1.5)


def cpus() -> int:
    return int(os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE") or os.cpu_count() or 1)


def ray_command(*role: str, scratch: Path) -> list[str]:
    agents = ports(
        "dashboard-agent-grpc-port", "dashboard-agent-listen-port", "runtime-env-agent-port", "metrics-export-port"
    )
    program = str(Path(sys.executable).parent / "ray")
    return [
        program,
        "start",
        *role,
        *agents,
        "--block",
        "--disable-usage-stats",
        f"--temp-dir={scratch}",
        f"--num-cpus={cpus()}",
    ]


def dask_scheduler_command(shared: Path, host: str) -> list[str]:
    module = [sys.executable, "-m", "distributed.cli.dask_scheduler", f"--scheduler-file={shared / DASK_HEAD}"]
    return [*module, f"--host={host}", "--port=0", "--no-dashboard"]


def dask_worker_command(shared: Path, scratch: Path) -> list[str]:
    module = [sys.executable, "-m", "distributed.cli.dask_worker", f"--scheduler-file={shared / DASK_HEAD}"]
    return [
        *module,
        f"--nworkers={cpus()}",
        "--nthreads=1",
        "--no-dashboard",
        f"--local-directory={scratch}",
        "--memory-limit=0",
    ]


def start(stack: contextlib.ExitStack, command: list[str]) -> "subprocess.Popen[bytes]":
    """Starts a program that ends with the stack. Its output is the job's log."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    stack.callback(stop, process)
    return process


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ports(*names: str) -> list[str]:
    """Options of `ray start`, each with a free port, so that jobs on one machine do not use the same ports."""
    return [f"--{name}={free_port()}" for name in names]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def connect(head: "subprocess.Popen[bytes]") -> None:
    """Connects to the Ray at RAY_ADDRESS as soon as it answers: after 3 s on an idle machine, 30 s on a busy one."""
    import ray

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            ray.init(address=os.environ["RAY_ADDRESS"], log_to_driver=False, logging_level="ERROR")
            return
        # Ray raises a plain Exception when its processes take more than 15 s to start, as on a busy machine.
        except Exception as exc:
            gone = not isinstance(exc, ConnectionError) or head.poll() is not None
            if gone or time.monotonic() > deadline:
                line = " ".join(str(exc).split())[:200]
                raise SdgError(
                    f"Ray's head did not start on {os.environ['RAY_ADDRESS']} ({line}); start the job "
                    "again, as launch does by itself"
                ) from exc


def wait_for_nodes(num_nodes: int, shared: Path) -> None:
    """Returns when every node has joined Ray and Dask. Raises SdgError after START_SECONDS."""
    import ray
    from distributed import Client

    deadline = time.monotonic() + START_SECONDS
    while (found := sum(node["Alive"] for node in ray.nodes())) < num_nodes:
        if time.monotonic() > deadline:
            raise SdgError(
                f"{found} of {num_nodes} nodes joined Ray within {START_SECONDS} seconds; the logs of the "
                "others say why"
            )
        time.sleep(0.5)
    try:
        with Client(scheduler_file=str(shared / DASK_HEAD)) as client:
            client.wait_for_workers(num_nodes * cpus(), timeout=START_SECONDS)
    except (OSError, TimeoutError) as exc:
        raise SdgError(
            f"not all workers joined Dask within {START_SECONDS} seconds ({exc}); the logs of the nodes say why"
        ) from exc
