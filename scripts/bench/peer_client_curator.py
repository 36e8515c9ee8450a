"""NeMo Curator's AsyncOpenAIClient on PROMPTS (JSONL with `prompt`), with all requests of the file gathered, like the
batches of its stages. It writes nothing to disk.

python peer_client_curator.py URL PROMPTS FOLDER IN_FLIGHT     prints one JSON line
"""

import asyncio
import json
import sys
from pathlib import Path


async def main(url: str, prompts: str, in_flight: int) -> None:
    from nemo_curator.models.client import AsyncOpenAIClient
    from nemo_curator.models.client.llm_client import GenerationConfig

    client = AsyncOpenAIClient(max_concurrent_requests=in_flight, base_url=url, api_key="none")
    client.setup()
    config = GenerationConfig(max_tokens=256, temperature=0.7, top_p=0.95, seed=0)

    async def ask(prompt: str) -> bool:
        messages = [{"role": "user", "content": prompt}]
        try:
            return bool((await client.query_model(model="fake", messages=messages, generation_config=config))[0])
        except Exception as exc:
            print(type(exc).__name__, exc, file=sys.stderr)
            return False

    rows = [json.loads(line)["prompt"] for line in Path(prompts).read_text().splitlines()]
    print(json.dumps({"kept": sum(await asyncio.gather(*map(ask, rows)))}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[4])))
