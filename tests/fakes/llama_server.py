"""The real llama.cpp server with the embedded model, in a process of its own: no fake, but what a test can start.

python tests/fakes/llama_server.py --alias writer
listening on http://127.0.0.1:41873/v1
"""

import argparse
import signal
import sys

import xllamacpp

from nemo_sdg.generate.engines.llama import embedded_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alias", required=True, help="the name that it serves its model under")
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--context-length", type=int, default=4096, help="tokens of a slot")
    options = parser.parse_args()
    params = xllamacpp.CommonParams()
    params.model.path = str(embedded_model())
    params.model_alias = {options.alias}
    params.n_parallel = options.slots
    params.n_ctx = options.context_length * options.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_gpu_layers = 0
    params.port = 0
    params.verbosity = -1
    params.warmup = params.fit_params = params.ui = False
    params.cache_ram_mib = 0
    server = xllamacpp.Server(params)
    print(f"listening on {server.listening_address}/v1", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    sys.exit(0)


if __name__ == "__main__":
    main()
