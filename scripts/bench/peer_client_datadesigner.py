"""NVIDIA DataDesigner on PROMPTS (JSONL with `prompt`), with one text column; runs in a separate environment.

python peer_client_datadesigner.py URL PROMPTS FOLDER IN_FLIGHT     prints one JSON line; called again, it resumes
"""

import json
import os
import sys
from pathlib import Path


def main(url: str, prompts: str, folder: str, in_flight: str) -> None:
    # its settings and its telemetry stay in the folder
    os.environ.update(DATA_DESIGNER_HOME=f"{folder}/home", NEMO_TELEMETRY_ENABLED="false")
    import data_designer.config as dd
    from data_designer.interface import DataDesigner

    provider = dd.ModelProvider(name="fake", endpoint=url, provider_type="openai", api_key="none")
    sampling = dd.ChatCompletionInferenceParams(
        temperature=0.7, top_p=0.95, max_tokens=256, max_parallel_requests=int(in_flight)
    )
    model = dd.ModelConfig(
        alias="teacher", model="fake", provider="fake", inference_parameters=sampling, skip_health_check=True
    )
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=prompts))
    builder.add_column(dd.LLMTextColumnConfig(name="reply", prompt="{{ prompt }}", model_alias="teacher"))
    designer = DataDesigner(artifact_path=folder, model_providers=[provider])
    # the server returns errors on purpose, so early shutdown is disabled
    designer.set_run_config(dd.RunConfig(disable_early_shutdown=True, otel_metrics_port=None))
    num = len(Path(prompts).read_text().splitlines())
    resume = dd.ResumeMode.ALWAYS if Path(folder, "run").is_dir() else dd.ResumeMode.NEVER
    result = designer.create(builder, num_records=num, dataset_name="run", resume=resume)
    replies = result.load_dataset()["reply"]
    print(json.dumps({"kept": int((replies.notna() & (replies != "")).sum())}))


if __name__ == "__main__":
    Path(sys.argv[3]).mkdir(parents=True, exist_ok=True)
    main(*sys.argv[1:5])
